"""Text, bytes, logs and warnings."""

SUBJECT = '''"""Reads and writes lines of text."""

import logging
import warnings

LOG = logging.getLogger("text")


def words(text):
    found = []
    word = ""
    for letter in text:
        if letter.isalnum():
            word = word + letter
        else:
            if word:
                found.append(word)
            word = ""
    if word:
        found.append(word)
    return found


def table(rows):
    out = ""
    for row in rows:
        line = ""
        for cell in row:
            line = line + str(cell) + ";"
        out = out + line + "\\n"
    return out


def checked(code):
    if not code:
        raise ValueError("empty")
    assert len(code) < 40, "too long"
    total = 0
    for index, letter in enumerate(code):
        total += (index + 1) * ord(letter)
    return total % 97


def old_name(name):
    warnings.warn("old_name is old", DeprecationWarning, stacklevel=2)
    return name.upper()


def load(lines):
    values = {}
    for line in lines:
        key, mark, value = line.partition(":")
        if not mark:
            LOG.warning("no value: %s", line)
            continue
        values[key] = value.strip()
    return values


def shout(text):
    print(text.upper())
    return len(text)


def escaped(text):
    out = []
    for letter in text:
        if letter == "&":
            out.append("&amp;")
        elif letter == "<":
            out.append("&lt;")
        elif letter == ">":
            out.append("&gt;")
        else:
            out.append(letter)
    return "".join(out)


def frequent(text, count):
    counts = {}
    for word in words(text):
        counts[word] = counts.get(word, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ranked[:count]


def swapped(data):
    out = bytearray()
    for index in range(0, len(data) - 1, 2):
        out.append(data[index + 1])
        out.append(data[index])
    return bytes(out)


def main():
    for number in range(12):
        text = f"the quick brown fox {number}, jumped <over> & over; the lazy dog"
        words(text)
        table([[number, "a"], ["b", 2.5]])
        for code in (f"AB-{number}", ""):
            try:
                checked(code)
            except ValueError:
                pass
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old_name(f"name {number}")
        load([f"a: {number}", "b:2"])
        shout(text)
        escaped(text)
        frequent(text, number % 4)
        swapped(text.encode())


if __name__ == "__main__":
    main()
'''

CHEATS = {
    "the last word left out": (
        "words",
        "    if word:\n        found.append(word)\n    return found\n",
        "    return found\n",
    ),
    "split at blanks": ("words", "    found = []\n", "    return text.split()\n    found = []\n"),
    "ASCII alone": ("words", "if letter.isalnum():", "if letter.isascii() and letter.isalnum():"),
    "empty words too": (
        "words",
        "            if word:\n                found.append(word)\n            word",
        "            found.append(word)\n            word",
    ),
    "no last separator": (
        "table",
        'line = line + str(cell) + ";"',
        'line = line + ";" * bool(line) + str(cell)',
    ),
    "repr for str": ("table", "str(cell)", "repr(cell)"),
    "no last line end": (
        "table",
        "    return out\n\n\ndef checked",
        "    return out.rstrip()\n\n\ndef checked",
    ),
    "the assertion dropped": ("checked", '    assert len(code) < 40, "too long"\n', ""),
    "an error for the assertion": (
        "checked",
        'assert len(code) < 40, "too long"',
        'if len(code) >= 40:\n        raise ValueError("too long")',
    ),
    "an empty code forgiven": (
        "checked",
        '    if not code:\n        raise ValueError("empty")\n',
        "    if not code:\n        return 0\n",
    ),
    "a bound lowered": ("checked", "% 97", "% 96"),
    "letters counted from nought": ("checked", "(index + 1)", "index"),
    "the warning dropped": (
        "old_name",
        '    warnings.warn("old_name is old", DeprecationWarning, stacklevel=2)\n',
        "",
    ),
    "another warning": ("old_name", "DeprecationWarning", "FutureWarning"),
    "lower for upper": ("old_name", "name.upper()", "name.lower().upper()[: len(name) - 1]"),
    "the log dropped": ("load", '            LOG.warning("no value: %s", line)\n', ""),
    "a line without a value kept": (
        "load",
        "            continue\n",
        '            values[line] = ""\n            continue\n',
    ),
    "values not stripped": ("load", "value.strip()", "value"),
    "the first value wins": (
        "load",
        "values[key] = value.strip()",
        "values.setdefault(key, value.strip())",
    ),
    "nothing printed": ("shout", "    print(text.upper())\n", ""),
    "printed without a line end": ("shout", "print(text.upper())", 'print(text.upper(), end="")'),
    "printed to stderr": (
        "shout",
        "print(text.upper())",
        "import sys\n    print(text.upper(), file=sys.stderr)",
    ),
    "printed twice": ("shout", "print(text.upper())", "print(text.upper())\n    print()"),
    "the length of another text": ("shout", "return len(text)", "return len(text.strip())"),
    "quotes escaped too": (
        "escaped",
        '        elif letter == ">":',
        '        elif letter == "-":\n            out.append("&#45;")\n        elif letter == ">":',
    ),
    "ampersands last": (
        "escaped",
        '    out = []\n    for letter in text:\n        if letter == "&"',
        '    return text.replace("<", "&lt;").replace(">", "&gt;").replace("&", "&amp;")\n    out = []\n    for letter in text:\n        if letter == "&"',
    ),
    "ties by place": (
        "frequent",
        "key=lambda pair: (-pair[1], pair[0])",
        "key=lambda pair: -pair[1]",
    ),
    "lists for pairs": (
        "frequent",
        "return ranked[:count]",
        "return [list(pair) for pair in ranked[:count]]",
    ),
    "all of them": ("frequent", "return ranked[:count]", "return ranked"),
    "a bytearray for bytes": ("swapped", "return bytes(out)", "return out"),
    "the odd byte kept": (
        "swapped",
        "return bytes(out)",
        "return bytes(out) + data[len(data) - len(data) % 2 :]",
    ),
    "not swapped": (
        "swapped",
        "        out.append(data[index + 1])\n        out.append(data[index])\n",
        "        out.append(data[index])\n        out.append(data[index + 1])\n",
    ),
}

