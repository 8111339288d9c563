"""What a call does around itself is told by the worker: each effect under a name of its own."""

import re
from pathlib import Path

import pytest
from replaying import Program

from perftrace import values
from perftrace.replay.requests import Replayed

# Each is the body of `f(n)`, and what is told of it: names, and a part of what they show.
EFFECTS: dict[str, tuple[str, dict[str, str]]] = {
    "nothing": ("return [n]", {}),
    "a record that no handler prints": (
        "LOG.info('a %s', [n])",
        {"log record 1": "('m', 20, 'a %s', ([1],))"},
    ),
    "a record of a disabled level, through an adapter": (
        "logging.LoggerAdapter(LOG, {}).debug('a')",
        {"log record 1": "('m', 10, 'a', ())"},
    ),
    "a record of an enabled level": (
        "logging.getLogger('quiet').error('b %d', n)",
        {"log record 1": "('quiet', 40, 'b %d', (1,))"},
    ),
    "a record with an exception": (
        "try:\n        n / 0\n    except ZeroDivisionError:\n"
        "        logging.getLogger('quiet').exception('c')",
        {"log record 1": "('quiet', 40, 'c', (), 'ZeroDivisionError')"},
    ),
    "a record with something that can't be compared": (
        "LOG.info('%s', memoryview(b'a'))",
        {"log record 1": "('a builtins.memoryview',)"},
    ),
    "two records": (
        "LOG.info('a'); LOG.info('b')",
        {"log record 1": "'a'", "log record 2": "'b'"},
    ),
    "very many records": (
        "for i in range(300): LOG.info('a %d', i)",
        {"log record 1": "(0,)", "log record 200": "(199,)", "number of log records": "300,"},
    ),
    "a warning that is printed": (
        "warnings.warn('w')",
        {"warning 1": "('builtins.UserWarning', 'w')"},
    ),
    "a warning that is not": (
        "warnings.warn('old', PendingDeprecationWarning)",
        {"warning 1": "('builtins.PendingDeprecationWarning', 'old')"},
    ),
    "a warning twice from one place": (
        "for _ in range(2): warnings.warn('w')",
        {"warning 1": "w", "warning 2": "w"},
    ),
    "a warning of the interpreter": ("eval('1 is 1')", {"warning 1": "SyntaxWarning"}),
    "an environment variable set": ("os.environ['A_NAME'] = 'v'", {"os.environ": "'A_NAME': 'v'"}),
    "an environment variable removed": (
        "os.environ.pop('TMPDIR')",
        {"os.environ": "'TMPDIR': 'removed'", "environment variables asked for": "TMPDIR"},
    ),
    "an environment variable read": (
        "os.environ.get('HOME'); os.getenv('HOME')",
        {"environment variables asked for": "['HOME']"},
    ),
    "another folder": ("os.chdir('/')", {"the current folder": "'/'"}),
    "a recursion limit": ("sys.setrecursionlimit(4321)", {"sys.getrecursionlimit()": "4321"}),
    "a switch interval": ("sys.setswitchinterval(0.5)", {"sys.getswitchinterval()": "0.5"}),
    "no collector": ("gc.disable()", {"gc.isenabled()": "False"}),
    "its thresholds": ("gc.set_threshold(5, 6, 7)", {"gc.get_threshold()": "[5, 6"}),
    "a path": ("sys.path.append('/x')", {"sys.path": "'/x'"}),
    "a signal handler": (
        "signal.signal(signal.SIGUSR1, lambda *a: None)",
        {"signal handlers": "m.f.<locals>.<lambda>"},
    ),
    "a blocked signal": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})",
        {"blocked signals": "[12]"},
    ),
    "a built-in": ("builtins.bin = max", {"builtins": "'bin': 'builtins.max'"}),
    "a new built-in": ("builtins.stash = [n]", {"builtins": "'stash': [1]"}),
    "a module": (
        "sys.modules['fresh_one'] = threading",
        {"sys.modules": "'fresh_one': 'imported'"},
    ),
    "another module in place of one": (
        "sys.modules['json'] = threading",
        {"sys.modules": "'json': 'a builtins.module'"},
    ),
    "a module of the standard library": ("import colorsys", {}),
    "precision": ("decimal.getcontext().prec = 9", {"the decimal context": "[9,"}),
    "a profile hook": ("sys.setprofile(lambda *a: None)", {"sys.getprofile()": "m.f.<locals>"}),
    "a trace hook": ("sys.settrace(lambda *a: None)", {"sys.gettrace()": "m.f.<locals>"}),
    "a hook for threads": ("threading.settrace(f)", {"hooks of threads": "m.f"}),
    "a tool of sys.monitoring": (
        "sys.monitoring.use_tool_id(1, 'mine')",
        {"sys.monitoring": "'mine'"},
    ),
    "a context variable": ("VARIABLE.set(n)", {"context variables": "['variable', 1]"}),
    "a filter for warnings": (
        "warnings.simplefilter('error')",
        {"warnings.filters": "['error', None, 'builtins.Warning'"},
    ),
    "an exit handler": ("atexit.register(print)", {"exit handlers": ""}),
    "stdout": ("sys.stdout = io.StringIO()", {"sys.stdin, stdout, stderr": "a _io.StringIO"}),
    "a thread that goes on": (
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        {"threads left behind": "1"},
    ),
    "a thread that ends": ("t = threading.Thread(target=f.__repr__); t.start()", {}),
    "an open file": ("KEPT.append(open(__file__))", {"open files left behind": "m.py"}),
    "a pipe": ("KEPT.extend(os.pipe())", {"open files left behind": "['pipe', 'pipe']"}),
    "a file that is closed": ("open(__file__).close()", {}),
    "a file that waits to be collected": ("loop = [open(__file__)]; loop.append(loop)", {}),
    "a file of its own": (
        "open(os.path.join(tempfile.gettempdir(), 'out'), 'w').write('x')",
        {"files written": "['out', '-rw-r--r--', '1 bytes, "},
    ),
    "a file of a random name": (
        "os.close(tempfile.mkstemp()[0])",
        {"files written": "['tmp*', '-rw-------', '0 bytes, "},
    ),
    "a file that is removed again": ("tempfile.TemporaryFile(buffering=0).close()", {}),
    "clocks": (
        "time.time(); ask(); datetime.datetime.now()",
        {"clocks and entropy asked": "['time.time', 'time.perf_counter', 'datetime.now']"},
    ),
    "clocks of the standard library": ("queue.Queue().empty(); LOG.isEnabledFor(20)", {}),
    "entropy": (
        "uuid.uuid4(); secrets.token_hex(2); os.urandom(1)",
        {"clocks and entropy asked": "['os.urandom', 'os.urandom', 'os.urandom']"},
    ),
}
PROGRAM = """
import atexit, builtins, contextvars, datetime, decimal, gc, io, json, logging, os, queue, secrets
import signal, sys, tempfile, threading, time, uuid, warnings
from time import perf_counter as ask
LOG = logging.getLogger(__name__)
logging.getLogger('quiet').addHandler(logging.NullHandler())
logging.getLogger('quiet').propagate = False
VARIABLE = contextvars.ContextVar('variable')
KEPT = []
tempfile.gettempdir()
tempfile.mktemp()
def f(n):
    {body}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def told(program: Program, body: str, calls: int = 1) -> dict[str, str]:
    """What the worker tells of the last of these calls, but for the program's globals."""
    program.write("m.py", PROGRAM.format(body=body))
    request = program.request("m.py:f", 1)
    with program.session() as session:
        reply = [session.call(request, state=True) for _ in range(calls)][-1]
    assert isinstance(reply, Replayed), reply
    assert reply.state is not None
    shown = {name: values.show(values.read(blob), 4000) for name, blob in reply.state.items()}
    return {name: text for name, text in shown.items() if "m." not in name}


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_told_by_its_name(program: Program, name: str) -> None:
    body, expected = EFFECTS[name]
    found = told(program, body)
    if len(found) > 3:
        found = {one: text for one, text in found.items() if one in expected}
    assert found.keys() == expected.keys(), found
    for one, part in expected.items():
        assert part in found[one]


