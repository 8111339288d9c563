"""From lines to orders."""

from warehouse.models import Order


def without_blocked(lines, blocked):
    """The lines of customers who may order."""
    kept = []
    for line in lines:
        if line.customer not in blocked:
            kept.append(line)
    return kept


def with_products(lines, products):
    """Each line with its product; lines of products we do not have are left out."""
    found = []
    for line in lines:
        for product in products:
            if product.sku == line.sku:
                found.append((line, product))
    return found


def unsold(products, lines):
    """The codes of the products that nobody ordered."""
    codes = []
    for product in products:
        if not any(line.sku == product.sku for line in lines):
            codes.append(product.sku)
    return codes


def collect(pairs, customers):
    """Orders, in the order of their first line."""
    orders = {}
    for line, product in pairs:
        if line.order not in orders:
            orders[line.order] = Order(line.order, customers[line.customer])
        orders[line.order].add(product, line.quantity)
    return list(orders.values())


def pieces(lines):
    """How many pieces of each product were ordered."""
    total = {}
    for line in lines:
        total[line.sku] = total.get(line.sku, 0) + line.quantity
    return total


def unusual_quantities(lines):
    """Order numbers of lines with far more pieces than the hour's average."""
    numbers = []
    for line in lines:
        average = sum([other.quantity for other in lines]) / len(lines)
        if line.quantity > 1.75 * average:
            numbers.append(line.order)
    return numbers
