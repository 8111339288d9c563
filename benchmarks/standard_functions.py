"""Functions of the standard library in Python, with calls that a program may make of them.

`benchmarks/mutants.py` copies each module's source from the running interpreter and records a
program that makes these calls; nothing of it is kept.
"""

import ast
import importlib
from dataclasses import dataclass
from pathlib import Path

# What a module takes from its twin in C at its end is left where it is: the Python version counts.
TWINS = {
    "bisect": ("from _bisect import", "from _no_bisect import"),
    "heapq": ("from _heapq import", "from _no_heapq import"),
    "posixpath": ("from posix import", "from _no_posix import"),
    "quopri": ("from binascii import a2b_qp, b2a_qp", "a2b_qp = b2a_qp = None"),
    "operator": ("from _operator import", "from _no_operator import"),
    "tomllib._parser": ("from ._", "from tomllib._"),
}

DRIVER = '''"""Calls {function} as programs do."""

import io
import itertools

import {alias} as m

TEXT = "The quick brown fox, a well-known animal, jumps over the lazy dog -- and then rests."
WORDS = TEXT.replace(",", "").split()
SIZES = [3, 17, 5, 80, 2, 41, 5, 9, 120, 64, 33, 7]


def call(function, *args, **named):
    """Make a call; how it ends is not the program's concern."""
    try:
        found = function(*args, **named)
        if hasattr(found, "__next__"):
            found = list(itertools.islice(found, 200))
        return found
    except Exception:
        return None


def main():
{calls}


if __name__ == "__main__":
    main()
'''


@dataclass(frozen=True)
class Subject:
    """A function and the statements that call it."""

    module: str
    function: str
    calls: str

    @property
    def alias(self) -> str:
        """The name of the copied module."""
        return f"std_{self.module.replace('.', '_').strip('_')}"

    @property
    def name(self) -> str:
        """Such as "textwrap.dedent"."""
        return f"{self.module}.{self.function}"

    def files(self) -> dict[str, str]:
        """The copied module and the program that calls the function."""
        file = importlib.import_module(self.module).__file__
        assert file is not None, self.module
        text = Path(file).read_text(encoding="utf-8")
        if self.module in TWINS:
            old, new = TWINS[self.module]
            assert old in text, (self.module, old)
            text = text.replace(old, new)
        calls = "\n".join(f"    {line}" for line in self.calls.strip().splitlines())
        driver = DRIVER.format(function=self.name, alias=self.alias, calls=calls)
        ast.parse(driver)
        return {f"{self.alias}.py": text, "app.py": driver}


def _each(module: str, function: str, *arguments: str, through: str = "") -> Subject:
    """A function that is called with each of these arguments."""
    calls = [f"call(m.{through or function}, {one})" for one in arguments]
    return Subject(module, function, "\n".join(calls))