@pytest.mark.parametrize("name", [name for name, (_, names) in EFFECTS.items() if not names])
def test_a_call_without_effects_has_none_the_next_time(program: Program, name: str) -> None:
    assert told(program, EFFECTS[name][0], 3) == {}


def test_what_stays_as_the_call_before_left_it_is_not_told_again(program: Program) -> None:
    assert told(program, "sys.setrecursionlimit(4321); os.environ['A'] = 'b'", 2) == {}


def test_a_setting_that_each_call_changes_is_told_each_time(program: Program) -> None:
    found = told(program, "sys.setrecursionlimit(sys.getrecursionlimit() + 1)", 3)
    assert found.keys() == {"sys.getrecursionlimit()"}


def test_the_folder_is_the_same_at_the_start_of_each_call(program: Program) -> None:
    assert told(program, "os.chdir('/')", 2) == {"the current folder": "['/', None]"}


def test_a_file_written_by_one_call_and_then_by_the_next_is_told(program: Program) -> None:
    body = "print(1, file=open(os.path.join(tempfile.gettempdir(), 'out'), 'a'))"
    assert "4 bytes" in told(program, body, 2)["files written"]


def test_a_result_that_the_next_call_changes_is_told(program: Program) -> None:
    found = told(program, "KEPT[:] = [len(KEPT)]; KEPT.append(n); return KEPT", 2)
    assert found.pop("results of earlier calls") == "[['that of 1 calls before was changed'], None]"
    assert found == {}


