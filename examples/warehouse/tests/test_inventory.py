import pytest
from warehouse.inventory import AISLES, SHELVES, Inventory, rounds, steps_from, walk
from warehouse.models import Order, WarehouseError


def test_stock_that_runs_short_is_noted(products):
    stock = Inventory(products)
    assert stock.take("BM-0002-1", 4) == 4
    assert stock.take("BM-0002-1", 4) == 1
    assert stock["BM-0002-1"] == 0
    assert stock.short == [("BM-0002-1", 3)]


def test_an_unknown_product_is_an_error(products):
    with pytest.raises(WarehouseError, match="ZZ-9999-9 is not stocked"):
        Inventory(products).take("ZZ-9999-9", 1)


def test_steps_without_obstacles_are_the_sum_of_the_distances():
    steps = steps_from((0, 0), frozenset())
    assert len(steps) == AISLES * SHELVES
    assert all(count == aisle + shelf for (aisle, shelf), count in steps.items())


def test_steps_go_round_what_is_blocked():
    wall = frozenset((aisle, 1) for aisle in range(AISLES - 1))
    assert steps_from((0, 0), wall)[(0, 2)] == 2 * (AISLES - 1) + 2


def test_a_walk_goes_to_the_nearest_place_first():
    assert walk([(0, 5), (0, 1), (2, 1)], frozenset()) == 1 + 2 + 6
    assert walk([], frozenset()) == 0


def test_rounds_hold_each_place_once(customers, products):
    orders = []
    for number in range(3):
        orders.append(Order(f"R{number}", customers[0]))
        orders[-1].add(products[number % 2], 1)
    assert list(rounds(orders, 2)) == [[(1, 2), (3, 4)], [(1, 2)]]
