import importlib
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replaying import STARTS, Program, after, items, parts, payload, started

from perftrace import values
from perftrace.model import Ending, Kind
from perftrace.replay.requests import Overlay, Replayed, Request, Target
from perftrace.snapshot import encode


@pytest.fixture(params=STARTS)
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    with started(Program(tmp_path), request.param) as made:
        yield made


@pytest.fixture
def load(program: Program, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the program here, to make arguments of its classes."""
    monkeypatch.syspath_prepend(str(program.folder))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "").startswith(str(program.folder)):
            del sys.modules[name]


# --- calling -------------------------------------------------------------------------------


def test_it_binds_arguments_as_the_parameters_say(program: Program) -> None:
    program.write("m.py", "def f(a, /, b, *rest, key, **kw):\n    return [a, b, rest, key, kw]\n")
    with program.session() as session:
        reply = session.call(program.request("m.py:f", 1, 2, (3, 4), 5, {"six": 6, "a": 7}))
    assert payload(reply) == "[1, 2, (3, 4), 5, {'six': 6, 'a': 7}]"


def test_the_outcome_holds_the_arguments_as_the_call_left_them(program: Program) -> None:
    program.write("m.py", "def f(rows, n):\n    rows.append(n)\n    return rows\n")
    with program.session() as session:
        reply = session.call(program.request("m.py:f", [1], 2))
    result, arguments = parts(reply)
    assert after(reply) == "[[1, 2], None]"
    assert isinstance(arguments, values.ListNode)
    assert arguments.items[0] is result  # one object in the program, one node here


def test_what_becomes_of_keyword_arguments_is_seen(program: Program) -> None:
    program.write("m.py", "def f(n, **kw):\n    kw.pop('a')\n    kw['b'].append(n)\n    f and 1\n")
    with program.session() as session:
        replies = [
            session.call(program.request("m.py:f", 1, {"a": 1, "b": []}), lines=True)
            for _ in range(2)
        ]
    assert [after(reply) for reply in replies] == ["[None, {'b': [1]}]"] * 2


def test_each_call_gets_a_fresh_copy_of_its_arguments(program: Program) -> None:
    program.write("m.py", "def f(rows):\n    rows.append(0)\n    return len(rows)\n")
    with program.session() as session:
        request = program.request("m.py:f", [1])
        assert [payload(session.call(request)) for _ in range(3)] == ["2", "2", "2"]


def test_methods_get_self_and_super_works(program: Program, load: Callable[[str], Any]) -> None:
    program.write(
        "shop.py",
        """
        class Base:
            def price(self, n):
                self.seen = n
                return self.each * n

        class Item(Base):
            def price(self, n):
                return super().price(n) + 1
        """,
    )
    item = load("shop").Item()
    item.each = 3
    with program.session() as session:
        reply = session.call(program.request("shop.py:Item.price", item, 5))
        inherited = session.call(program.request("shop.py:Base.price", item, 5))
    assert payload(reply) == "16"
    assert "seen=5" in after(reply).replace("'seen': ", "seen=")
    assert payload(inherited) == "15"


def test_properties_class_methods_and_static_methods_are_found_by_name(
    program: Program, load: Callable[[str], Any]
) -> None:
    program.write(
        "m.py",
        """
        from functools import cached_property

        class K:
            factor = 2
            @property
            def size(self):
                return self._size
            @size.setter
            def size(self, value):
                self._size = value * 2
            @classmethod
            def scaled(cls, n):
                return cls.factor * n
            @staticmethod
            def plain(n):
                return n + 1
            @cached_property
            def slow(self):
                return self._size + 100
            def __hidden(self):
                return "private"
        """,
    )
    module = load("m")
    one = module.K()
    one.size = 4
    with program.session() as session:
        assert payload(session.call(program.request("m.py:K.size", one, line=6))) == "8"
        setter = session.call(program.request("m.py:K.size", one, 5, line=9))
        assert payload(setter) == "None"
        assert "10" in after(setter)
        assert payload(session.call(program.request("m.py:K.scaled", module.K, 5))) == "10"
        assert payload(session.call(program.request("m.py:K.plain", 5))) == "6"
        assert payload(session.call(program.request("m.py:K.slow", one))) == "108"
        assert payload(session.call(program.request("m.py:K.__hidden", one))) == "'private'"


def test_functions_behind_decorators_are_called_raw(program: Program) -> None:
    program.write(
        "m.py",
        """
        import functools

        def plain(function):
            def wrapper(*args):
                return ("wrapped", function(*args))
            return wrapper

        def kept(function):
            @functools.wraps(function)
            def wrapper(*args):
                return ("wrapped", function(*args))
            return wrapper

        @plain
        def one(n):
            return n + 1

        @kept
        def two(n):
            return n + 2

        @functools.lru_cache
        def three(n):
            return n + 3

        HIDDEN = []
        @HIDDEN.append
        def four(n):
            return n + 4
        """,
    )
    with program.session() as session:
        found = {
            name: payload(session.call(program.request(f"m.py:{name}", 10)))
            for name in ("one", "two", "three", "four")
        }
    assert found == {"one": "11", "two": "12", "three": "13", "four": "14"}


def test_a_decorator_that_the_overlay_adds_takes_part_in_the_call(program: Program) -> None:
    file = program.write(
        "m.py", "CALLS = []\ndef f(n):\n    CALLS.append(n)\n    return len(CALLS)\n"
    )
    request = program.request("m.py:f", 1)
    source = "import functools\n" + file.read_text().replace("def f", "@functools.cache\ndef f")
    decorated = Request(
        Target(str(file), "f", 2, "m", decorated=True),
        request.arguments,
        request.kind,
        request.parameters,
    )
    with program.session(overlay=Overlay({str(file): source})) as session:
        assert [payload(session.call(decorated)) for _ in range(3)] == ["1", "1", "1"]
        assert payload(session.call(request)) == "2"


# --- endings -------------------------------------------------------------------------------


def test_exceptions_are_outcomes_with_their_arguments(program: Program) -> None:
    program.write(
        "m.py",
        """
        import sys

        class Refused(Exception):
            def __init__(self, code, text):
                super().__init__(text)
                self.code = code

        def f(n):
            if n == 1:
                raise Refused(7, "no")
            if n == 2:
                sys.exit(3)
            if n == 3:
                return f(3)
            return {}[n]
        """,
    )
    with program.session() as session:
        replies = [session.call(program.request("m.py:f", n)) for n in (0, 1, 2, 3)]
    assert all(isinstance(reply, Replayed) and reply.ending is Ending.RAISED for reply in replies)
    shown = [payload(reply) for reply in replies]
    assert shown[0] == "KeyError(0)"
    assert "Refused" in shown[1]
    assert "code=7" in shown[1]
    assert shown[2].startswith("SystemExit(3")
    assert shown[3].startswith("RecursionError(")


GENERATORS = """
    import types

    def count(n):
        for i in range(n):
            yield [i]
        return "end"

    def fails(rows):
        try:
            yield 1
            raise ValueError("late")
        finally:
            rows.append("closed")

    async def slow(n):
        return n * 2

    @types.coroutine
    def old(n):
        yield
        return n

    async def ticks(n):
        for i in range(n):
            yield i
"""


def test_generators_are_exhausted_and_each_item_kept_as_it_was_yielded(program: Program) -> None:
    program.write("m.py", GENERATORS)
    with program.session() as session:
        whole = session.call(program.request("m.py:count", 3))
        failing = session.call(program.request("m.py:fails", []))
    assert isinstance(whole, Replayed)
    assert whole.ending is Ending.YIELDED
    assert items(whole) == (["[0]", "[1]", "[2]"], "returned", "'end'")
    assert items(failing) == (["1"], "raised", "ValueError('late')")
    assert after(failing) == "[['closed']]"


def test_a_generator_that_was_left_off_is_pulled_only_as_far(program: Program) -> None:
    program.write("m.py", GENERATORS)
    with program.session() as session:
        off = session.call(program.request("m.py:count", 9, pull=2, rest="suspended"))
        closed = session.call(program.request("m.py:fails", [], pull=1, rest="suspended"))
        endless = session.call(program.request("m.py:count", 10**9))
    assert items(off) == (["[0]", "[1]"], "suspended", "None")
    assert after(closed) == "[['closed']]"
    shown, how, _ = items(endless)
    assert (len(shown), how) == (1000, "truncated")


def test_coroutines_are_awaited_and_async_generators_exhausted(program: Program) -> None:
    program.write("m.py", GENERATORS)
    with program.session() as session:
        assert payload(session.call(program.request("m.py:slow", 21))) == "42"
        old = replace(program.request("m.py:old", 7), kind=Kind.COROUTINE)
        assert payload(session.call(old)) == "7"
        assert items(session.call(program.request("m.py:ticks", 2))) == (
            ["0", "1"],
            "returned",
            "None",
        )


# --- the program ---------------------------------------------------------------------------


def test_the_script_is_loaded_under_its_own_name_and_never_run(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.main_file = program.write(
        "app.py",
        """
        class Item:
            def twice(self):
                return Item.of(self.n * 2)
            @classmethod
            def of(cls, n):
                one = cls()
                one.n = n
                return one

        if __name__ == "__main__":
            raise SystemExit("the script ran")
        """,
    )
    main = types.ModuleType("__main__")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "__main__", main)
        with pytest.raises(SystemExit):
            exec(program.main_file.read_text(), vars(main))
        request = program.request("app.py:Item.twice", vars(main)["Item"].of(4))
    with program.session() as session:
        reply = session.call(request)
        assert session.main_alias == {"__main__": "app", "__mp_main__": "app"}
    result = parts(reply)[0]
    assert isinstance(result, values.InstanceNode)
    assert isinstance(result.cls, values.RefNode)
    assert (result.cls.module, result.cls.qualname) == ("app", "Item")
    assert result.attributes == {"n": 8}


def test_a_script_named_like_another_module_gets_a_private_name(program: Program) -> None:
    program.main_file = program.write("scripts/json.py", "def f(n):\n    return n\n")
    with program.session() as session:
        assert payload(session.call(program.request("scripts/json.py:f", 1))) == "1"
        assert session.main_alias["__main__"] == "_perftrace_main_json"


def test_a_program_started_with_m_goes_by_its_modules_name(program: Program) -> None:
    program.write("pkg/__init__.py", "")
    program.main_file = program.write("pkg/tool.py", "def f(n):\n    return __name__\n")
    program.main_module = "pkg.tool"
    with program.session() as session:
        assert payload(session.call(program.request("pkg/tool.py:f", 1))) == "'pkg.tool'"
        assert session.main_alias["__main__"] == "pkg.tool"


def test_the_worker_sees_the_recorded_path_and_folder_and_little_of_the_environment(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    program.write(
        "m.py",
        """
        import os, sys
        def f():
            return [os.getcwd(), sys.path[0], "SECRET_TOKEN" in os.environ, sys.argv,
                    "perftrace" in sys.modules]
        """,
    )
    with program.session() as session:
        reply = session.call(program.request("m.py:f"))
    folder = str(program.folder)
    assert payload(reply) == values.show(
        values.read(encode([folder, folder, False, [""], False], 999)[0])
    )


def test_random_numbers_are_the_same_in_every_call(program: Program) -> None:
    program.write("m.py", "import random\ndef f():\n    return random.random()\n")
    with program.session() as session:
        first, second = (payload(session.call(program.request("m.py:f"))) for _ in range(2))
    assert first == second


# --- generated calls -----------------------------------------------------------------------


def test_calls_like_recorded_ones_are_generated_alike_each_time(program: Program) -> None:
    program.write("m.py", "def f(rows, name):\n    return [len(rows), name]\n")
    requests = [
        program.request("m.py:f", [("a", 1), ("b", 2)], "x"),
        program.request("m.py:f", [("c", 3)], "y"),
    ]
    found = []
    for hash_seed in (1, 2):
        with program.session(hash_seed=hash_seed) as session:
            made = session.amplify(requests, 50, 7)
            assert isinstance(made, list)
            found.append(made)
            again = replace(requests[0], arguments=made[0])
            assert isinstance(session.call(again), Replayed)
    assert found[0] == found[1]
    assert len(set(found[0])) == len(found[0]) == 50
    assert not {request.arguments for request in requests} & set(found[0])


@pytest.mark.parametrize(
    ("body", "implicit"),
    [
        ("raise ValueError(n)", False),
        ("assert not n, 'no'", False),
        ("return 1 // (n - n)", True),
        ("return {}[n]", True),
        ("return int('x')", True),
        ("helper(n)", False),
        ("return n", False),
    ],
)
def test_an_error_of_an_operation_is_told_from_one_that_is_raised(
    program: Program, body: str, implicit: bool
) -> None:
    text = f"def helper(n):\n    raise KeyError(n)\ndef f(n):\n    {body}\n"
    program.write("m.py", text + f"def g(n):\n    yield 1\n    {body}\n")
    with program.session() as session:
        for name in ("f", "g"):
            reply = session.call(program.request(f"m.py:{name}", 3))
            assert isinstance(reply, Replayed)
            assert reply.implicit is implicit


@pytest.mark.parametrize(
    ("body", "alike"),
    [
        ("yield [1]\n    yield [1]", ""),
        ("yield 'a'\n    yield 'a'", ""),
        ("part = []\n    yield part\n    yield part", "items 1 are an earlier one again"),
        ("part = []\n    yield part\n    part.append(1)", "items 0 are changed later"),
    ],
)
def test_items_that_share_an_object_or_change_later_are_told(
    program: Program, body: str, alike: str
) -> None:
    program.write("m.py", f"def f(n):\n    {body}\n")
    with program.session() as session:
        reply = session.call(program.request("m.py:f", 3))
    assert isinstance(reply, Replayed)
    assert reply.alike == alike


def test_what_a_call_changes_in_globals_is_told_where_it_is_asked_for(program: Program) -> None:
    program.write("m.py", "SEEN = []\ndef f(n):\n    SEEN.append(n)\n")
    request = program.request("m.py:f", 3)
    with program.session() as session:
        first = session.call(request, state=True)
        unasked = session.call(request)
        third = session.call(request, state=True)
    assert isinstance(first, Replayed)
    assert isinstance(unasked, Replayed)
    assert isinstance(third, Replayed)
    assert unasked.state is None
    assert first.state is not None
    assert third.state is not None
    assert list(first.state) == list(third.state) == ["m.SEEN"]
    assert values.show(values.read(first.state["m.SEEN"])) == "[[3], None]"
    assert values.show(values.read(third.state["m.SEEN"])) == "[[3, 3, 3], None]"
