"""Replay tests as text, and files of them read again."""

import ast
import asyncio
import dataclasses
import importlib.util
import inspect
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from perftrace import snapshot, values
from perftrace.model import Binding, Ending, Function, Kind, Parameter
from perftrace.replay import emit, testing
from perftrace.replay.calling import Subject
from perftrace.replay.emit import NotParsed, Parsed, Suite
from perftrace.replay.files import Folder, write
from perftrace.replay.imports import Imports
from perftrace.replay.literals import NotWritten
from perftrace.replay.observe import Bench
from perftrace.replay.outcome import Behaviour
from perftrace.replay.review import Changed, Holds, Orphaned, Reviewer, Unclear
from perftrace.replay.static import Sources
from perftrace.replay.taken_apart import NotTaken, shapes, take_apart

SHOP = """
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property


@dataclass
class Item:
    sku: str
    price: Decimal


class Basket:
    def __init__(self, owner):
        self.items = []
        self.owner = owner

    def add(self, item, *, times=1):
        self.items.extend([item] * times)
        return self

    def reorder(self, *items):
        owner = self.__dict__.pop("owner")
        self.__dict__ = {"owner": owner, "items": items[0] if items else self.items}

    def __count(self):
        return len(self.items)

    @property
    def total(self):
        return sum(item.price for item in self.items)

    @total.setter
    def total(self, value):
        self._total = value

    @cached_property
    def size(self):
        return len(self.items)

    @classmethod
    def of(cls, *items):
        basket = cls("of")
        basket.items.extend(items)
        return basket

    @staticmethod
    def tax(amount, /, rate=2, **more):
        return amount * rate


class Special(Basket):
    def total(self):
        return 0


class ShopError(Exception):
    def __init__(self, text, region):
        super().__init__(text)
        self.region = region


def quote(items, region, discount=0):
    if region == "XX":
        raise ValueError(f"unknown region: {region!r}")
    if region == "YY":
        raise ShopError("bad", region)
    return {"region": region, "total": sum(item.price for item in items)}


def settle(rows):
    rows.sort()


def first(rows):
    return rows[0]


def batches(values, size):
    for start in range(0, len(values), size):
        yield values[start : start + size]


def twice(name):
    made = Item(name, 1)
    return [made, made]


def item(name):
    return name


def refuse(values):
    raise KeyError(values[0])


def blame(sku, raised):
    item = Item(sku, 1)
    raised.append(item)
    raise ValueError(item, [item])


def failing(values):
    yield from values
    raise KeyError("end")


async def fetch(x):
    return x * 2


async def ticks(n):
    for i in range(n):
        yield i


def check(x):
    return x


def hello(name):
    print("hello", name)


@contextmanager
def opened(x):
    yield x
"""
BINDINGS = dict(zip(range(5), Binding, strict=True))


