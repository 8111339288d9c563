"""Render a long generated Markdown document with mistune; the argument says how often."""

import hashlib
import random
import sys

import mistune

WORDS = ("trace", "call", "value", "outcome", "hot", "path", "replay", "verdict", "interval")


def document(sections: int) -> str:
    """A long manual with headings, lists, tables, code, links and emphasis."""
    chance = random.Random(21)

    def prose(count: int) -> str:
        return " ".join(
            chance.choice(
                ["{}", "{}", "{}", "*{}*", "**{}**", "`{}`", "[{}](https://x.org/a_b)"]
            ).format(chance.choice(WORDS))
            for _ in range(count)
        )

    parts = []
    for number in range(sections):
        parts += [f"## Section {number}: {prose(3)}", "", prose(60), "", "> " + prose(20), ""]
        parts += [f"{n}. {prose(8)}\n   - {prose(5)}\n   - {prose(5)}" for n in range(1, 5)]
        parts += ["", "```python", "def f(x):", "    return x * 2", "```", ""]
        parts += ["| a | b | c |", "|---|:-:|--:|"]
        parts += [f"| {prose(1)} | {prose(2)} | {n} |" for n in range(4)]
        parts += ["", f"A note[^{number}] and ~~{prose(2)}~~.", "", f"[^{number}]: {prose(6)}", ""]
    return "\n".join(parts)


def main() -> None:
    """Render the document a few times and print a digest of the pages."""
    render = mistune.create_markdown(plugins=["table", "footnotes", "strikethrough", "url"])
    text = document(150)
    digest = hashlib.sha256()
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 50):
        digest.update(str(render(text)).encode())
    print(len(text), digest.hexdigest())


if __name__ == "__main__":
    main()