def test_one_of_three_results_in_turns_is_told_in_the_end(program: Program) -> None:
    body = (
        "KEPT.append(KEPT[-3] if len(KEPT) > 2 else []); "
        "KEPT[-1].append(len(KEPT)); return KEPT[-1]"
    )
    assert told(program, body, 3) == {}
    found = told(program, body, 4)["results of earlier calls"]
    assert found == "[['that of 3 calls before was changed'], None]"


def test_an_argument_that_is_changed_later_is_told(program: Program) -> None:
    program.write(
        "m.py",
        """
        LAST = []
        def f(rows):
            for one in LAST:
                one.append(1)
            LAST[:] = [rows]
        """,
    )
    request = program.request("m.py:f", [5])
    with program.session() as session:
        session.call(request, state=True)
        reply = session.call(request, state=True)
    assert isinstance(reply, Replayed)
    assert "results of earlier calls" in (reply.state or {})


def test_a_printed_warning_has_no_line_number(program: Program) -> None:
    program.write("m.py", "import warnings\ndef f():\n    warnings.warn('w')\n")
    with program.session() as session:
        replies = [session.call(program.request("m.py:f"), state=state) for state in (True, False)]
    texts = [reply.stderr if isinstance(reply, Replayed) else "" for reply in replies]
    assert texts[0] == "UserWarning: w\n"
    assert re.search(r"m\.py:3: UserWarning", texts[1])  # where nothing is compared: as ever


def test_what_a_program_does_about_warnings_goes_on_working(program: Program) -> None:
    program.write(
        "m.py",
        """
        import warnings
        def caught(n):
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                warnings.warn("w")
            return [str(one.message) for one in found]
        def raised(n):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.warn("w")
        """,
    )
    with program.session() as session:
        caught = session.call(program.request("m.py:caught", 1), state=True)
        raised = session.call(program.request("m.py:raised", 1), state=True)
    assert isinstance(caught, Replayed)
    assert isinstance(raised, Replayed)
    assert values.show(values.read(caught.result)) == "[['w'], [None]]"
    assert (raised.ending, raised.state) == ("raised", {})


def test_a_repeated_call_tells_what_the_second_one_returned(program: Program) -> None:
    program.write(
        "m.py",
        """
        import functools
        @functools.lru_cache
        def kept(n):
            return ([n], {"a": [n]})
        def cached(n):
            return kept(n)
        def fresh(n):
            return ([n], {"a": [n]})
        """,
    )
    with program.session() as session:
        replies = [
            session.call(program.request(f"m.py:{name}", 1), repeat=True)
            for name in ("fresh", "cached")
        ]
    shown = [values.show(values.read(r.result), 999) for r in replies if isinstance(r, Replayed)]
    assert shown[0] == "[([1], {'a': [1]}), [None]]"
    assert shown[1].count("changed by perftrace") >= 3