class Recorder:
    """Calls functions of a module and writes the tests that a trace of them would give."""

    def __init__(self, root: Path, module: ModuleType) -> None:
        self.root = root
        self.file = Path(str(module.__file__))
        self.module = module
        self.imports = Imports()
        self.sources = Sources([str(root), *sys.path])
        self.tolerance = ""

    def __call__(
        self, function: Callable[..., Any], *arguments: object, take: int | None = None
    ) -> emit.Test | NotWritten:
        raw: Any = function
        for name in ("__func__", "fget", "func", "__wrapped__"):
            if not inspect.isfunction(raw) or name == "__wrapped__":
                raw = getattr(raw, name, raw)
        signature = inspect.signature(raw).parameters.values()
        parameters = tuple(Parameter(p.name, BINDINGS[int(p.kind)]) for p in signature)
        line = raw.__code__.co_firstlineno
        located = self.sources.locate(self.file, raw.__qualname__, line)
        assert located
        subject = Subject(
            Function(1, str(self.file), raw.__qualname__, line, "shop", located.kind, parameters),
            located,
            self.imports,
            self.sources,
            4096,
            self.tolerance,
        )
        given = list(arguments)
        before = nodes(given)
        printed = io.StringIO()
        with redirect_stdout(printed):
            ending, payload = outcome(raw, located.kind, parameters, given, take)
        after = nodes([payload, given])
        assert isinstance(before, values.ListNode)
        assert isinstance(after, values.ListNode)
        result, left = after.items
        assert isinstance(left, values.ListNode)
        behaviour = Behaviour(located.kind, ending, result, printed.getvalue())
        return emit.write_test(subject, before, left, behaviour)

    def text(
        self, function: Callable[..., Any], *arguments: object, take: int | None = None
    ) -> str:
        """The lines of the test below `def`."""
        test = self(function, *arguments, take=take)
        assert isinstance(test, emit.Test), test
        return inspect.cleandoc("\n" + test.text.partition("\n")[2])

    def suite(self, *tests: emit.Test | NotWritten) -> Suite:
        """A suite of tests."""
        written = tuple(test for test in tests if isinstance(test, emit.Test))
        assert len(written) == len(tests)
        return Suite("shop", "shop.py", "python shop.py", written, {"over 4 KiB": 2})

    def render(self, suite: Suite) -> str:
        """The file."""
        order = {name: one.order for name, one in self.sources.functions(self.file).items()}
        return emit.render(suite, self.imports, order)


def nodes(value: object) -> values.Node:
    return values.read(snapshot.encode(value, 1 << 20)[0])


