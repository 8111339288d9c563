"""Format a large generated SQL file with sqlparse; the argument is the number of statements."""

import hashlib
import random
import sys

import sqlparse


def statements(count: int) -> list[str]:
    """SQL text as an export script writes it, the same for every run."""
    chance = random.Random(20)
    tables = ["orders", "customers", "items", "stock", "prices", "regions"]
    lines = []
    for number in range(count):
        left, right = chance.sample(tables, 2)
        columns = ", ".join(f"{left[0]}.c{chance.randrange(20)} as x{n}" for n in range(6))
        one, two = f"{left} {left[0]}", f"{right} {right[0]}x"
        lines.append(
            f"select {columns}, count(*), case when {left[0]}.a > {number} then 'high' else 'low'"
            f" end from {one} left join {two} on {left[0]}.id = {right[0]}x.{left}_id where"
            f" {left[0]}.created between '2024-01-01' and '2024-12-31' and {right[0]}x.kind in"
            f" ('a', 'b', {number}) or not exists (select 1 from {right} where id = {number})"
            f" group by {left[0]}.c1 having sum({left[0]}.n) > 10 order by 1 desc"
            f" limit {number}; -- {number}"
        )
    return lines


def main() -> None:
    """Format each statement and print a digest of the whole."""
    digest = hashlib.sha256()
    for text in statements(int(sys.argv[1]) if len(sys.argv) > 1 else 4000):
        done = sqlparse.format(text, reindent=True, keyword_case="upper", strip_comments=True)
        digest.update(done.encode())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
