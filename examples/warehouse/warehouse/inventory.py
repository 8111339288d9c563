"""Stock, and the way a picker walks."""

from warehouse.models import WarehouseError

AISLES, SHELVES = 6, 9


class Inventory:
    """Pieces on the shelves."""

    def __init__(self, products):
        self._pieces = {product.sku: product.stock for product in products}
        self.short = []

    def __getitem__(self, sku):
        try:
            return self._pieces[sku]
        except KeyError:
            raise WarehouseError(f"{sku} is not stocked") from None

    def take(self, sku, quantity):
        """Take pieces from the shelf; how many there were."""
        taken = min(quantity, self[sku])
        self._pieces[sku] -= taken
        if taken < quantity:
            self.short.append((sku, quantity - taken))
        return taken


def steps_from(start, blocked):
    """How many steps from the start to each place, round the blocked ones."""
    steps = {start: 0}
    queue = [start]
    while queue:
        aisle, shelf = queue.pop(0)
        for place in ((aisle + 1, shelf), (aisle - 1, shelf), (aisle, shelf + 1), (aisle, shelf - 1)):
            if not (0 <= place[0] < AISLES and 0 <= place[1] < SHELVES):
                continue
            if place in blocked or place in steps:
                continue
            steps[place] = steps[(aisle, shelf)] + 1
            queue.append(place)
    return steps


def walk(places, blocked):
    """The length of a walk that always goes to the nearest place left."""
    here, total = (0, 0), 0
    left = list(places)
    while left:
        steps = steps_from(here, blocked)
        left = sorted(left, key=lambda place: (steps.get(place, 999), place))
        here = left.pop(0)
        total += steps.get(here, 999)
    return total


def rounds(orders, size):
    """The places to visit, a picking round of some orders at a time."""
    for first in range(0, len(orders), size):
        items = [item for order in orders[first : first + size] for item in order.items]
        yield sorted({(product.aisle, product.shelf) for product, _ in items})
