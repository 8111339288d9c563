import pytest
from warehouse.models import Customer, Line, Product


@pytest.fixture
def products():
    return [
        Product("AK-0001-0", "Classic Lamp", "books", 1000, 500, 20, 1, 2),
        Product("BM-0002-1", "Travel Clock", "tools", 2500, 1200, 5, 3, 4),
        Product("CP-0003-2", "Deluxe Rake", "garden", 9900, 8000, 0, 5, 8),
    ]


@pytest.fixture
def customers():
    return [Customer("C1", "One", "DE"), Customer("C2", "Two", "FR"), Customer("C3", "Three", "ES", True)]


@pytest.fixture
def lines():
    return [
        Line("2026-05-01 08", "R1", "C1", "AK-0001-0", 2),
        Line("2026-05-01 08", "R1", "C1", "BM-0002-1", 1),
        Line("2026-05-01 08", "R2", "C2", "AK-0001-0", 9),
        Line("2026-05-01 08", "R3", "C3", "BM-0002-1", 1),
        Line("2026-05-01 08", "R4", "C1", "ZZ-9999-9", 1),
    ]
