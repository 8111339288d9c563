"""A recorded program prints, raises and ends as it does under plain Python."""

from pathlib import Path

import pytest
from running import assert_same

PROGRAMS = {
    "exit with a message": "import sys\nsys.exit('bye')",
    "an uncaught exception": """
def f(n):
    raise ValueError(n) from KeyError('x')
def g():
    f(3)
g()
""",
    "a syntax error": "def f(:\n    pass",
    "changed and removed folders": """
import os, shutil
os.makedirs('.perftrace', exist_ok=True)
shutil.rmtree('.perftrace')
os.makedirs('deep'); os.chdir('deep')
def f(): return os.path.basename(os.getcwd())
print(f())
""",
    "an unwritable folder": """
import os
os.chmod('.', 0o500)
def f(): return 1
print(f())
os.chmod('.', 0o700)
""",
    "a file size limit": """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
def f(n): return [n] * 100
for i in range(30000): f(i)
exec('def g(n): return n' + chr(10) + 'g(1)')
try:
    with open('big', 'wb') as file: file.write(b'x' * 1000)
except OSError as error:
    print(error)
""",
    "few file descriptors": """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
def f():
    with open('x', 'w') as file: return file.fileno()
print(f())
""",
    "file descriptor numbers": """
import os
print(os.listdir('/proc/self/fd'))
os.closerange(3, 100)
file = open('x', 'w')
print(file.fileno())
def f(n): return 'x' * n
for i in range(3000): file.write(f(i))
import atexit
atexit.register(lambda: print(os.path.getsize('x') > 0))
""",
    "hostile hooks": """
class Hostile:
    def __reduce_ex__(self, protocol): raise SystemExit(9)
    def __getattr__(self, name): raise RuntimeError(name)
    def __getstate__(self):
        while True: pass
    def __repr__(self): raise KeyboardInterrupt
    def __eq__(self, other): raise OSError
    __hash__ = None
    @property
    def __class__(self): raise RuntimeError('class')
    def __sizeof__(self): raise RuntimeError
    def __len__(self): raise RuntimeError
    def __bool__(self): raise RuntimeError
def f(value, *more, **named): return value
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
    def __instancecheck__(cls, value): raise RuntimeError
class Odd(metaclass=Meta): pass
class Angry(Exception):
    def __init__(self): pass
    def __str__(self): raise RuntimeError
    @property
    def args(self): raise RuntimeError
def g():
    raise Angry
f(Hostile(), Hostile(), x=Hostile()); f(Odd)
try: g()
except Angry: print('angry')
class Name(str):
    def __eq__(self, other): raise RuntimeError
    __hash__ = str.__hash__
f(Name('x'), **{'k': Name('y')})
print('fine')
""",
    "a lock that is held": """
import threading
lock = threading.Lock()
class Guarded:
    def __getstate__(self):
        with lock: return {}
def f(value): return 1
with lock: print(f(Guarded()))
""",
    "the depth of a recursion": """
def deep(n):
    try: return deep(n + 1)
    except RecursionError: return n
print(deep(0))
def other(n): return other(n + 1)
other(0)
""",
    "a large argument": """
import resource
def f(data): return len(data)
data = list(range(10**6)); blob = b'x' * 100_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f(data), f(blob))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000)
""",
    "lifetimes": """
import sys, weakref
class Thing:
    def __del__(self): print('gone', self.name)
def make(name):
    thing = Thing(); thing.name = name
    return weakref.ref(thing)
def use(thing):
    print(sys.getrefcount(thing))
    del thing
    print('deleted')
def fail(thing):
    raise ValueError
print(make('a')()); use(Thing.__new__(Thing)) if False else None
t = Thing(); t.name = 'b'
use(t); del t
def passes():
    t = Thing(); t.name = 'c'
    try: fail(t)
    except ValueError: pass
    del t
    print('after')
passes()
""",
    "locals": """
def f(a, b=2):
    found = locals()
    c = 3
    return found
print(f(1))
def g(a):
    import sys
    return sorted(sys._getframe().f_locals)
print(g(1))
class A:
    def m(self, x): return vars()
print(sorted(A().m(2)))
""",
    "generators": """
def g():
    try:
        x = yield 1
        print('got', x)
        yield 2
    finally:
        print('closed')
it = g(); next(it); it.send('s'); it.close()
it = g(); next(it); del it
it = g(); next(it)
try: it.throw(KeyError('k'))
except KeyError as error: print(repr(error))
def outer():
    result = yield from inner()
    print(result)
def inner():
    yield 1
    return 'r'
print(list(outer()))
def consumed(it): return 1
it = iter([1, 2]); gen = (x for x in [1, 2])
consumed(it); consumed(gen); print(list(it), list(gen))
""",
    "async": """
import asyncio
async def wait(n):
    await asyncio.sleep(0)
    return n
async def never():
    try: await asyncio.sleep(100)
    except asyncio.CancelledError:
        print('cancelled'); raise
async def items():
    try:
        for i in range(3): yield i
    finally: print('items closed')
async def main():
    print(await asyncio.gather(*map(wait, range(3))))
    task = asyncio.create_task(never())
    await asyncio.sleep(0)
    task.cancel()
    try: await task
    except asyncio.CancelledError: print('seen')
    async for i in items():
        break
    try: await asyncio.wait_for(never(), 0.01)
    except TimeoutError: print('timeout')
asyncio.run(main())
""",
    "threads": """
import threading, queue
q = queue.Queue()
def work(n):
    q.put(n * n)
threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(q.queue), threading.active_count(), [t.name for t in threading.enumerate()])
""",
    "a fork with warnings as errors": """
import os, warnings
warnings.simplefilter('error')
def f(n): return n
f(1)
for i in range(3):
    pid = os.fork()
    if pid == 0:
        f(2)
        os._exit(f(i))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.fork()
if pid == 0:
    import sys
    print('child', flush=True)
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "multiprocessing": """
import multiprocessing as mp
def square(n): return n * n
if __name__ == '__main__':
    for method in ('fork', 'spawn'):
        with mp.get_context(method).Pool(2) as pool:
            print(pool.map(square, range(5)))
""",
    "a trace function": """
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
    "all the monitoring tools": """
import sys
m = sys.monitoring
print([m.get_tool(i) for i in range(3)])
m.use_tool_id(1, 'mine')
seen = []
m.register_callback(1, m.events.PY_START, lambda code, at: seen.append(code.co_name))
m.set_events(1, m.events.PY_START)
def f(): return 1
f(); m.restart_events(); f()
m.set_events(1, 0)
print(seen)
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
    "signals": """
import signal
class Alarm(TimeoutError): pass
def ring(*_): raise Alarm
signal.signal(signal.SIGALRM, ring)
def f(n):
    return [n] * 3
caught = 0
for _ in range(30):
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    try:
        while True: f(1)
    except Alarm: caught += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(caught)
""",
    "the end of the interpreter": """
import atexit
def late(n): print('late', n)
atexit.register(late, 1)
class Last:
    def __del__(self): late('del')
keep = Last()
import threading
threading.Thread(target=lambda: None, daemon=True).start()
""",
    "its own surroundings": """
import os, sys, inspect
print(sys.argv, sys.path, __name__, __file__, sys.flags, sys.getrecursionlimit())
print({k: v for k, v in os.environ.items() if 'PYTHON' in k or 'PERFTRACE' in k})
print('sitecustomize' in sys.modules, sys.gettrace(), sys.getprofile(), sys.dont_write_bytecode)
def f(): return [frame.function for frame in inspect.stack()]
print(f(), sorted(globals()))
import subprocess
child = 'import os, sys; print(sys.path, "PERFTRACE_RUN" in os.environ)'
subprocess.run([sys.executable, '-c', child])
""",
    "code made at run time": """
import collections, dataclasses, importlib, types
Point = collections.namedtuple('Point', 'x y')
print(Point(1, 2))
for i in range(300): exec(f'def f(n): return n + {i}')
print(f(1))
open('mod.py', 'w').write('def g(): return 1')
import mod; print(mod.g())
for _ in range(20): importlib.reload(mod); mod.g()
def h(): return 1
h(); h.__code__ = (lambda: 2).__code__; print(h())
print(types.FunctionType(f.__code__, {})(1))
""",
    "decorators": """
import functools, contextlib, enum, dataclasses
@functools.lru_cache
def cached(n): return n + 1
@functools.singledispatch
def single(x): return 'any'
@single.register
def _(x: int): return 'int'
@contextlib.contextmanager
def ctx(): yield 5
@dataclasses.dataclass(frozen=True, slots=True)
class D:
    x: int = 1
    @property
    def twice(self): return self.x * 2
class E(enum.Enum):
    A = 1
    def name2(self): return self.name
with ctx() as value: print(cached(1), single(2), single('x'), value, D().twice, E.A.name2())
""",
    "many exceptions": """
def fail(n):
    if n % 2: raise ValueError(n)
    return n
bad = 0
for n in range(200_000):
    try: fail(n)
    except ValueError: bad += 1
print(bad)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recorded_program_behaves_as_under_plain_python(name: str, tmp_path: Path) -> None:
    assert_same(PROGRAMS[name], tmp_path)