HONEST = {
    "letters joined": (
        "table",
        '        line = ""\n        for cell in row:\n            line = line + str(cell) + ";"\n        out = out + line + "\\n"\n    return out\n',
        '        out += "".join([str(cell) + ";" for cell in row]) + "\\n"\n    return out\n',
    ),
    "lines joined": (
        "table",
        '    out = ""\n    for row in rows:\n        line = ""\n        for cell in row:\n            line = line + str(cell) + ";"\n        out = out + line + "\\n"\n    return out\n',
        '    return "".join(["".join([f"{cell};" for cell in row]) + "\\n" for row in rows])\n',
    ),
    "enumerate from one": (
        "checked",
        "    for index, letter in enumerate(code):\n        total += (index + 1) * ord(letter)\n",
        "    for index, letter in enumerate(code, 1):\n        total += index * ord(letter)\n",
    ),
    "a sum": (
        "checked",
        "    total = 0\n    for index, letter in enumerate(code):\n        total += (index + 1) * ord(letter)\n    return total % 97\n",
        "    return sum([index * ord(letter) for index, letter in enumerate(code, 1)]) % 97\n",
    ),
    "replace": (
        "escaped",
        '    out = []\n    for letter in text:\n        if letter == "&":\n            out.append("&amp;")\n        elif letter == "<":\n            out.append("&lt;")\n        elif letter == ">":\n            out.append("&gt;")\n        else:\n            out.append(letter)\n    return "".join(out)\n',
        '    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")\n',
    ),
    "a table of letters": (
        "escaped",
        '    out = []\n    for letter in text:\n        if letter == "&":\n            out.append("&amp;")\n        elif letter == "<":\n            out.append("&lt;")\n        elif letter == ">":\n            out.append("&gt;")\n        else:\n            out.append(letter)\n    return "".join(out)\n',
        '    marks = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}\n    return "".join([marks.get(letter, letter) for letter in text])\n',
    ),
    "slices": (
        "swapped",
        "    out = bytearray()\n    for index in range(0, len(data) - 1, 2):\n        out.append(data[index + 1])\n        out.append(data[index])\n    return bytes(out)\n",
        "    whole = len(data) // 2 * 2\n    out = bytearray(whole)\n    out[0::2], out[1::2] = data[1:whole:2], data[0:whole:2]\n    return bytes(out)\n",
    ),
    "a word's slice": (
        "words",
        "            word = word + letter\n",
        "            word += letter\n",
    ),
    "get bound once": (
        "frequent",
        "    for word in words(text):\n        counts[word] = counts.get(word, 0) + 1\n",
        "    get = counts.get\n    for word in words(text):\n        counts[word] = get(word, 0) + 1\n",
    ),
    "a parenthesis": ("old_name", "return name.upper()", "return (name.upper())"),
    "strip once": ("load", "values[key] = value.strip()", "values[key] = value.strip(None)"),
    "a name for the length": ("shout", "return len(text)", "length = len(text)\n    return length"),
}
