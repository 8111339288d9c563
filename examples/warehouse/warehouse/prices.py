"""What an order costs."""

from warehouse.shipping import postage_cents, vat_percent

TIERS = ((0, 0), (5_000, 2), (20_000, 4), (100_000, 7))  # from cents, percent


def discount(tiers):
    """A function from net cents to the discount in cents."""
    highest_first = sorted(tiers, reverse=True)

    def of(cents):
        for start, percent in highest_first:
            if cents >= start:
                return cents * percent // 100
        return 0

    return of


def tax_cents(order):
    """The tax on all items of an order."""
    tax = 0
    for product, quantity in order.items:
        percent = vat_percent(order.customer.country, product.category)
        tax += product.price_cents * quantity * percent / 100
    return round(tax)


def invoice_cents(order, reduce):
    """What the customer pays."""
    goods = order.net_cents - reduce(order.net_cents)
    return goods + tax_cents(order) + postage_cents(order.customer.country, order.grams)
