"""The month, hour by hour."""

from dataclasses import dataclass, field

from warehouse import inventory, labels, orders, prices, report

ROUND = 90  # orders a picker collects in one walk
CLOSED = frozenset((aisle, 5) for aisle in range(1, 5))  # a conveyor belt; one goes round it


@dataclass
class Month:
    """The figures of the month so far."""

    days: dict = field(default_factory=dict)  # date: orders, cents, steps
    by_country: dict = field(default_factory=dict)
    by_category: dict = field(default_factory=dict)
    unusual: list = field(default_factory=list)
    unsold: dict = field(default_factory=dict)  # code: in how many hours
    bestsellers: dict = field(default_factory=dict)  # code: in how many hours
    label_units: int = 0

    @property
    def cents(self):
        return sum(cents for _, cents, _ in self.days.values())


class Desk:
    """Works off one hour's orders after the other."""

    def __init__(self, products, customers):
        self.products = products
        self.customers = {customer.id: customer for customer in customers}
        self.blocked = [customer.id for customer in customers if customer.blocked]
        self.stock = inventory.Inventory(products)
        self.month = Month()
        self._reduce = prices.discount(prices.TIERS)

    def work(self, hour, lines):
        """One hour's lines: reserve, price, plan the walks."""
        lines = orders.without_blocked(lines, self.blocked)
        pairs = orders.with_products(lines, self.products)
        done = orders.collect(pairs, self.customers)
        cents = sum([self.sell(order) for order in done])
        steps = sum([inventory.walk(places, CLOSED) for places in inventory.rounds(done, ROUND)])
        day = self.month.days.get(hour[:10], (0, 0, 0))
        self.month.days[hour[:10]] = (day[0] + len(done), day[1] + cents, day[2] + steps)
        self.month.unusual.extend(orders.unusual_quantities(lines))
        for sku in orders.unsold(self.products, lines):
            self._book(self.month.unsold, sku, 1)
        for sku, share in report.relative(orders.pieces(lines)).items():
            if share == 1:
                self._book(self.month.bestsellers, sku, 1)

    def sell(self, order):
        """Take an order's pieces from the shelves and book it; its invoice in cents."""
        for product, quantity in order.items:
            taken = self.stock.take(product.sku, quantity)
            self.month.label_units += labels.width(labels.barcode(product.sku))
            self._book(self.month.by_category, product.category, taken * product.price_cents)
        cents = prices.invoice_cents(order, self._reduce)
        self._book(self.month.by_country, order.customer.country, cents)
        return cents

    @staticmethod
    def _book(totals, name, cents):
        totals[name] = totals.get(name, 0) + cents
