import pytest
from warehouse import prices, shipping
from warehouse.models import Order


@pytest.mark.parametrize(
    ("start", "goal", "kilometres"),
    [("DE", "DE", 0), ("DE", "NL", 450), ("DE", "BE", 660), ("DE", "ES", 2150), ("DE", "SE", 1090)],
)
def test_the_shortest_way(start, goal, kilometres):
    assert shipping.distance(start, goal) == kilometres
    assert shipping.distance(goal, start) == kilometres


def test_an_unknown_country_has_no_way():
    with pytest.raises(LookupError, match="no way from DE to US"):
        shipping.distance("DE", "US")


def test_heavy_goods_are_sent_in_parcels():
    assert shipping.postage_cents("DE", 1_000) == 390
    assert shipping.postage_cents("DE", 20_001) == 780
    assert shipping.postage_cents("FR", 1_000) == 390 + 8


def test_books_have_the_reduced_tax():
    assert shipping.vat_percent("FR", "books") == 5.5
    assert shipping.vat_percent("FR", "tools") == 20


def test_the_discount_grows_with_the_order():
    reduce = prices.discount(prices.TIERS)
    assert [reduce(cents) for cents in (4_999, 5_000, 20_000, 100_000)] == [0, 100, 800, 7000]


def test_an_invoice_adds_tax_and_postage(customers, products):
    order = Order("R1", customers[0])
    order.add(products[0], 2)
    assert prices.tax_cents(order) == 140
    assert prices.invoice_cents(order, prices.discount(prices.TIERS)) == 2000 + 140 + 390
