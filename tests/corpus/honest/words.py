"""Text: searching, joining, translating."""

SUBJECT = r'''"""Words of a text."""

import re

STOP = ["the", "a", "an", "of", "and", "or", "to", "in", "on", "over", "under", "with", "at", "by"]


def table(rows):
    out = ""
    for row in rows:
        line = ""
        for cell in row:
            line = "{}{};".format(line, cell)
        out = "{}{}\n".format(out, line)
    return out


def labels(rows):
    found = []
    for row in rows:
        found.append("{}: {} ({})".format(row[0], row[1], row[2]))
    return found


def numbers(lines):
    found = []
    for line in lines:
        pattern = re.compile(r"[0-9]+")
        for match in pattern.finditer(line):
            found.append(int(match.group()))
    return found


def comments(lines):
    kept = []
    for line in lines:
        if re.match(r"\s*(#|//)", line):
            kept.append(line)
    return kept


def squeezed(text):
    while "  " in text or "\t" in text:
        text = re.sub(r"\t", " ", text)
        text = re.sub(r"  ", " ", text)
    return text


def meaningful(words):
    kept = []
    for word in words:
        if word.lower() not in STOP:
            kept.append(word.lower())
    return kept


def vowels(text):
    count = 0
    for letter in text:
        if letter in "aeiou":
            count += 1
    return count


def mirrored(text):
    kept = [letter for letter in text.lower() if letter.isalnum()]
    for at in range(len(kept)):
        if kept[at] != kept[len(kept) - 1 - at]:
            return False
    return True


def shifted(text, by):
    out = []
    for letter in text:
        if "a" <= letter <= "z":
            out.append(chr((ord(letter) - 97 + by) % 26 + 97))
        else:
            out.append(letter)
    return "".join(out)


def escaped(text):
    out = ""
    for letter in text:
        if letter == "&":
            out += "&amp;"
        elif letter == "<":
            out += "&lt;"
        elif letter == ">":
            out += "&gt;"
        else:
            out += letter
    return out


def prefixed(lines, prefixes):
    return [line for line in lines if any(line.startswith(prefix) for prefix in prefixes)]


def wrapped(words, width):
    rows, row = [], []
    for word in words:
        if row and len(" ".join([*row, word])) > width:
            rows.append(" ".join(row))
            row = []
        row.append(word)
    if row:
        rows.append(" ".join(row))
    return rows


def anagrams(words):
    groups = []
    for word in words:
        for group in groups:
            if sorted(group[0]) == sorted(word):
                group.append(word)
                break
        else:
            groups.append([word])
    return groups


def shared_start(words):
    if not words:
        return ""
    start = ""
    for at in range(len(words[0])):
        for word in words:
            if word[: at + 1] != words[0][: at + 1]:
                return start
        start = words[0][: at + 1]
    return start


def runs(text):
    found = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] == text[at]:
            end += 1
        found.append((text[at], end - at))
        at = end
    return found


def checked(codes):
    for at, code in enumerate(codes):
        if code in codes[:at]:
            raise ValueError(f"twice: {code}")
    return len(codes)


def main():
    base = "The quick <b>brown</b> fox & 17 dogs jumped over 4 lazy cats, under the old bridge"
    for number in range(10):
        text = f"{base} {number} " * (8 + number)
        words = text.split()
        spaced = "  \t".join(words[:40]) + "   \t  "
        lines = [" ".join(words[at : at + 4]) for at in range(0, len(words), 2)]
        source = [("# " if at % 3 else "  ") + line for at, line in enumerate(lines)]
        table([[word, at, at / 2] for at, word in enumerate(words)])
        labels([(word, at, number) for at, word in enumerate(words)])
        numbers(lines)
        comments(source)
        squeezed(spaced)
        meaningful(words)
        vowels(text)
        mirrored(text + text[::-1])
        shifted(text.lower(), number)
        escaped(text)
        prefixed(lines, ["fox", "under", "cats", "old", "4", "quick", "over"])
        wrapped(words, 70)
        anagrams([word[:3] + str(at % 40) for at, word in enumerate(words)])
        shared_start([f"/srv/data/store/{number}/year/{at}" for at in range(60)])
        runs("aaaabbbccd" * (20 + number) + "x" * 300)
        codes = [f"{word}-{at}" for at, word in enumerate(words)]
        for extra in ([], [codes[number]]):
            try:
                checked([*codes, *extra])
            except ValueError:
                pass


if __name__ == "__main__":
    main()
'''

