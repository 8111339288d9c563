"""Write the input files of the report: the same ones on every machine."""

import csv
import json
import random
import sys
from pathlib import Path

from warehouse.codes import check_digit

COUNTRIES = ["DE", "FR", "NL", "BE", "AT", "ES", "IT", "PL", "SE", "DK", "CH", "GB"]
CATEGORIES = ["books", "food", "garden", "tools", "toys", "audio"]
NOUNS = ["Lamp", "Kettle", "Radio", "Trowel", "Puzzle", "Atlas", "Drill", "Teapot", "Clock", "Rake"]
KINDS = ["Classic", "Compact", "Deluxe", "Travel", "Family", "Junior", "Garden", "Studio"]


def products(chance, count):
    for number in range(count):
        stem = f"{chance.choice('ABCDEFGH')}{chance.choice('KLMNPRST')}-{number:04d}"
        yield {
            "sku": f"{stem}-{check_digit(stem)}",
            "name": f"{chance.choice(KINDS)} {chance.choice(NOUNS)} {number}",
            "category": chance.choice(CATEGORIES),
            "price_cents": chance.randrange(199, 25_000),
            "grams": chance.randrange(50, 9_000),
            "stock": chance.randrange(900, 4_000),
            "aisle": chance.randrange(6),
            "shelf": chance.choice([0, 1, 2, 3, 4, 6, 7, 8]),
        }


def customers(chance, count):
    for number in range(count):
        yield {
            "id": f"C{number:05d}",
            "name": f"Customer {number}",
            "country": chance.choice(COUNTRIES),
            "blocked": chance.random() < 0.2,
        }


def order_lines(chance, skus, ids, days):
    number = 0
    for day in range(1, days + 1):
        for hour in range(8, 18):
            for _ in range(85):
                number += 1
                customer = chance.choice(ids)
                for _ in range(chance.randrange(1, 6)):
                    sku = chance.choice(skus)
                    if chance.random() < 0.0002:
                        sku = sku[:-1] + str((int(sku[-1]) + 1) % 10)  # somebody mistyped it
                    time = f"2026-05-{day:02d} {hour:02d}"
                    yield [time, f"R{number:06d}", customer, sku, chance.randrange(1, 9)]


def main(folder):
    chance = random.Random(2026)
    folder.mkdir(parents=True, exist_ok=True)
    goods = list(products(chance, 250))
    people = list(customers(chance, 3000))
    with (folder / "products.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(product) + "\n" for product in goods)
    with (folder / "customers.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(customer) + "\n" for customer in people)
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["hour", "order", "customer", "sku", "quantity"])
        skus = [product["sku"] for product in goods]
        ids = [person["id"] for person in people]
        writer.writerows(order_lines(chance, skus, ids, 15))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data"))
