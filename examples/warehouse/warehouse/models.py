"""What the warehouse deals in."""

from dataclasses import dataclass, field


class WarehouseError(Exception):
    """Something in the input that the report must not hide."""


class BadCode(WarehouseError):
    """A stock code that was mistyped."""

    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    category: str
    price_cents: int
    grams: int
    stock: int
    aisle: int
    shelf: int


@dataclass(frozen=True)
class Customer:
    id: str
    name: str
    country: str
    blocked: bool = False


@dataclass
class Line:
    """One line of an order, as it stands in the file."""

    hour: str  # "2026-05-01 08"
    order: str
    customer: str
    sku: str
    quantity: int


@dataclass
class Order:
    """An order with its lines, each with its product."""

    number: str
    customer: Customer
    items: list = field(default_factory=list)

    @property
    def grams(self):
        return sum(product.grams * quantity for product, quantity in self.items)

    @property
    def net_cents(self):
        return sum(product.price_cents * quantity for product, quantity in self.items)

    def add(self, product, quantity):
        if quantity <= 0:
            raise WarehouseError(f"order {self.number}: {quantity} of {product.sku}")
        self.items.append((product, quantity))
