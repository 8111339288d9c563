"""Read the input files."""

import csv
import json

from warehouse.codes import parse_sku
from warehouse.models import BadCode, Customer, Line, Product


def read_products(path):
    return [Product(**row) for row in _json_lines(path)]


def read_customers(path):
    return [Customer(**row) for row in _json_lines(path)]


def read_hours(path, complaints):
    """Yield each hour with its lines; what cannot be used goes to the complaints."""
    hour, lines = None, []
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["hour"] != hour and lines:
                yield hour, lines
                lines = []
            hour = row["hour"]
            try:
                sku = parse_sku(row["sku"])
            except BadCode as error:
                complaints.append(f"{row['order']}: {error}")
                continue
            lines.append(Line(hour, row["order"], row["customer"], sku, int(row["quantity"])))
    if lines:
        yield hour, lines


def _json_lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
