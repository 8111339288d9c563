import csv
import json
from dataclasses import asdict

from warehouse.__main__ import build
from warehouse.codes import check_digit


def write_input(folder, products, customers, lines):
    for name, rows in (("products", products), ("customers", customers)):
        text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["hour", "order", "customer", "sku", "quantity"])
        writer.writerows([[n.hour, n.order, n.customer, n.sku, n.quantity] for n in lines])


def with_check_digits(rows):
    changed = []
    for row in rows:
        stem = row.sku[:7]
        changed.append(type(row)(**{**asdict(row), "sku": f"{stem}-{check_digit(stem)}"}))
    return changed


def test_the_whole_report(tmp_path, products, customers, lines):
    write_input(tmp_path, with_check_digits(products), customers, with_check_digits(lines))
    text = build(tmp_path)
    assert "2026-05-01       2  152.49      7\n" in text
    assert "Sold out\n--------\nNothing." in text
    assert text.endswith(" EUR")


def test_mistyped_codes_are_complaints(tmp_path, products, customers, lines):
    write_input(tmp_path, with_check_digits(products), customers, with_check_digits(lines[:1]))
    path = tmp_path / "orders.csv"
    path.write_text(path.read_text(encoding="utf-8") + "2026-05-01 08,R7,C1,AK-00,1\n", encoding="utf-8")
    assert "R7: AK-00: not a stock code" in build(tmp_path)