FASTER = {
    "joined rows": (
        "table",
        r"""
def table(rows):
    return "".join(["".join([f"{cell};" for cell in row]) + "\n" for row in rows])
""",
    ),
    "f-strings": (
        "labels",
        """
def labels(rows):
    return [f"{row[0]}: {row[1]} ({row[2]})" for row in rows]
""",
    ),
    "compiled once": (
        "numbers",
        """
_NUMBER = re.compile(r"[0-9]+")


def numbers(lines):
    found = []
    for line in lines:
        for match in _NUMBER.finditer(line):
            found.append(int(match.group()))
    return found
""",
    ),
    "findall": (
        "numbers",
        """
_NUMBER = re.compile(r"[0-9]+")


def numbers(lines):
    return [int(digits) for line in lines for digits in _NUMBER.findall(line)]
""",
    ),
    "a pattern's own match": (
        "comments",
        r"""
_COMMENT = re.compile(r"\s*(#|//)")


def comments(lines):
    match = _COMMENT.match
    return [line for line in lines if match(line)]
""",
    ),
    "one substitution": (
        "squeezed",
        r"""
_SPACES = re.compile(r"[ \t]{2,}|\t")


def squeezed(text):
    return _SPACES.sub(" ", text)
""",
    ),
    "a frozenset of words": (
        "meaningful",
        """
_STOP = frozenset(STOP)


def meaningful(words):
    return [low for word in words if (low := word.lower()) not in _STOP]
""",
    ),
    "lower once": (
        "meaningful",
        """
def meaningful(words):
    stop = set(STOP)
    kept = []
    for word in words:
        low = word.lower()
        if low not in stop:
            kept.append(low)
    return kept
""",
    ),
    "str.count": (
        "vowels",
        """
def vowels(text):
    return sum(map(text.count, "aeiou"))
""",
    ),
    "reversed by a slice": (
        "mirrored",
        """
def mirrored(text):
    kept = [letter for letter in text.lower() if letter.isalnum()]
    return kept == kept[::-1]
""",
    ),
    "half of it": (
        "mirrored",
        """
def mirrored(text):
    kept = [letter for letter in text.lower() if letter.isalnum()]
    last = len(kept) - 1
    for at in range(len(kept) // 2):
        if kept[at] != kept[last - at]:
            return False
    return True
""",
    ),
    "translate": (
        "shifted",
        """
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def shifted(text, by):
    by %= 26
    return text.translate(str.maketrans(_LETTERS, _LETTERS[by:] + _LETTERS[:by]))
""",
    ),
    "replace": (
        "escaped",
        """
def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
""",
    ),
    "a dict of marks": (
        "escaped",
        """
_MARKS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(text):
    get = _MARKS.get
    return "".join([get(letter, letter) for letter in text])
""",
    ),
    "startswith of a tuple": (
        "prefixed",
        """
def prefixed(lines, prefixes):
    wanted = tuple(prefixes)
    return [line for line in lines if line.startswith(wanted)]
""",
    ),
    "the width counted": (
        "wrapped",
        """
def wrapped(words, width):
    rows, row, used = [], [], 0
    for word in words:
        if row and used + 1 + len(word) > width:
            rows.append(" ".join(row))
            row = []
        used = used + 1 + len(word) if row else len(word)
        row.append(word)
    if row:
        rows.append(" ".join(row))
    return rows
""",
    ),
    "letters as a key": (
        "anagrams",
        """
def anagrams(words):
    groups = {}
    for word in words:
        groups.setdefault("".join(sorted(word)), []).append(word)
    return list(groups.values())
""",
    ),
    "the least and the greatest": (
        "shared_start",
        """
def shared_start(words):
    if not words:
        return ""
    first, last = min(words), max(words)
    for at, letter in enumerate(first):
        if at == len(last) or last[at] != letter:
            return first[:at]
    return first
""",
    ),
    "groupby": (
        "runs",
        """
from itertools import groupby


def runs(text):
    return [(letter, len(list(group))) for letter, group in groupby(text)]
""",
    ),
    "codes that were seen": (
        "checked",
        """
def checked(codes):
    seen = set()
    for code in codes:
        if code in seen:
            raise ValueError(f"twice: {code}")
        seen.add(code)
    return len(codes)
""",
    ),
}
