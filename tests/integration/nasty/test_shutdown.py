"""Programs with special ends and exit codes run recorded as they do plain."""

from pathlib import Path

import pytest
from twice import Program, run_twice

NO_FUNCTIONS = 0


def plain(text: str) -> Program:
    return Program(text, calls=NO_FUNCTIONS)


PROGRAMS: dict[str, Program | str] = {
    "exit with a message": plain("import sys\nsys.exit('bye')"),
    "exit with a number that does not fit": plain("import sys\nsys.exit(300)"),
    "exit with a negative number": plain("raise SystemExit(-1)"),
    "exit with an object": """
class Odd:
    def __str__(self): return text()
def text(): return 'odd exit'
raise SystemExit(Odd())
""",
    "an empty program": plain(""),
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
    "the order of the end": """
import atexit, sys, threading, weakref
class Held:
    def __init__(self, name): self.name = name
    def __del__(self): print('del', self.name, sys.is_finalizing(), say is None)
def say(text): print(text)
a = Held('a'); sys.held = Held('sys'); cycle = Held('cycle'); cycle.me = cycle
def fails(): raise ValueError('at exit')
weakref.finalize(a, say, 'finalized')
for job in (lambda: say('first'), fails, lambda: say('second')): atexit.register(job)
threading._register_atexit(say, 'threads')
class Reborn:
    def __del__(self):
        global reborn
        if counts[0] < 3: counts[0] += 1; reborn = self; say(f'reborn {counts[0]}')
counts = [0]; reborn = Reborn(); reborn = None; reborn = None
sys.unraisablehook = lambda args: print('unraisable', args.exc_value)
import builtins
builtins.held = Held('builtins')
def generator():
    try: yield
    finally: print('generator closed')
it = generator(); next(it)
""",
    "an end while threads are at work": """
import sys, threading
ready = threading.Event()
def spin(n): return n
def work():
    ready.set()
    while True: spin(1)
for _ in range(3): threading.Thread(target=work, daemon=True).start()
ready.wait()
sys.exit('main leaves')
""",
    "hooks for what is uncaught": """
import sys, threading
def hook(kind, value, trace): print('hook', kind.__name__, value); raise RuntimeError('in the hook')
sys.unraisablehook = lambda args: print('unraisable', args.exc_value, args.object is None)
class Bad:
    def __del__(self): raise ValueError('del')
def make(): Bad()
make()
sys.excepthook = hook
raise KeyError('end')
""",
    "streams that are gone": """
import os, sys
def say(text): print(text)
say('before')
sys.stdout.flush()
os.close(1)
try: say('lost'); sys.stdout.flush()
except OSError as error: sys.stderr.write(f'{error}\\n')
os.close(2); os.close(0)
sys.stdout = None
say('nothing')
for n in range(2000): say(n)
""",
    "an error when stdout is flushed": """
import os
def say(text): print(text)
os.close(1)
say('lost')
""",
    "all descriptors closed": """
import os
def f(n): return 'x' * n
os.closerange(0, 200)
for n in range(2000): f(n)
with open('out', 'w') as file: file.write(f'{file.fileno()} {len(f(9))}')
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
    "few file descriptors": """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
def f():
    with open('x', 'w') as file: return file.fileno()
print(f())
""",
    "no file descriptors": """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
def f(n): return 'x' * n
for n in range(2000): f(n)
try: open('x', 'w')
except OSError as error: print(error)
pid = os.fork()
if not pid: os._exit(len(f(3)))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
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
    "a memory limit": """
import os, resource
def f(n): return [n] * 100
def grow(n): return bytearray(n)
size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (40 << 20), size + (40 << 20)))
for _ in range(300):
    try: grow(10**9)
    except MemoryError: f(1)
data = []
try:
    while True: data.append(grow(100_000)); f(data)
except MemoryError: data.clear(); print('no memory')
print(len(f(2)))
""",
    "a small stack and no core": """
import resource, threading
resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); threading.stack_size(256 << 10)
def deep(n): return deep(n - 1) + 1 if n else 0
out = []
thread = threading.Thread(target=lambda: out.append(deep(100))); thread.start(); thread.join()
print(out)
""",
    "a mask for new files": """
import os
os.umask(0o777)
def f(n): return n
f(1)
pid = os.fork()
if not pid: os._exit(f(3))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
open('mine', 'w').close()
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_shutdown(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)
