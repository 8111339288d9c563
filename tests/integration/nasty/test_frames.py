"""Generators, coroutines, recursions and exceptions run recorded as they do plain."""

from pathlib import Path

import pytest
from twice import Program, run_twice

PROGRAMS: dict[str, Program | str] = {
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
    "generators that resist": """
import gc, sys
def stubborn():
    while True:
        try: yield 1
        except GeneratorExit: print('no'); yield 2; return
it = stubborn(); next(it)
try: it.close()
except RuntimeError as error: print(error)
def raises():
    try: yield
    finally: raise ValueError('finally')
it = raises(); next(it)
try: it.close()
except ValueError as error: print(error)
def selfish():
    me = [None]
    it = yield me
    me[0] = it
    try: yield
    finally: print('collected')
it = selfish(); next(it); it.send(it); del it; gc.collect()
def running(): yield it.gi_running; yield next(it)
it = running(); print(next(it), it.gi_frame.f_locals)
try: next(it)
except ValueError as error: print(error)
def stops(): raise StopIteration; yield
try: list(stops())
except RuntimeError as error: print(error)
sys.unraisablehook = lambda args: print('unraisable', args.exc_value)
it = raises(); next(it); del it
""",
    "a hundred thousand generators": """
def counted(n):
    yield n
    yield n + 1
alive = [counted(n) for n in range(100_000)]
print(sum(map(next, alive)))
del alive[::2]
print(sum(map(next, alive)))
def deep(n):
    yield n
    if n: yield from deep(n - 1)
print(sum(deep(300)))
""",
    "context managers": """
import contextlib
@contextlib.contextmanager
def guard(name, swallow=False):
    print('enter', name)
    try: yield name
    except ValueError:
        if not swallow: raise
        print('swallowed')
    finally: print('leave', name)
with guard('a', True): raise ValueError
try:
    with guard('b') as b, guard('c'): raise ValueError(b)
except ValueError as error: print(repr(error))
with contextlib.ExitStack() as stack:
    for name in 'xyz': stack.enter_context(guard(name))
""",
    "async programs": """
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
    "task groups and shields": """
import asyncio
async def fail(n):
    await asyncio.sleep(0)
    raise ValueError(n)
async def rest(log):
    try: await asyncio.sleep(60)
    finally: log.append('rested')
async def main():
    log = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(rest(log)); group.create_task(fail(1)); group.create_task(fail(2))
    except* ValueError as errors: print(sorted(e.args for e in errors.exceptions), log)
    try:
        async with asyncio.timeout(0.01): await asyncio.shield(rest(log))
    except TimeoutError: print('timeout', log)
    task = asyncio.create_task(rest(log)); await asyncio.sleep(0); task.uncancel(); task.cancel()
    print(await asyncio.gather(task, return_exceptions=True), log)
    for task in asyncio.all_tasks() - {asyncio.current_task()}: task.cancel()
asyncio.run(main(), debug=True)
asyncio.get_event_loop_policy().set_event_loop(loop := asyncio.new_event_loop())
loop.set_task_factory(asyncio.eager_task_factory)
loop.run_until_complete(main())
loop.close()
""",
    "async generators": """
import asyncio
async def ticks(n):
    try:
        for i in range(n):
            got = yield i
            if got: print('got', got)
            await asyncio.sleep(0)
    except ValueError as error:
        print('thrown', error); yield 'recovered'
    finally:
        await asyncio.sleep(0); print('finished')
async def main():
    it = ticks(5)
    print(await it.asend(None), await it.asend('a'), await it.athrow(ValueError('b')))
    await it.aclose()
    print([i async for i in ticks(3) if i])
    print({i: [j async for j in ticks(i)] async for i in ticks(3)})
    left = ticks(9)
    print(await anext(left))
asyncio.run(main())
""",
    "coroutines without a loop": """
import types, warnings
def drive(coroutine):
    try:
        while True: print('sent', coroutine.send(None))
    except StopIteration as stop: return stop.value
@types.coroutine
def pause(n):
    return (yield n) or n
async def work(n): return await pause(n) + await pause(n + 1)
print(drive(work(1)))
left = work(2); print(left.send(None), left.cr_frame.f_locals); left.close()
class Waits:
    def __await__(self): yield 'w'; return 5
async def waits(): return await Waits()
print(drive(waits()))
warnings.simplefilter('always'); work(3)
""",
    "an exit from within a loop": """
import asyncio, sys
async def leave():
    await asyncio.sleep(0); sys.exit(4)
async def other():
    try: await asyncio.sleep(60)
    finally: print('other is cleaned')
async def main(): await asyncio.gather(other(), leave())
asyncio.run(main())
""",
    "an event loop with threads and processes": """
import asyncio, sys
def square(n): return n * n
async def main():
    print(await asyncio.gather(*(asyncio.to_thread(square, n) for n in range(8))))
    child = await asyncio.create_subprocess_exec(
        sys.executable, '-c', 'print(input())', stdin=-1, stdout=-1)
    print(await child.communicate(b'hello'), child.returncode)
    loop = asyncio.get_running_loop(); server = await asyncio.start_server(echo, '127.0.0.1', 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b'line'); writer.write_eof(); print(await reader.read())
        writer.close(); await writer.wait_closed()
async def echo(reader, writer):
    writer.write((await reader.read()).upper()); writer.close(); await writer.wait_closed()
asyncio.run(main())
""",
    "the depth of a recursion": """
def deep(n):
    try: return deep(n + 1)
    except RecursionError: return n
print(deep(0))
def other(n): return other(n + 1)
other(0)
""",
    "ten thousand frames deep": """
import sys, threading
sys.setrecursionlimit(20_000)
def deep(n): return 1 + deep(n - 1) if n else 0
print(deep(10_000), deep(15_000))
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
print(even(10_000))
class Node:
    def __init__(self, next): self.next = next
    def __len__(self): return 1 + (len(self.next) if self.next else 0)
    def length(self): return 1 + (self.next.length() if self.next else 0)
chain = None
for _ in range(9_000): chain = Node(chain)
print(chain.length())
""",
    "depths by every way": """
import functools, sys
def method():
    class A:
        def __init__(self): self.n = 0
        def __getattr__(self, name): self.n += 1; return getattr(self, name + 'x')
    a = A()
    try: a.b
    except RecursionError: return a.n
def key():
    n = 0
    def compare(x):
        nonlocal n
        n += 1; sorted([1], key=compare); return 0
    try: compare(1)
    except RecursionError: return n
def generator():
    def items(n): yield n; yield from items(n + 1)
    last = 0
    try:
        for last in items(0): pass
    except RecursionError: return last
def lowered():
    sys.setrecursionlimit(80)
    def down(n):
        try: return down(n + 1)
        except RecursionError: return n
    try: return [down(0) for _ in range(50)]
    finally: sys.setrecursionlimit(1000)
for depth in (method, key, generator, lowered): print(depth.__name__, depth(), depth())
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
    "an uncaught exception": """
def f(n):
    raise ValueError(n) from KeyError('x')
def g():
    f(3)
g()
""",
    "tracebacks, contexts, groups and notes": """
import sys, traceback
def fail(n):
    error = ValueError(n); error.add_note('noted')
    try: raise KeyError(n)
    except KeyError: raise error
def group():
    errors = []
    for n in range(3):
        try: fail(n)
        except ValueError as error: errors.append(error)
    raise ExceptionGroup('three', errors)
try: group()
except* ValueError: traceback.print_exc()
def clean():
    try: fail(9)
    except ValueError as error:
        traceback.clear_frames(error.__traceback__)
        return len(traceback.extract_tb(error.__traceback__)), error.__context__
print(clean())
sys.excepthook = lambda kind, value, trace: print('hook', kind, value, trace.tb_lineno)
fail(1)
""",
    "exceptions that hurt": """
class Angry(Exception):
    def __init__(self): pass
    def __str__(self): raise RuntimeError
    @property
    def args(self): raise RuntimeError
    @property
    def __traceback__(self): raise RuntimeError
class Base(BaseException): pass
def g(kind): raise kind
for kind in (Angry, Base, KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError):
    try: g(kind)
    except BaseException as error: print(type(error).__name__)
def swallow():
    try: g(MemoryError)
    finally: return 1
print(swallow())
""",
    "its own frames": """
import inspect, sys, traceback, warnings
def locals_of(a, b=2):
    found = locals()
    c = 3
    return found
def names(a): return sorted(sys._getframe().f_locals)
class A:
    def m(self, x): return vars()
def depth():
    frame, n = sys._getframe(), 0
    while frame: frame = frame.f_back; n += 1
    return n
def stack(): return [(frame.function, frame.lineno) for frame in inspect.stack()]
def caller(): return sys._getframe(1).f_code.co_name, sys._getframemodulename(1)
def warn(): warnings.warn('look', stacklevel=2)
def counted(thing): return sys.getrefcount(thing)
def printed(): traceback.print_stack()
print(locals_of(1), names(1), sorted(A().m(2)), depth(), stack(), caller(), counted(A()))
warn(); printed()
def changed(a):
    sys._getframe().f_locals['a'] = 5
    exec('a = 6')
    return a
print(changed(1), eval('locals_of(3)'))
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
print(make('a')())
t = Thing(); t.name = 'b'
use(t); del t
def passes():
    t = Thing(); t.name = 'c'
    try: fail(t)
    except ValueError: pass
    del t
    print('after')
passes()
def star(*things, **named):
    names = [thing.name for thing in things]
    del things
    print(names)
for name in 'de': thing = Thing(); thing.name = name; star(thing, x=thing); thing = None
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_frames(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)
