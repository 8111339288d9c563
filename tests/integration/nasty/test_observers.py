"""Programs that watch themselves, or use what the recorder uses, run recorded as they do plain."""

import subprocess
import sys
from pathlib import Path

import pytest
from twice import ENTRY, PYTHON, Program, outcome, run_twice, split

SPIN = """
import sys, time
def spin(n):
    return n + 1
def busy(seconds=0.15):
    end = time.monotonic() + seconds
    while time.monotonic() < end: spin(1)
m = sys.monitoring
E = m.events
"""

PROGRAMS: dict[str, Program | str] = {
    "a trace function and a profiler": """
import sys
seen = []
def trace(frame, event, arg):
    seen.append((event, frame.f_code.co_name, frame.f_lineno))
    return trace
def f(n):
    m = n + 1
    return m
sys.settrace(trace); f(1); f(2); sys.settrace(None)
print([s for s in seen if s[1] in ('f', '<module>')])
def profile(frame, event, arg):
    if frame.f_code.co_name == 'f': seen.append(event)
seen.clear(); sys.setprofile(profile); f(3); sys.setprofile(None)
print(seen)
import cProfile
print(cProfile.Profile().runcall(f, 4))
""",
    "a trace function that raises or changes lines": """
import sys
def f(n):
    m = n
    m = m + 1
    return m
def angry(frame, event, arg):
    if frame.f_code is f.__code__: raise ValueError(event)
    return angry
sys.settrace(angry)
try: f(1)
except ValueError as error: print(error, sys.gettrace())
first = f.__code__.co_firstlineno
def jump(frame, event, arg):
    if frame.f_code is f.__code__ and event == 'line' and frame.f_lineno == first + 2:
        frame.f_trace = None; frame.f_lineno += 1
    return jump
sys.settrace(jump); print(f(1)); sys.settrace(None)
""",
    "all that cProfile saw": SPIN
    + """
import cProfile, pstats
profile = cProfile.Profile(); profile.enable(); busy(); profile.disable()
print(sorted(name for _, _, name in pstats.Stats(profile).stats))
""",
    "a tool of its own": SPIN
    + """
print([m.get_tool(i) for i in range(3)])
m.use_tool_id(1, 'mine')
seen = set()
for event in (E.PY_START, E.PY_RETURN, E.CALL, E.RAISE, E.PY_UNWIND):
    m.register_callback(1, event, lambda code, *rest: seen.add(code.co_name))
m.set_events(1, E.PY_START | E.PY_RETURN | E.CALL | E.RAISE | E.PY_UNWIND)
busy(); m.restart_events(); busy()
m.set_events(1, 0)
print(sorted(seen))
m.free_tool_id(1)
""",
    "coverage by lines": SPIN
    + """
m.use_tool_id(m.COVERAGE_ID, 'coverage')
lines = set()
def line(code, number):
    if code.co_filename == __file__: lines.add(number)
    return m.DISABLE
m.register_callback(m.COVERAGE_ID, E.LINE, line); m.set_events(m.COVERAGE_ID, E.LINE)
def branch(n):
    if n: return 1
    return 2
branch(1); busy(0.1); first = sorted(lines); lines.clear()
m.restart_events(); branch(0); m.set_events(m.COVERAGE_ID, 0)
print(first, sorted(lines))
""",
    "a tool that restarts events again and again": SPIN
    + """
m.use_tool_id(2, 'profiler')
count = 0
def start(code, at):
    global count
    count += code is spin.__code__
    return m.DISABLE
m.register_callback(2, E.PY_START, start); m.set_events(2, E.PY_START)
for n in range(3000): spin(n); m.restart_events()
print(count)
""",
    "local events on functions that are recorded": SPIN
    + """
m.use_tool_id(2, 'mine'); seen = []
m.register_callback(2, E.PY_RETURN, lambda code, at, value: seen.append(value))
m.set_local_events(2, spin.__code__, E.PY_RETURN)
for n in range(5): spin(n)
busy(0.15); seen = seen[:5]
m.set_local_events(2, spin.__code__, 0); spin(1)
print(seen)
""",
    "a debugger": """
import bdb
class Watch(bdb.Bdb):
    def user_line(self, frame):
        if frame.f_code.co_name == 'f': print('line', frame.f_lineno - f.__code__.co_firstlineno)
        self.set_step()
    def user_return(self, frame, value): print('return', frame.f_code.co_name, value)
def f(n):
    n += 1
    return n
Watch().runcall(f, 1)
print(f(2))
""",
    "pdb with commands": Program(
        "def f(n):\n    m = n + 1\n    return m\nimport pdb\npdb.run('print(f(1))')\n",
        stdin="s\ns\nw\np n\nr\nc\n",
    ),
    "the trace module": """
import trace
def f(n): return sum(range(n))
counter = trace.Trace(count=True, trace=False)
counter.runfunc(f, 3)
print(sorted(n for (file, n), times in counter.results().counts.items() if file == __file__))
""",
    "interactive on a pipe": Program(
        "import code\ndef f(n): return n + 1\nf(0)\ncode.interact(local=globals(), banner='hi')\n",
        stdin="print(f(1))\ndef g(): return f(2)\n\ng()\n1/0\n",
    ),
    "an interactive session after the script": Program(
        "def f(n): return n + 1\nprint(f(1))",
        words=("--", PYTHON, "-i", "-q", "app.py"),
        stdin="f(5)\ndef g(x):\n    return f(x) * 2\n\ng(4)\nexit(3)\n",
    ),
    "garbage collections": """
import gc, weakref
log = []
class Node:
    def __init__(self, n): self.n, self.me = n, self
    def __del__(self): log.append(self.n)
def make(n): Node(n)
gc.disable()
refs = []
def note(n): return lambda ref: log.append(('ref', n))
for n in range(5):
    node = Node(10 + n); refs.append(weakref.ref(node, note(n)))
del node
make(1)
gc.callbacks.append(lambda phase, info: log.append(phase))
gc.collect(); gc.callbacks.clear()
print(sorted(map(str, log)))
gc.set_threshold(1); gc.enable()
class Hooked:
    def __init__(self): self.me = self
    def __del__(self): use(self.me)
def use(value): return [value]
for n in range(300): Hooked(); use(n)
print('done')
""",
    "its own surroundings": """
import os, sys, inspect
print(sys.argv, sys.path, __name__, __file__, sys.flags, sys.getrecursionlimit())
print({k: v for k, v in os.environ.items() if 'PYTHON' in k or 'PERFTRACE' in k})
print('sitecustomize' in sys.modules, sys.gettrace(), sys.getprofile(), sys.dont_write_bytecode)
def f(): return [frame.function for frame in inspect.stack()]
print(f(), sorted(globals()), sys.getswitchinterval(), sys.get_asyncgen_hooks())
import subprocess, threading, gc, signal
child = 'import os, sys; print(sys.path, "PERFTRACE_RUN" in os.environ)'
subprocess.run([sys.executable, '-c', child])
print([t.name for t in threading.enumerate()], gc.get_threshold(), gc.callbacks)
print(sys.meta_path, sys.path_hooks[0])
print([signal.getsignal(n) for n in signal.valid_signals()], sys.stdout.encoding)
""",
    "patched builtins": """
import builtins, time, os
real = len
calls = []
builtins.len = lambda x: calls.append(x) or real(x)
builtins.isinstance = lambda *a: calls.append(a)
time.monotonic_ns = time.thread_time_ns = lambda: 1 / 0
os.stat = os.getpid = lambda *a: 1 / 0
def f(items): return real(items)
def g():
    yield 1
print(f([1, 2]), list(g()), calls)
""",
    "everything patched": SPIN
    + """
import builtins, os, pickle, threading, _thread, mmap, gc, zlib, signal, binascii, struct
def broken(*args, **kwargs): raise AssertionError('patched')
for module in (builtins, os, pickle, threading, mmap, gc, zlib, signal, binascii, struct, time):
    for name, value in list(vars(module).items()):
        kept = name in ('print', '__build_class__', '__import__', 'monotonic', 'fspath', 'list')
        if callable(value) and not name.startswith('__') and not kept and name[:1].islower():
            setattr(module, name, broken)
for name in ('get_tool', 'set_events', 'set_local_events', 'register_callback', 'restart_events'):
    setattr(m, name, broken)
sys._getframe = sys._current_frames = _thread.get_ident = broken
class A:
    def __init__(self, n): self.n = n
def late(a): return a.n
end = time.monotonic() + 0.15
while time.monotonic() < end: spin(late(A(1)))
print('done')
""",
    "sys without what belongs in there": SPIN
    + """
kept = sys.modules['__main__']
class Odd:
    def __getattribute__(self, name): raise RuntimeError(name)
sys.modules['__main__'] = Odd(); spin(1)
sys.argv = [Odd(), 5]; sys.path = Odd(); sys.version = sys.executable = Odd()
busy(0.15)
del sys.argv, sys.path, sys.version, sys.executable
busy(0.15)
modules = sys.modules; sys.modules = 5; busy(0.15)
sys.modules = modules; modules['__main__'] = kept; __spec__ = Odd()
def late(n): return n
print(late(3))
""",
    "a finder that reports imports": """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None): print('import', name)
sys.meta_path.insert(0, Finder())
def f(value): return [value]
def g(n): yield n
class A: x = 1
import colorsys
f(A()); list(g(1)); f({1.5: {2}, 'x': (1j, b'y', bytearray(3))})
for n in range(2000): f(n)
""",
    "logging that logs": """
import logging, sys
class Echo(logging.Handler):
    def emit(self, record):
        if record.levelno < 30: logging.warning('again: %s', self.format(record))
        else: print(self.format(record))
logging.basicConfig(handlers=[Echo()], level=0)
def f(n): logging.info('f %d', n, stack_info=False); return n
def g():
    try: f('not a number')
    except TypeError: logging.exception('odd')
logging.raiseExceptions = False
f(1); f(2); g()
print(logging.getLogger().findCaller()[2:])
""",
    "a test run": """
import io, re, unittest, doctest
def double(n):
    '''
    >>> double(2)
    4
    '''
    return n * 2
class Case(unittest.TestCase):
    def setUp(self): self.n = 2
    def test_double(self): self.assertEqual(double(self.n), 4)
    def test_wrong(self): self.assertEqual(double(self.n), 5)
    def test_sub(self):
        for n in range(3):
            with self.subTest(n=n): self.assertEqual(double(n), n + 1)
text = io.StringIO()
runner = unittest.TextTestRunner(stream=text, verbosity=2)
done = unittest.main(exit=False, testRunner=runner)
print(re.sub(r'in [0-9.]+s', 'in x s', text.getvalue()), doctest.testmod())
""",
    "unittest's own exit code": Program(
        "import unittest\ndef f(n): return n\nclass T(unittest.TestCase):\n"
        "    def test_f(self): self.assertEqual(f(1), 1)\n"
        "class Quiet:\n    def run(self, test): return test(r := unittest.TestResult()) or r\n"
        "unittest.main(testRunner=Quiet())\n"
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_observers(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)


# --- sys.monitoring has six ids, and the recorder needs two: see docs/robustness.md ---------------

TAKES_ALL = """
m = __import__('sys').monitoring
def f(n): return n
f(1)
taken = []
for number in range(6):
    try: m.use_tool_id(number, 'mine'); taken.append(number)
    except ValueError as error: print(error)
print(taken)
for n in range(100): f(n)
"""


def test_two_ids_of_the_monitoring_are_in_use(tmp_path: Path) -> None:
    program = Program(TAKES_ALL)
    command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "--python", sys.executable]
    recorded = outcome(program, [*command, "-o", str(tmp_path / "t.db"), "app.py"], tmp_path)
    assert recorded.code == 0
    lines = [f"tool {number} is already in use" for number in (3, 4)]
    assert recorded.stdout.splitlines() == [*lines, "[0, 1, 2, 5]"]


def test_a_program_that_takes_the_ids_away_ends_the_recording(tmp_path: Path) -> None:
    text = """
import sys, time
m = sys.monitoring
def f(n): return n
f(1)
for number in range(6): m.free_tool_id(number)
for number in range(6): m.use_tool_id(number, 'mine')
def g(n): return n
end = time.monotonic() + 0.2
while time.monotonic() < end: g(f(2))
print([m.get_tool(number) for number in range(6)])
for number in range(6): m.free_tool_id(number)
"""
    lost = "the program took the recorder's ids of sys.monitoring away"
    run_twice(Program(text, missing=lost), tmp_path)


def test_where_all_ids_are_taken_before_the_recorder_starts_nothing_is_recorded(
    tmp_path: Path,
) -> None:
    """A `.pth` file runs before any sitecustomize."""
    taken = "import sys; [sys.monitoring.use_tool_id(n, 'mine') for n in range(6)]\n"
    home = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "taken.pth").write_text(taken)
    python = str(home / "bin" / "python")
    program = Program("def f(n): return n\nprint(f(1))\n")
    plain = outcome(program, [python, "app.py"], tmp_path)
    command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "--python", python]
    recorded = outcome(program, [*command, "-o", str(tmp_path / "t.db"), "app.py"], tmp_path)
    stderr, said = split(recorded.stderr)
    assert (recorded.code, recorded.stdout, stderr) == (plain.code, plain.stdout, plain.stderr)
    assert any("the ids of sys.monitoring are all taken" in line for line in said), said
