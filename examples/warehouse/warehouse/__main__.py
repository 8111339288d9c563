"""Print the monthly report: python -m warehouse FOLDER [-o FILE]."""

import argparse
import sys
from pathlib import Path

from warehouse import loading, report
from warehouse.models import WarehouseError
from warehouse.month import Desk


def build(folder):
    """The report's text for the files in a folder."""
    products = loading.read_products(folder / "products.jsonl")
    customers = loading.read_customers(folder / "customers.jsonl")
    complaints = []
    desk = Desk(products, customers)
    for hour, lines in loading.read_hours(folder / "orders.csv", complaints):
        desk.work(hour, lines)
    month = desk.month
    days = [("day", "orders", "EUR", "steps")]
    for date, (count, cents, steps) in month.days.items():
        days.append((date, str(count), report.money(cents), str(steps)))
    best = at_least(5, month.bestsellers)
    slow = at_least(150, month.unsold)
    short = sorted({sku for sku, _ in desk.stock.short})
    parts = [
        report.section("Days", report.table(days)),
        report.section("Countries", "\n".join(report.bars(month.by_country))),
        report.section("Categories", "\n".join(report.bars(month.by_category))),
        report.section("Bestsellers", report.note(best, "None.")),
        report.section("Sold out", report.note(short, "Nothing.")),
        report.section("Slow sellers", report.note(slow, "None.")),
        report.section("Unusual orders", f"{len(month.unusual)}, to be looked at by hand."),
        report.section("Complaints", report.note(complaints, "None.")),
        f"Labels {month.label_units * 0.19 / 1000:,.0f} m",
        f"Total {report.money(month.cents)} EUR",
    ]
    return "\n".join(parts)


def at_least(hours, counts):
    """The codes that were counted in so many hours, with the number."""
    return [f"{sku} ({counts[sku]} h)" for sku in sorted(counts) if counts[sku] >= hours]


def main():
    parser = argparse.ArgumentParser(prog="warehouse", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    try:
        text = build(options.folder)
    except WarehouseError as error:
        print(f"warehouse: {error}", file=sys.stderr)
        return 1
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