def outcome(
    raw: Callable[..., Any],
    kind: Kind,
    parameters: tuple[Parameter, ...],
    given: list[Any],
    take: int | None,
) -> tuple[Ending, object]:
    positional: list[object] = []
    keywords: dict[str, object] = {}
    for parameter, value in zip(parameters, given, strict=True):
        match parameter.binding:
            case Binding.STAR:
                positional.extend(value)
            case Binding.KEYWORD:
                keywords[parameter.name] = value
            case Binding.DOUBLE_STAR:
                keywords.update(value)
            case _:
                positional.append(value)
    try:
        made = raw(*positional, **keywords)
        if kind is Kind.COROUTINE:
            return Ending.RETURNED, asyncio.run(made)
        if kind is Kind.ASYNC_GENERATOR:
            return Ending.YIELDED, [testing.run(made), "returned", None]
        if kind is Kind.GENERATOR and take is not None:
            return Ending.YIELDED, [testing.take(made, take), "suspended", None]
        if kind is Kind.GENERATOR:
            return Ending.YIELDED, list(testing.exhaust(made))
    except Exception as error:
        return Ending.RAISED, error
    return Ending.RETURNED, made


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Recorder]:
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    spec = importlib.util.spec_from_file_location("shop", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["shop"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield Recorder(tmp_path, module)
    del sys.modules["shop"]


# --- single tests --------------------------------------------------------------------------


def test_arguments_that_stay_as_they_are_are_guarded(record: Recorder) -> None:
    shop = record.module
    item = shop.Item("A-1", 3)
    assert record.text(shop.quote, [item], "EU", 10) == (
        'items = [Item(sku="A-1", price=3)]\n'
        "with unchanged(items=items):\n"
        '    check(quote(items, "EU", discount=10), {"region": "EU", "total": 3})'
    )


def test_the_order_of_attributes_is_no_change(record: Recorder) -> None:
    shop = record.module
    basket = shop.Basket("me")
    expected = (
        "with unchanged(self=self):\n    check(self.reorder(), None)",
        'check(self.reorder(1), None)\ncheck(self, restore(Basket, items=1, owner="me"), "self")',
    )
    for arguments, checked in zip(((), (1,)), expected, strict=True):
        text = record.text(shop.Basket.reorder, basket, arguments)
        assert text.partition("\n")[2] == checked


def test_a_tolerance_is_written_for_the_result_alone(record: Recorder) -> None:
    shop = record.module
    record.tolerance = "4 ulps"
    assert record.text(shop.settle, [2, 1]) == (
        'rows = [2, 1]\ncheck(settle(rows), None, tolerance="4 ulps")\ncheck(rows, [1, 2], "rows")'
    )
    test = record(shop.quote, [shop.Item("A-1", 0.5)], "EU", 10)
    assert isinstance(test, emit.Test)
    assert 'tolerance="4 ulps")' in test.text
    steps = take_apart(test, Kind.FUNCTION)
    assert not isinstance(steps, NotTaken)
    assert ast.unparse(steps.call) == "quote(items, 'EU', discount=10)"


def test_a_changed_argument_is_checked(record: Recorder) -> None:
    assert record.text(record.module.settle, [2, 1]) == (
        'rows = [2, 1]\ncheck(settle(rows), None)\ncheck(rows, [1, 2], "rows")'
    )


def test_a_result_that_is_part_of_an_argument_is_checked_with_it(record: Recorder) -> None:
    assert record.text(record.module.first, [[1], [2]]) == (
        "rows = [[1], [2]]\n"
        "result = first(rows)\n"
        "expected = [1]\n"
        'check((result, rows), (expected, [expected, [2]]), "(result, rows)")'
    )


def test_an_exception_is_checked_with_its_arguments_and_attributes(record: Recorder) -> None:
    shop = record.module
    assert record.text(shop.quote, (), "XX", 0) == (
        'with raises(ValueError, "unknown region: \'XX\'"):\n    quote((), "XX", discount=0)'
    )
    assert record.text(shop.quote, (), "YY", 0) == (
        'with raises(restore(ShopError, ("bad",), region="YY")):\n    quote((), "YY", discount=0)'
    )


def test_an_exception_whose_parts_share_objects_is_checked_after_the_call(
    record: Recorder,
) -> None:
    raised: list[object] = []
    assert record.text(record.module.blame, "A", raised) == (
        "raised_2 = []\n"
        "with raises() as raised:\n"
        '    blame("A", raised_2)\n'
        'item = Item(sku="A", price=1)\n'
        'check((raised, raised_2), ([ValueError(item, [item])], [item]), "(raised, raised_2)")'
    )


def test_what_is_printed_is_checked(record: Recorder) -> None:
    assert record.text(record.module.hello, "Ann") == (
        'with prints("hello Ann\\n"):\n    check(hello("Ann"), None)'
    )


def test_generators_are_driven_as_far_as_they_were(record: Recorder) -> None:
    shop = record.module
    assert record.text(shop.batches, (1, 2, 3), 2) == (
        "check(list(batches((1, 2, 3), 2)), [(1, 2), (3,)])"
    )
    assert record.text(shop.batches, (1, 2, 3), 2, take=1) == (
        "check(take(batches((1, 2, 3), 2), 1), [(1, 2)])"
    )
    assert record.text(shop.failing, (1,)) == (
        'check(exhaust(failing((1,))), ([1], "raised", KeyError("end")))'
    )
    assert record.text(shop.opened, 4) == "check(list(opened.__wrapped__(4)), [4])"


def test_long_contexts_stand_in_each_other(record: Recorder) -> None:
    """Older Pythons, and tools that are told of one, know no parentheses around several."""
    refuse = record.module.refuse
    short, long = (
        test.text
        for test in (record(refuse, ["A"]), record(refuse, ["A" * 60]))
        if isinstance(test, emit.Test)
    )
    assert '    with unchanged(values=values), raises(KeyError, "A"):\n' in short
    assert long.endswith(
        "    with unchanged(values=values):\n"
        f'        with raises(KeyError, "{"A" * 60}"):\n'
        "            refuse(values)\n"
    )


def test_coroutines_and_asynchronous_generators_are_run(record: Recorder) -> None:
    assert record.text(record.module.fetch, 2) == "check(run(fetch(2)), 4)"
    assert record.text(record.module.ticks, 2) == "check(run(ticks(2)), [0, 1])"


def test_methods_are_called_in_the_way_that_reaches_them(record: Recorder) -> None:
    shop = record.module
    basket, own = shop.Basket, 'self = Basket(owner="me")'
    special = 'self = restore(Special, items=[], owner="me")'
    total = basket.__dict__["total"]
    calls: list[tuple[str, str, str]] = [
        (record.text(basket._Basket__count, basket("me")), own, "self._Basket__count()"),
        (record.text(total.fget, basket("me")), own, "self.total"),
        (record.text(total.fget, shop.Special("me")), special, "Basket.total.fget(self)"),
        (record.text(basket.__dict__["size"], basket("me")), own, "Basket.size.func(self)"),
    ]
    for got, made, call in calls:
        assert got == f"{made}\nwith unchanged(self=self):\n    check({call}, 0)"
    assert "check(Basket.total.fset(self, 3), None)" in record.text(total.fset, basket("me"), 3)
    assert record.text(basket.tax, 3, 4, {"x": 1}) == "check(Basket.tax(3, rate=4, x=1), 12)"
    assert "check(Basket.of(1, 2), restore(Basket" in record.text(basket.of, basket, (1, 2))
    assert "Basket.of.__func__(Special)" in record.text(basket.of, shop.Special, ())


def test_a_function_called_like_a_helper_is_imported_by_another_name(record: Recorder) -> None:
    assert record.text(record.module.check, 1) == "check(shop_check(1), 1)"
    text = record.render(record.suite(record(record.module.check, 1)))
    assert "from shop import check as shop_check\n" in text


def test_the_name_of_a_test_depends_on_its_call_alone(record: Recorder) -> None:
    shop = record.module
    first, again = record(shop.settle, [2, 1]), record(shop.settle, [2, 1])
    other = record(shop.settle, [3, 1])
    assert isinstance(first, emit.Test)
    assert isinstance(other, emit.Test)
    assert first == again
    assert first.name != other.name
    assert first.name.startswith("test_settle_")


def test_what_cannot_be_written_says_why(record: Recorder) -> None:
    assert record(record.module.check, "x" * 5000) == NotWritten("over 4 KiB")
    assert record(record.module.check, {"password": "x"}) == NotWritten(
        "password looks like a secret"
    )


# --- files -----------------------------------------------------------------------------------


def test_a_file_has_the_documented_form(record: Recorder) -> None:
    shop = record.module
    text = record.render(
        record.suite(
            record(shop.settle, [2, 1]),
            record(shop.quote, (), "XX", 0),
            record(shop.quote, (shop.Item("a", shop.Decimal("1.5")),), "EU", 0),
        )
    )
    head, _, body = text.partition("\n\n\n")
    lines = head.splitlines()
    assert lines[0] == (
        '"""Replay tests for shop.py, recorded by perftrace from `python shop.py`.'
        " PYTEST_DONT_REWRITE"
    )
    assert lines[2] == (
        "Re-record after an intended change of behaviour:  perftrace replay --update shop"
    )
    assert f"{emit.UNTOUCHED}# perftrace: format=1 functions=2 cases=3" in head
    assert "omitted=2 (2 over 4 KiB) sha=" in head
    assert head.endswith(
        "from decimal import Decimal\n\n"
        "import pytest\n"
        "from perftrace.replay.testing import check, raises, unchanged\n\n"
        "from shop import Item, quote, settle\n\n"
        "pytestmark = pytest.mark.perftrace"
    )
    sections = [line for line in body.splitlines() if line.startswith("# ")]
    assert sections == [
        "# shop:quote — 2 cases; raises ValueError",
        "# shop:settle — 1 case; checks rows too",
    ]


def test_a_file_is_read_as_it_was_written(record: Recorder) -> None:
    suite = record.suite(record(record.module.settle, [2, 1]), record(record.module.check, 1))
    text = record.render(suite)
    parsed = emit.parse(text)
    assert isinstance(parsed, Parsed)
    assert not parsed.edited
    assert set(parsed.suite.tests) == set(suite.tests)
    record.imports = parsed.imports
    assert record.render(parsed.suite) == text


def test_an_edit_by_hand_is_noticed(record: Recorder) -> None:
    text = record.render(record.suite(record(record.module.settle, [2, 1])))
    parsed = emit.parse(text.replace("[1, 2]", "[1, 2, 3]"))
    assert isinstance(parsed, Parsed)
    assert parsed.edited


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<<<<<<< HEAD\n", "line 1 does not parse"),
        ("x = 1\n", "not a file of replay tests"),
    ],
)
def test_a_file_that_is_none_says_why(text: str, reason: str) -> None:
    parsed = emit.parse(text)
    assert isinstance(parsed, NotParsed)
    assert reason in parsed.reason


