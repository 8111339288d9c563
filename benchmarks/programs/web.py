"""Requests to a Flask application through its test client: routing, hooks and JSON."""

import sys

import flask

APP = flask.Flask(__name__)
STOCK = {number: {"name": f"item {number}", "price": number * 7 % 50} for number in range(200)}


@APP.before_request
def count() -> None:
    flask.g.requests = len(flask.request.path)


@APP.get("/items/<int:number>")
def item(number: int) -> flask.Response:
    return flask.jsonify(describe(number))


@APP.post("/basket")
def basket() -> tuple[dict[str, object], int]:
    chosen = flask.request.get_json()
    lines = [describe(number) for number in chosen["items"]]
    return {"lines": lines, "total": total(lines, chosen["coupon"])}, 201


def describe(number: int) -> dict[str, object]:
    found = STOCK[number % len(STOCK)]
    return {"number": number, **found, "shown": f"{found['name']}: {found['price']:>8}"}


def total(lines: list[dict[str, object]], coupon: str) -> float:
    prices = [int(str(line["price"])) for line in lines]
    return sum(prices) * (0.9 if coupon else 1.0)


def main(requests: int) -> None:
    client = APP.test_client()
    size = 0
    for number in range(requests):
        size += len(client.get(f"/items/{number}").data)
        order = {"items": list(range(number % 9)), "coupon": "x" * (number % 2)}
        size += len(client.post("/basket", json=order).data)
    print(size)


if __name__ == "__main__":
    main(int(sys.argv[1]))
