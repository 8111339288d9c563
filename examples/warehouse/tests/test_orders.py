import pytest
from warehouse import orders
from warehouse.models import Order, WarehouseError


def test_lines_of_blocked_customers_are_left_out(lines):
    kept = orders.without_blocked(lines, ["C3", "C8"])
    assert [line.order for line in kept] == ["R1", "R1", "R2", "R4"]


def test_each_line_finds_its_product(lines, products):
    pairs = orders.with_products(lines, products)
    assert [(line.order, product.name) for line, product in pairs] == [
        ("R1", "Classic Lamp"),
        ("R1", "Travel Clock"),
        ("R2", "Classic Lamp"),
        ("R3", "Travel Clock"),
    ]


def test_unsold_products_keep_their_order(lines, products):
    assert orders.unsold(products, lines) == ["CP-0003-2"]
    assert orders.unsold(products, []) == [product.sku for product in products]


def test_lines_are_collected_into_orders(lines, products, customers):
    known = {customer.id: customer for customer in customers}
    done = orders.collect(orders.with_products(lines, products), known)
    assert [order.number for order in done] == ["R1", "R2", "R3"]
    assert done[0].net_cents == 4500
    assert done[0].grams == 2200


def test_an_order_refuses_nothing(customers, products):
    order = Order("R9", customers[0])
    with pytest.raises(WarehouseError, match="R9"):
        order.add(products[0], 0)


def test_pieces_are_counted_by_product(lines):
    assert orders.pieces(lines) == {"AK-0001-0": 11, "BM-0002-1": 2, "ZZ-9999-9": 1}


def test_unusual_quantities_are_far_above_the_average(lines):
    assert orders.unusual_quantities(lines) == ["R2"]
    assert orders.unusual_quantities([]) == []