def test_the_files_pass_pytest_and_no_formatter_touches_them(record: Recorder) -> None:
    shop = record.module
    suite = record.suite(
        record(shop.settle, [2, 1]),
        record(shop.quote, (shop.Item("A" * 70, shop.Decimal("1.5")),) * 2, "EU", 0),
        record(shop.failing, (1,)),
        record(shop.refuse, ["A" * 60]),
        record(shop.blame, "A", []),
        record(shop.fetch, 2),
        record(shop.Basket.add, shop.Basket("me"), shop.Item("a", 1), 2),
    )
    folder = Folder(record.root, record.root / "tests" / "replay")
    path = folder.path / suite.filename
    write(path, record.render(suite))
    folder.write_conftest({"shop": record.root})
    strict = ["--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-q"]
    commands = [
        [sys.executable, "-m", "pytest", *strict, str(folder.path)],
        [sys.executable, "-m", "ruff", "format", "--check", str(folder.path)],
        [sys.executable, "-m", "ruff", "check", str(folder.path)],
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select=ALL", str(folder.path)],
        [sys.executable, "-m", "mypy", "--strict", *map(str, sorted(folder.path.glob("*.py")))],
    ]
    for command in commands:
        done = subprocess.run(
            command, cwd=record.root.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


# --- reviewing ---------------------------------------------------------------------------------


def reviewer(record: Recorder) -> Reviewer:
    bench = Bench(Path(sys.executable), record.root, {"shop": record.root})
    return Reviewer(bench, Sources([str(record.root), *sys.path]), 4096)


def test_a_review_tells_what_still_holds_and_what_does_not(record: Recorder) -> None:
    shop = record.module
    tests = [
        record(shop.settle, [2, 1]),
        record(shop.failing, (1,)),
        record(shop.first, [[1], [2]]),
        record(shop.fetch, 2),
        record(shop.quote, (), "EU", 0),
        record(shop.check, shop.Item("a", 1)),
        record(shop.Basket.add, shop.Basket("me"), shop.Item("a", 1), 2),
    ]
    suite = record.suite(*tests)
    names = dict(
        zip(
            ["settle", "failing", "first", "fetch", "quote", "check", "add"],
            suite.tests,
            strict=True,
        )
    )
    found = reviewer(record).review(suite, record.imports, suite.tests)
    assert all(isinstance(finding, Holds) for finding in found.values()), found
    text = SHOP.replace("rows.sort()", "rows.sort(reverse=True)")
    text = text.replace('raise KeyError("end")', "return 7").replace("x * 2", "hash(str(x))")
    text = text.replace("def first", "def primary").replace("class Item", "class Thing")
    record.file.write_text(text)
    found = reviewer(record).review(suite, record.imports, suite.tests)
    changed = found[names["settle"].name]
    assert isinstance(changed, Changed)
    assert "check(rows, [2, 1]" not in changed.test.text
    ended = found[names["failing"].name]
    assert isinstance(ended, Changed)
    assert 'check(exhaust(failing((1,))), ([1], "returned", 7))' in ended.test.text
    gone = found[names["first"].name]
    assert isinstance(gone, Orphaned)
    assert "shop has no first any more" in gone.reason
    random = found[names["fetch"].name]
    assert isinstance(random, Unclear)
    assert "hash seed" in random.reason
    unimportable = found[names["check"].name]
    assert isinstance(unimportable, Unclear)
    assert "cannot import name 'Item'" in unimportable.reason
    assert isinstance(found[names["quote"].name], Holds)


def test_what_is_raised_is_told_where_it_is_checked_after_the_call(record: Recorder) -> None:
    shop = record.module
    suite = record.suite(record(shop.blame, "A", []))
    text = record.render(suite)
    assert "# shop:blame — 1 case; raises ValueError; checks raised_2 too\n" in text
    assert "ends with ValueError" in shapes(suite.tests[0])
    found = reviewer(record).review(suite, record.imports, suite.tests)
    assert isinstance(found[suite.tests[0].name], Holds)
    record.file.write_text(
        SHOP.replace("ValueError(item, [item])", "ValueError(item, [Item(sku, 1)])")
    )
    found = reviewer(record).review(suite, record.imports, suite.tests)
    changed = found[suite.tests[0].name]
    assert isinstance(changed, Changed)
    assert "    with raises(ValueError, Item(sku=" in changed.test.text


def test_a_new_test_may_get_other_variables_when_more_is_imported(record: Recorder) -> None:
    shop = record.module
    first = record(shop.twice, "a")
    second = record(shop.item, "a")  # which is imported, under the name of the first's variable
    suite = record.suite(first, second)
    first = suite.tests[0]
    assert "    item = Item(" in first.text
    found = reviewer(record).review(suite, record.imports, suite.tests, {first.name})
    held = found[first.name]
    assert isinstance(held, Holds)
    assert "    item_2 = Item(" in held.test.text
    written = reviewer(record).review(suite, record.imports, suite.tests)
    assert isinstance(written[first.name], Holds)  # it passes under the old names too
    longer = "made = Item(name, 1000)"  # byte code of the same second is told by the size
    record.file.write_text(SHOP.replace("made = Item(name, 1)", longer))
    found = reviewer(record).review(suite, record.imports, suite.tests, {first.name})
    assert isinstance(found[first.name], Changed)


def test_a_call_keeps_its_name_when_more_is_imported(record: Recorder) -> None:
    shop = record.module
    one, other = shop.Item("a", 1), shop.Item("a", 1)
    first = record.suite(record(shop.check, [one, one, other, other])).tests[0]
    record(shop.item, "a")  # which is imported, under the name of the first's variable
    later = record.suite(record(shop.check, [one, one, other, other])).tests[0]
    assert "    item = Item(" in first.text
    assert "    item = Item(" not in later.text
    assert later.name == first.name
    another = record.suite(record(shop.check, [one, other, one, other])).tests[0]
    assert another.name != first.name


def test_what_the_tests_notice_is_said_and_read_again(record: Recorder) -> None:
    shop = record.module
    suite = record.suite(record(shop.settle, [2, 1]), record(shop.check, 1))
    scores = {"settle": emit.Score(3, 4), "check": emit.Score(5, 5), "gone": emit.Score(0, 9)}
    text = record.render(dataclasses.replace(suite, scores=scores))
    assert " cases=2 mistakes=8/9 omitted=2 (2 over 4 KiB) sha=" in text
    assert "# shop:settle — 1 case; checks rows too; notices 3 of 4 small mistakes\n" in text
    parsed = emit.parse(text)
    assert isinstance(parsed, emit.Parsed)
    assert not parsed.edited
    assert parsed.suite.scores == {"settle": emit.Score(3, 4), "check": emit.Score(5, 5)}
    assert record.render(parsed.suite) == text


def test_without_a_score_nothing_is_said_of_mistakes(record: Recorder) -> None:
    assert "mistakes" not in record.render(record.suite(record(record.module.settle, [2, 1])))


def test_names_that_pytest_would_collect_get_others() -> None:
    imports = Imports()
    assert imports.use("shop.runner", "TestRunner") == "_TestRunner"
    assert imports.use("shop.runner", "TestRunner.Inner") == "_TestRunner.Inner"
    assert imports.use("shop.runner", "test_speed") == "_test_speed"
    assert imports.use("testing", "check") == "_testing_check"
    assert "from shop.runner import TestRunner as _TestRunner\n" in imports.render("_TestRunner")
    assert imports.use("shop", "Contest") == "Contest"
