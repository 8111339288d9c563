"""Lists and dictionaries: searching, grouping, sorting."""

SUBJECT = '''"""Orders of a shop."""

import copy
import random

LOG = []


def known(orders, customers):
    kept = []
    for order in orders:
        if order["customer"] in customers:
            kept.append(order)
    return kept


def cheapest(offers):
    return sorted(offers, key=lambda offer: offer["cents"])[0]


def dearest(offers):
    ranked = sorted(offers, key=lambda offer: offer["cents"], reverse=True)
    return ranked[:3]


def priced(orders, prices):
    found = []
    for order in orders:
        for price in prices:
            if price["sku"] == order["sku"]:
                found.append((order["sku"], price["cents"] * order["count"]))
                break
    return found


def unique(names):
    found = []
    for name in names:
        if name not in found:
            found.append(name)
    return found


def tally(names):
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def popular(names, least):
    kept = []
    for name in sorted(set(names)):
        if names.count(name) >= least:
            kept.append((name, names.count(name)))
    return kept


def has_dear(offers, limit):
    found = False
    for offer in offers:
        if offer["cents"] > limit:
            found = True
    return found


def all_in_stock(orders, stock):
    return all([stock.get(order["sku"], 0) >= order["count"] for order in orders])


def lines(baskets):
    found = []
    for basket in baskets:
        found = found + basket
    return found


def by_customer(orders):
    groups = {}
    for customer in sorted({order["customer"] for order in orders}):
        groups[customer] = [o["sku"] for o in orders if o["customer"] == customer]
    return groups


def served(queue, each):
    waiting = list(queue)
    order = []
    while waiting:
        name, wants = waiting.pop(0)
        order.append(name)
        if wants > each:
            waiting.append((name, wants - each))
    return order


def revenue(orders):
    total = 0
    for order in copy.deepcopy(orders):
        total += order["cents"] * order["count"]
    return total


def merged(parts):
    whole = {}
    for part in parts:
        whole = {**whole, **part}
    return whole


def taken(orders, customer):
    """Removes a customer's orders."""
    kept = []
    while orders:
        order = orders.pop(0)
        if order["customer"] == customer:
            LOG.append(order["sku"])
        else:
            kept.append(order)
    orders.extend(kept)
    return len(kept)


def main():
    dice = random.Random(7)
    customers = [f"c{number}" for number in range(150)]
    prices = [{"sku": f"s{number}", "cents": 100 + 37 * number % 900} for number in range(120)]
    stock = {f"s{number}": 3 + number % 5 for number in range(120)}
    for size in range(150, 190, 4):
        orders = [
            {
                "customer": f"c{dice.randrange(300)}",
                "sku": f"s{dice.randrange(120)}",
                "count": dice.randrange(1, 9),
                "cents": dice.randrange(900),
            }
            for _ in range(size)
        ]
        names = [order["customer"] for order in orders]
        many = [f"c{dice.randrange(60)}" for _ in range(4 * size)]
        known(orders, customers)
        cheapest(orders)
        dearest(orders)
        priced(orders, prices)
        unique(names)
        tally(many)
        popular(many, 3)
        has_dear(orders, 400)
        all_in_stock(orders, stock)
        lines([names[at : at + 2] for at in range(0, len(names), 2)])
        by_customer(orders)
        served([(name, at % 9) for at, name in enumerate(names * 9)], 2)
        revenue(orders[:60])
        merged([{f"k{at % 50}": at, f"m{at % 70}": -at} for at in range(size)])
        taken([dict(order) for order in orders] * 2, "c7")


if __name__ == "__main__":
    main()
'''

FASTER = {
    "search a set": (
        "known",
        """
def known(orders, customers):
    wanted = set(customers)
    return [order for order in orders if order["customer"] in wanted]
""",
    ),
    "min for the first of sorted": (
        "cheapest",
        """
def cheapest(offers):
    if not offers:
        raise IndexError("list index out of range")
    return min(offers, key=lambda offer: offer["cents"])
""",
    ),
    "the largest three by a heap": (
        "dearest",
        """
import heapq
from operator import itemgetter


def dearest(offers):
    return heapq.nlargest(3, offers, key=itemgetter("cents"))
""",
    ),
    "prices by sku": (
        "priced",
        """
def priced(orders, prices):
    if not orders:
        return []
    cents = {}
    for price in prices:
        cents.setdefault(price["sku"], price["cents"])
    found = []
    for order in orders:
        sku = order["sku"]
        if sku in cents:
            found.append((sku, cents[sku] * order["count"]))
    return found
""",
    ),
    "keys of a dict": (
        "unique",
        """
def unique(names):
    return list(dict.fromkeys(names))
""",
    ),
    "names that were seen": (
        "unique",
        """
def unique(names):
    found = []
    seen = set()
    for name in names:
        if name not in seen:
            seen.add(name)
            found.append(name)
    return found
""",
    ),
    "a Counter": (
        "tally",
        """
from collections import Counter


def tally(names):
    return dict(Counter(names))
""",
    ),
    "counted once": (
        "popular",
        """
from collections import Counter


def popular(names, least):
    return sorted([(name, count) for name, count in Counter(names).items() if count >= least])
""",
    ),
    "counts in a dict": (
        "popular",
        """
def popular(names, least):
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    kept = []
    for name in sorted(counts):
        if counts[name] >= least:
            kept.append((name, counts[name]))
    return kept
""",
    ),
    "stop at the first": (
        "has_dear",
        """
def has_dear(offers, limit):
    for offer in offers:
        if offer["cents"] > limit:
            return True
    return False
""",
    ),
    "any": (
        "has_dear",
        """
def has_dear(offers, limit):
    return any(offer["cents"] > limit for offer in offers)
""",
    ),
    "all without a list": (
        "all_in_stock",
        """
def all_in_stock(orders, stock):
    return all(stock.get(order["sku"], 0) >= order["count"] for order in orders)
""",
    ),
    "extend": (
        "lines",
        """
def lines(baskets):
    found = []
    for basket in baskets:
        found.extend(basket)
    return found
""",
    ),
    "chain": (
        "lines",
        """
from itertools import chain


def lines(baskets):
    return list(chain.from_iterable(baskets))
""",
    ),
    "groups in one go": (
        "by_customer",
        """
def by_customer(orders):
    groups = {}
    for order in orders:
        groups.setdefault(order["customer"], []).append(order["sku"])
    return {customer: groups[customer] for customer in sorted(groups)}
""",
    ),
    "a deque": (
        "served",
        """
from collections import deque


def served(queue, each):
    waiting = deque(queue)
    order = []
    while waiting:
        name, wants = waiting.popleft()
        order.append(name)
        if wants > each:
            waiting.append((name, wants - each))
    return order
""",
    ),
    "no copy": (
        "revenue",
        """
def revenue(orders):
    total = 0
    for order in orders:
        total += order["cents"] * order["count"]
    return total
""",
    ),
    "update": (
        "merged",
        """
def merged(parts):
    whole = {}
    for part in parts:
        whole.update(part)
    return whole
""",
    ),
    "one pass over a list that is changed": (
        "taken",
        '''
def taken(orders, customer):
    """Removes a customer's orders."""
    kept = []
    note = LOG.append
    for order in orders:
        if order["customer"] == customer:
            note(order["sku"])
        else:
            kept.append(order)
    orders[:] = kept
    return len(kept)
''',
    ),
}