SUBJECTS = (
    Subject(
        "textwrap",
        "dedent",
        r"""
for lines in (["  one", "    two", "", "  three"], ["\tx", "\t  y"], ["a", "  b"], ["   ", "  z"]):
    call(m.dedent, "\n".join(lines))
    call(m.dedent, "\n".join(lines * 3) + "\n")
""",
    ),
    Subject(
        "textwrap",
        "TextWrapper._wrap_chunks",
        r"""
for width in (12, 20, 33, 60):
    call(m.wrap, TEXT, width)
    call(m.wrap, TEXT * 2, width, initial_indent="* ", subsequent_indent="  ")
    call(m.wrap, TEXT, width, max_lines=2, placeholder=" ...")
    call(m.wrap, "averyveryverylongwordindeed " * 2, width, break_long_words=width > 20)
""",
    ),
    Subject(
        "textwrap",
        "TextWrapper._handle_long_word",
        r"""
for width in (4, 7, 11, 15):
    call(m.wrap, "an-extraordinarily-long-word and supercalifragilistic", width)
    call(m.wrap, "x" * 50 + " end", width, break_on_hyphens=width > 7)
""",
    ),
    _each(
        "textwrap",
        "indent",
        r"'a\nb\n\nc', '  '",
        r"'one\n  two\n', '> '",
        r"TEXT, '- '",
        r"'', 'x'",
        r"'a\n \n\nb\n', '# '",
    ),
    Subject(
        "bisect",
        "bisect_right",
        "for x in range(0, 130, 7):\n    call(m.bisect_right, sorted(SIZES), x)\n"
        "    call(m.bisect_right, sorted(SIZES), x, 2, 9)",
    ),
    Subject(
        "bisect",
        "bisect_left",
        "for x in range(0, 130, 7):\n    call(m.bisect_left, sorted(SIZES), x)\n"
        "    call(m.bisect_left, sorted(WORDS), WORDS[x % 15], key=None)",
    ),
    Subject(
        "heapq",
        "_siftup",
        "for at in range(6):\n    call(m._siftup, list(SIZES[at:]), 0)\n"
        "    call(m._siftup, SIZES[at::-1], at // 2)",
    ),
    Subject(
        "heapq",
        "_siftdown",
        "for at in range(1, 12):\n    call(m._siftdown, sorted(SIZES) + [at], 0, 12)\n"
        "    call(m._siftdown, SIZES[:at], 0, at - 1)",
    ),
    Subject(
        "heapq",
        "nlargest",
        "for n in (0, 1, 3, 8, 20):\n    call(m.nlargest, n, SIZES)\n"
        "    call(m.nlargest, n, WORDS)\n    call(m.nlargest, n, SIZES[:2])",
    ),
    Subject(
        "heapq",
        "merge",
        "for at in range(1, 6):\n    call(m.merge, sorted(SIZES[:at]), sorted(SIZES[at:]), [4, 8])\n"
        "    call(m.merge, sorted(SIZES)[::-1], [90, 7, 1][:at], reverse=True)",
    ),
    Subject(
        "statistics",
        "median",
        "for at in range(1, 12):\n    call(m.median, SIZES[:at])\n    call(m.median, [])\n"
        "    call(m.median, [one / 4 for one in SIZES[at:]])",
    ),
    Subject(
        "statistics",
        "quantiles",
        "for n in (2, 4, 10):\n    for how in ('exclusive', 'inclusive', 'none'):\n"
        "        call(m.quantiles, SIZES, n=n, method=how)\n"
        "        call(m.quantiles, [one / 8 for one in SIZES[n:]], n=n, method=how)",
    ),
    Subject(
        "statistics",
        "median_grouped",
        "for at in range(2, 12):\n    call(m.median_grouped, sorted(SIZES)[:at])\n"
        "    call(m.median_grouped, [52, 52, 53, 54, at], 2)",
    ),
    Subject(
        "statistics",
        "_decimal_sqrt_of_frac",
        "for n in range(1, 12):\n    call(m._decimal_sqrt_of_frac, n * 37, n + 2)",
    ),
    Subject(
        "statistics",
        "_integer_sqrt_of_frac_rto",
        "for n in range(1, 15):\n    call(m._integer_sqrt_of_frac_rto, n * n * 5 + n, n + 1)",
    ),
    Subject(
        "fractions",
        "Fraction.limit_denominator",
        "for n in (1, 7, 10, 100, 1000):\n"
        "    call(m.Fraction('3.141592653').limit_denominator, n)\n"
        "    call(m.Fraction(22, 7 + n).limit_denominator, 9)\n"
        "    call(m.Fraction(n, 997).limit_denominator, 30)",
    ),
    Subject(
        "fractions",
        "Fraction._add",
        "for a, b in zip(SIZES, SIZES[1:]):\n"
        "    call(lambda: m.Fraction(a, b) + m.Fraction(b, a + 1))\n"
        "    call(lambda: m.Fraction(a, 12) + m.Fraction(b, 18))",
    ),
    Subject(
        "difflib",
        "SequenceMatcher.find_longest_match",
        "for at in range(0, 60, 9):\n"
        "    call(m.SequenceMatcher(None, TEXT, TEXT[at:] + 'fox').find_longest_match)\n"
        "    call(m.SequenceMatcher(lambda x: x == ' ', TEXT[at:], TEXT[:40]).find_longest_match, 0, 20, 5, 35)",
    ),
    Subject(
        "difflib",
        "SequenceMatcher.ratio",
        "for word in WORDS:\n    call(m.SequenceMatcher(None, word, 'lazy fox').ratio)",
    ),
    Subject(
        "difflib",
        "_calculate_ratio",
        "for at in range(12):\n    call(m._calculate_ratio, at, 2 * at + SIZES[at])",
    ),
    _each(
        "fnmatch",
        "translate",
        "'*.py'",
        "'data[0-9]?.csv'",
        "'**a*b**'",
        "'[!abc]x*'",
        "'[]-]z'",
        "'[z-a]b[a-c-e]'",
        "'plain.txt'",
        "'a[b'",
    ),
    _each(
        "posixpath",
        "join",
        "'a', 'b', 'c.txt'",
        "'/srv/', 'www', '/etc'",
        "'', 'x'",
        "'a/', ''",
        "'/x', 'y/', 'z'",
        "'home', '', 'me'",
    ),
    _each(
        "posixpath",
        "normpath",
        "'/a/./b/../c'",
        "'a//b///c/'",
        "'../../x/..'",
        "''",
        "'//srv/x'",
        "'///srv'",
        "'./a/b/../../..'",
    ),
    _each(
        "posixpath",
        "commonpath",
        "['/usr/lib', '/usr/local/lib', '/usr/lib64']",
        "['a/b/c', 'a/b/d', 'a/b']",
        "['/a', 'b']",
        "['x/./y', 'x/y/z']",
        "['/srv/a', '/srv/a']",
    ),
    Subject(
        "posixpath",
        "relpath",
        "for path in ('/a/b/c', '/a/x', '/z', '/a/b', '/'):\n"
        "    for start in ('/a/b', '/', '/q/r/s'):\n        call(m.relpath, path, start)",
    ),
    _each(
        "ntpath",
        "splitroot",
        "'C:/a/b'",
        "'//srv/share/x'",
        r"'c:\\x\\y'",
        "'rel/a'",
        r"'\\\\?\\UNC\\s\\h\\f'",
        "'/abs'",
        "'C:rel'",
        "''",
    ),
    _each(
        "html",
        "escape",
        "'<a href=\"x\">it\\'s & more</a>'",
        "'a < b', False",
        "TEXT",
        "'<<>>&&', True",
    ),
    Subject(
        "string",
        "capwords",
        "for at in range(0, 80, 8):\n    call(m.capwords, TEXT[at:])\n"
        "    call(m.capwords, TEXT[at:], '-')",
    ),
    Subject(
        "colorsys",
        "rgb_to_hls",
        "for at in range(12):\n    call(m.rgb_to_hls, at / 12, SIZES[at] / 130, (at * 5 % 12) / 12)",
    ),
    Subject(
        "colorsys",
        "hsv_to_rgb",
        "for at in range(14):\n    call(m.hsv_to_rgb, at / 13, (at % 4) / 3, SIZES[at % 12] / 130)",
    ),
    Subject(
        "calendar",
        "monthrange",
        "for year in (1900, 1999, 2000, 2024):\n    for month in range(0, 14, 2):\n"
        "        call(m.monthrange, year, month)",
    ),
    Subject(
        "calendar",
        "Calendar.itermonthdays2",
        "for month in range(1, 13, 2):\n    call(m.Calendar(month % 7).itermonthdays2, 2024, month)\n"
        "    call(m.Calendar(6).itermonthdays2, 1900 + month, 2)",
    ),
    _each(
        "urllib.parse",
        "urlsplit",
        "'https://me:pw@example.org:80/a/b?x=1#top'",
        "'//host/path'",
        "'mailto:a@b.org'",
        "'path/only?q'",
        "'http://[::1]/x', '', False",
        "'HTTP://EX.org;p?#f'",
    ),
    _each(
        "urllib.parse",
        "parse_qsl",
        "'a=1&b=2&a=3'",
        "'x=&y', True",
        "'a=%20b+c&d=%C3%A9'",
        "'a=1;b=2', False, False, 'utf-8', 'replace', None, ';'",
        "'noequals', False, True",
    ),
    _each(
        "urllib.parse",
        "urljoin",
        "'http://a/b/c/d?q', '../g'",
        "'http://a/b/', './x/../y'",
        "'http://a/b', '//h/z'",
        "'http://a/b/c', '?y=1'",
        "'http://a', '#f'",
        "'', 'x'",
        "'http://a/b/c', '../../../g'",
    ),
    _each(
        "urllib.parse",
        "_splitnetloc",
        *("'//host/path?q', 2", "'//u@h:1#x', 2", "'host', 0", "'//a?b/c#d', 2"),
    ),
    _each(
        "base64",
        "_85encode",
        *(
            f"b'{text}', m._b85chars or m._a85chars or [bytes([i]) for i in range(33, 118)], "
            "[bytes([a, b]) for a in range(33, 118) for b in range(33, 118)], "
            + ("True" if at % 2 else "False, True")
            for at, text in enumerate(("hello world", "abcd", "x", "\\0\\0\\0\\0ab", "    y"))
        ),
    ),
    _each(
        "base64",
        "b32encode",
        *("b'hello'", "b''", "b'a'", "b'abc'", "b'wxyz1234'", "bytes(range(40))"),
    ),
    Subject(
        "base64",
        "_b32decode",
        "for text in (b'NBSWY3DP', b'ME======', b'MFRGG===', b'nbswy3dp', b'bad', b'M0======'):\n"
        "    call(m.b32decode, text)\n    call(m.b32decode, text, True)\n"
        "    call(m.b32decode, text, False, b'I')",
    ),
    _each(
        "quopri",
        "quote",
        *(f"bytes([{n}])" for n in (0, 9, 32, 61, 65, 127, 200, 255)),
    ),
    Subject(
        "ipaddress",
        "_BaseV6._compress_hextets",
        "for at in range(8):\n"
        "    call(m.IPv6Address._compress_hextets, ['0'] * at + ['1'] * (8 - at))\n"
        "    call(m.IPv6Address._compress_hextets, (['a', '0', '0'] * 3)[at : at + 8])",
    ),
    Subject(
        "ipaddress",
        "_BaseV4._ip_int_from_string",
        "for text in ('10.0.0.1', '255.255.255.255', '1.2.3', '1.2.3.256', '01.2.3.4', '', '1.2.3.4.5'):\n"
        "    call(m.IPv4Address, text)\n    call(m.IPv4Address, text.replace('1', '7'))",
    ),
    Subject(
        "ipaddress",
        "_BaseV6._ip_int_from_string",
        "for text in ('::1', '2001:db8::ff00:42:8329', '1:2:3:4:5:6:7:8', '::', '1::2::3', '::ffff:1.2.3.4',\n"
        "             ':1', '1:', 'fe80::', '12345::', '1:2:3:4:5:6:7'):\n"
        "    call(m.IPv6Address, text)",
    ),
    Subject(
        "ipaddress",
        "_count_righthand_zero_bits",
        "for at in range(12):\n    call(m._count_righthand_zero_bits, SIZES[at] << at, 32)\n"
        "call(m._count_righthand_zero_bits, 0, 32)",
    ),
    Subject(
        "_pydatetime",
        "_ord2ymd",
        "for at in range(20):\n    call(m._ord2ymd, 1 + at * 36525 + at * at)",
    ),
    Subject(
        "_pydatetime",
        "_isoweek_to_gregorian",
        "for year in (1999, 2004, 2009, 2020, 2026):\n    for week in (0, 1, 30, 52, 53, 54):\n"
        "        call(m._isoweek_to_gregorian, year, week, 1 + week % 7)",
    ),
    _each(
        "_pydatetime",
        "_parse_isoformat_time",
        "'12:30'",
        "'12:30:45.123456'",
        "'123045+0200'",
        "'00:00:00Z'",
        "'23:59:59-05:30:10'",
        "'1'",
        "'12:3'",
        "'12:30:45,5'",
    ),
    _each(
        "_pydatetime",
        "_format_time",
        *(
            f"{n % 24}, {n % 60}, {n * 7 % 60}, {us}, 'auto'"
            for n, us in ((3, 0), (14, 5000), (23, 7))
        ),
        "5, 6, 7, 8000, 'milliseconds'",
        "1, 2, 0, 0, 'minutes'",
        "1, 2, 3, 4, 'none'",
    ),
    Subject(
        "graphlib",
        "TopologicalSorter._find_cycle",
        "for graph in ({1: [2], 2: [3], 3: [1]}, {'a': ['b'], 'b': ['c']}, {0: [1, 2], 1: [3], 2: [3], 3: [0]}):\n"
        "    call(m.TopologicalSorter(graph).prepare)\n"
        "    call(m.TopologicalSorter({**graph, 9: [9]})._find_cycle)\n"
        "    call(m.TopologicalSorter(graph)._find_cycle)",
    ),
    _each(
        "json.encoder",
        "py_encode_basestring_ascii",
        "'plain'",
        r"'tab\t \"q\" \\ \u00e9'",
        r"'\U0001f600 \x01'",
        "''",
        "TEXT",
    ),
    _each(
        "email.utils",
        "_format_timetuple_and_zone",
        "(2026, 11, 22, 1, 2, 3, 6), 'GMT'",
        "(1999, 1, 9, 23, 59, 0, 5), '-0000'",
    ),
    _each(
        "email._parseaddr",
        "_parsedate_tz",
        "'Fri, 09 Nov 2001 01:08:47 -0000'",
        "'22 Nov 2026 10:00 +0130'",
        "'Nov 5 12:00:00 1999 EST'",
        "'Thu, 1 Jan 70 00.00.01 GMT'",
        "''",
        "'Mon 16-Nov-09 13:32:02 +0100'",
    ),
    _each(
        "email.quoprimime",
        "header_encode",
        r"b'plain'",
        r"b'caf\xe9 =_? x'",
        r"b''",
        r"bytes(range(60, 70)), 'utf-8'",
    ),
    _each(
        "email.quoprimime",
        "body_encode",
        r"'short line\n'",
        "TEXT * 2",
        r"'caf=C3 end \n tail '",
        r"TEXT, 30",
        r"'a' * 100, 20",
        r"'x\r\ny\t\n'",
    ),
    Subject(
        "reprlib",
        "Repr.repr_int",
        "for at in range(0, 60, 6):\n    call(m.Repr().repr_int, 7**at, 2)\n    call(m.Repr(maxlong=12).repr_int, 3**at, 1)",
    ),
    Subject(
        "reprlib",
        "Repr.repr_str",
        "for at in range(0, 60, 6):\n    call(m.Repr().repr_str, TEXT[:at], 3)\n    call(m.Repr(maxstring=12).repr_str, TEXT[at:], 1)",
    ),
    _each(
        "encodings.punycode",
        "punycode_decode",
        "b'bcher-kva', 'strict'",
        "b'ls8h', 'strict'",
        "b'plain-', 'strict'",
        "b'fiqs8s', 'replace'",
        "b'Mnchen-3ya', 'strict'",
    ),
    _each(
        "encodings.punycode",
        "punycode_encode",
        r"'b\xfccher'",
        r"'\u0434\u043e\u043c'",
        "'plain'",
        r"'\xe4\xf6\xfc x'",
        r"'M\xfcnchen-Ost'",
    ),
    Subject(
        "encodings.punycode",
        "adapt",
        "for at in range(12):\n    call(m.adapt, SIZES[at] * 900, at % 3 == 0, at + 1)",
    ),
    Subject(
        "operator",
        "indexOf",
        "for one in (3, 5, 120, 4):\n    call(m.indexOf, SIZES, one)\n    call(m.indexOf, WORDS, WORDS[one % 16])",
    ),
    Subject(
        "operator",
        "countOf",
        "for one in (3, 5, 120, 4):\n    call(m.countOf, SIZES, one)\n    call(m.countOf, WORDS * 2, WORDS[one % 16])",
    ),
    Subject(
        "getopt",
        "do_longs",
        "for opt in ('out=f', 'verbose', 'ver', 'out', 'x', 'verbose=1'):\n"
        "    call(m.do_longs, [], opt, ['out=', 'verbose', 'version'], ['rest', 'more'])\n"
        "    call(m.do_longs, [('-a', '')], opt, ['out=', 'verbose'], [])",
    ),
    _each(
        "optparse",
        "_match_abbrev",
        *(
            f"'{s}', {{'--verbose': 1, '--version': 2, '--out': 3}}"
            for s in ("--ver", "--out", "--o", "--x", "--version")
        ),
    ),
    Subject(
        "tomllib._parser",
        "skip_chars",
        "for at in range(0, 70, 6):\n    call(m.skip_chars, TEXT, at, frozenset(' abcdefghijklmnopqrstuvwxyz'))\n"
        "    call(m.skip_chars, ' \\t x', at % 5, frozenset(' \\t'))",
    ),
    Subject(
        "tomllib._parser",
        "parse_hex_char",
        "for text in ('0041', '00e9', 'd800', 'zz', '1F600', '12'):\n    call(m.parse_hex_char, text + '\"', 0, 4)\n"
        "    call(m.parse_hex_char, 'ab' + text * 2, 2, 8)",
    ),
)
