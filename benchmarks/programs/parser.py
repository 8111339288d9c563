"""A recursive-descent parser for JSON and its writer: strings, recursion and exceptions."""

import random
import sys

type Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}


class SyntaxProblem(Exception):
    """The text is not what was looked for at this place."""


class Parser:
    """Reads one document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \n\t":
            self.at += 1

    def expect(self, sign: str) -> None:
        self.skip()
        if not self.text.startswith(sign, self.at):
            raise SyntaxProblem(f"{sign} expected at {self.at}")
        self.at += len(sign)

    def value(self) -> Json:
        for attempt in (self.word, self.number, self.string, self.array, self.object):
            start = self.at
            try:
                return attempt()
            except SyntaxProblem:
                self.at = start
        raise SyntaxProblem(f"no value at {self.at}")

    def word(self) -> Json:
        self.skip()
        for word, value in WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        raise SyntaxProblem("no word")

    def number(self) -> int | float:
        self.skip()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "+-.eE0123456789":
            self.at += 1
        found = self.text[start : self.at]
        if not found:
            raise SyntaxProblem("no number")
        return float(found) if "." in found else int(found)

    def string(self) -> str:
        self.expect('"')
        parts = []
        while (sign := self.text[self.at]) != '"':
            self.at += 1
            if sign == "\\":
                sign = ESCAPES[self.text[self.at]]
                self.at += 1
            parts.append(sign)
        self.at += 1
        return "".join(parts)

    def array(self) -> list[Json]:
        self.expect("[")
        items: list[Json] = []
        self.skip()
        while self.text[self.at] != "]":
            items.append(self.value())
            self.skip()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1
        return items

    def object(self) -> dict[str, Json]:
        self.expect("{")
        members: dict[str, Json] = {}
        self.skip()
        while self.text[self.at] != "}":
            name = self.string()
            self.expect(":")
            members[name] = self.value()
            self.skip()
            if self.text[self.at] == ",":
                self.at += 1
            self.skip()
        self.at += 1
        return members


def write(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(k)}: {write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(write(item) for item in value) + "]"
    if isinstance(value, str):
        return quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def sample(chance: random.Random, depth: int) -> Json:
    kind = chance.randrange(6 if depth else 4)
    if kind == 4:
        return [sample(chance, depth - 1) for _ in range(4)]
    if kind == 5:
        return {f"key{i}": sample(chance, depth - 1) for i in range(4)}
    text = "".join(chance.choices('abc "\n', k=8))
    return (chance.randrange(1000), text, chance.random(), None)[kind]


def main(documents: int) -> None:
    chance = random.Random(5)
    total = 0
    for _ in range(documents):
        text = write(sample(chance, 4))
        again = write(Parser(text).value())
        if again != text:
            raise SystemExit("written and read values differ")
        total += len(again)
    print(total)


if __name__ == "__main__":
    main(int(sys.argv[1]))
