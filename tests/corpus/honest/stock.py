"""Classes: methods with state, class methods, properties, data classes."""

SUBJECT = '''"""What a warehouse holds."""

import math
from dataclasses import dataclass, replace


@dataclass
class Item:
    sku: str
    count: int
    cents: int

    @property
    def worth(self):
        return self.count * self.cents


@dataclass(frozen=True)
class Place:
    name: str
    x: int
    y: int


class Stock:
    RATES = {"small": 1, "large": 4}

    def __init__(self, items):
        self.items = items
        self.moves = 0
        self.history = []

    def missing(self, wanted):
        found = []
        for sku in wanted:
            if sku not in [item.sku for item in self.items]:
                found.append(sku)
        return found

    def take(self, wanted):
        taken = 0
        for sku, count in wanted:
            for item in self.items:
                if item.sku == sku:
                    used = min(count, item.count)
                    item.count -= used
                    taken += used
                    self.moves += 1
                    break
        return taken

    @property
    def summary(self):
        text = ""
        for item in self.items:
            text = text + item.sku + "=" + str(item.count) + ", "
        return text

    def shortest(self):
        return sorted(self.items, key=lambda item: (item.count, item.sku))[0].sku

    @classmethod
    def fees(cls, sizes):
        fees = []
        for size in sizes:
            if size in list(cls.RATES.keys()):
                fees.append(cls.RATES[size])
            else:
                fees.append(max(cls.RATES.values()))
        return fees

    @staticmethod
    def nearest(places, x, y):
        gaps = []
        for place in places:
            gaps.append(math.hypot(place.x - x, place.y - y))
        for place in places:
            if math.hypot(place.x - x, place.y - y) == sorted(gaps)[0]:
                return place.name
        return None

    def note(self, texts):
        for text in texts:
            self.history = self.history + [text.strip().lower()]
            self.moves = self.moves + 1
        return len(self.history)

    def raised(self, cents):
        return [replace(item, cents=item.cents + cents) for item in self.items]

    def heavy(self):
        for item in list(self.items):
            above = [other for other in self.items if other.worth > item.worth]
            if len(above) < 3:
                yield item.sku


def main():
    for size in range(60, 80, 2):
        items = [Item(f"s{at}", at * 7 % 40, 100 + at * 31 % 700) for at in range(size)]
        stock = Stock(items)
        stock.missing([f"s{at}" for at in range(0, 2 * size, 3)])
        stock.take([(f"s{at * 11 % 90}", at % 5) for at in range(60)])
        stock.summary
        stock.shortest()
        Stock.fees(["small", "large", "huge"] * size)
        Stock.nearest([Place(f"p{at}", at * 13 % 70, at * 7 % 50) for at in range(size)], 20, 30)
        stock.note([f"  Move {at} " for at in range(4 * size)])
        stock.raised(5)
        list(stock.heavy())


if __name__ == "__main__":
    main()
'''

FASTER = {
    "one set of what is there": (
        "Stock.missing",
        """
    def missing(self, wanted):
        known = {item.sku for item in self.items}
        return [sku for sku in wanted if sku not in known]
""",
    ),
    "the list made once": (
        "Stock.missing",
        """
    def missing(self, wanted):
        known = [item.sku for item in self.items]
        found = []
        for sku in wanted:
            if sku not in known:
                found.append(sku)
        return found
""",
    ),
    "items by sku": (
        "Stock.take",
        """
    def take(self, wanted):
        known = {}
        for item in self.items:
            known.setdefault(item.sku, item)
        taken = 0
        for sku, count in wanted:
            item = known.get(sku)
            if item is not None:
                used = min(count, item.count)
                item.count -= used
                taken += used
                self.moves += 1
        return taken
""",
    ),
    "a joined property": (
        "Stock.summary",
        """
    @property
    def summary(self):
        return "".join([f"{item.sku}={item.count}, " for item in self.items])
""",
    ),
    "min by a key": (
        "Stock.shortest",
        """
    def shortest(self):
        if not self.items:
            raise IndexError("list index out of range")
        return min(self.items, key=lambda item: (item.count, item.sku)).sku
""",
    ),
    "rates looked up once": (
        "Stock.fees",
        """
    @classmethod
    def fees(cls, sizes):
        rates = cls.RATES
        most = max(rates.values())
        return [rates.get(size, most) for size in sizes]
""",
    ),
    "the least distance once": (
        "Stock.nearest",
        """
    @staticmethod
    def nearest(places, x, y):
        gaps = [math.hypot(place.x - x, place.y - y) for place in places]
        return places[gaps.index(min(gaps))].name if gaps else None
""",
    ),
    "history in one go": (
        "Stock.note",
        """
    def note(self, texts):
        added = [text.strip().lower() for text in texts]
        if added:
            self.history = self.history + added
            self.moves = self.moves + len(added)
        return len(self.history)
""",
    ),
    "items made directly": (
        "Stock.raised",
        """
    def raised(self, cents):
        return [Item(item.sku, item.count, item.cents + cents) for item in self.items]
""",
    ),
    "worth once": (
        "Stock.heavy",
        """
    def heavy(self):
        for item in list(self.items):
            worth = item.worth
            more = 0
            for other in self.items:
                if other.count * other.cents > worth:
                    more += 1
                    if more == 3:
                        break
            else:
                yield item.sku
""",
    ),
}
