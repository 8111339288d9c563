"""Programs whose values hurt whoever looks at them run recorded as they do plain."""

from pathlib import Path

import pytest
from twice import Program, run_twice

PROGRAMS: dict[str, Program | str] = {
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
    "hooks that run, recurse, allocate and leave": """
import sys
log = []
def loud(name):
    def hook(self, *args):
        log.append(name); traced(self)
        return getattr(super(type(self), self), name)(*args)
    return hook
def traced(value): return 1
NAMES = ('__getattribute__', '__reduce_ex__', '__getstate__', '__sizeof__', '__hash__', '__eq__',
         '__repr__', '__str__', '__dir__', '__format__', '__setattr__', '__init_subclass__')
class Loud: pass
for name in NAMES:
    if name != '__getattribute__': setattr(Loud, name, loud(name))
class Endless:
    def __getattr__(self, name): return getattr(self, name + '_')
    def __reduce_ex__(self, n): return self.__reduce_ex__(n)
    def __getstate__(self): return Endless()
class Greedy:
    def __reduce_ex__(self, n): return bytearray(10**9)
    __sizeof__ = __len__ = __hash__ = lambda self: [None] * 10**9
class Leaves:
    def __getattribute__(self, name): sys.exit(7)
    def __hash__(self): sys.exit(7)
def f(*values): return values
for _ in range(20): f(Loud()); f(Endless(), [Greedy()]); f({'k': Leaves()}); f(Loud)
print(log)
""",
    "containers that hurt": """
import collections
def hurt(*args, **kwargs): raise RuntimeError('hurt')
def angry(base):
    names = ('__iter__', '__len__', '__getitem__', '__contains__', '__eq__', '__reduce__', 'items',
             'keys', 'copy', '__class_getitem__', '__del__', '__getattribute__', '__index__')
    space = {name: hurt for name in names if name != '__del__'}
    return type('Angry' + base.__name__, (base,), {**space, '__hash__': base.__hash__})
def f(value): return value
for base in (list, dict, tuple, set, frozenset, str, bytes, bytearray, int, float, complex,
             collections.OrderedDict, collections.deque, collections.Counter, Exception):
    globals()['Angry' + base.__name__] = cls = angry(base)
    for _ in range(3): f(cls()); f([cls(), {1: cls()}])
f(collections.defaultdict(hurt, a=1)); f(collections.ChainMap({}, AngryOrderedDict()))
print('fine')
""",
    "deep, wide and looped": """
import sys
def f(value): return 1
deep = []
for _ in range(100_000): deep = [deep]
loop = []; loop.append(loop); me = {}; me['me'] = me; pair = ([],); pair[0].append(pair)
class Node: pass
first = node = Node()
for _ in range(50_000): node.next = Node(); node.next.back = node; node = node.next
node.next = first
for value in (deep, loop, me, pair, first, range(10**9), list(range(10**6)), 'x' * 10**7,
              10**50_000, {n: str(n) for n in range(10**5)}, float('nan'),
              '\\ud800', b'\\0' * 100, globals()):
    for _ in range(3): f(value)
while deep: deep = deep[0]
while hasattr(node, 'back'): node.next = None; node = node.__dict__.pop('back')
print('fine')
""",
    "a large argument": """
import resource
def f(data): return len(data)
data = list(range(10**6)); blob = b'x' * 100_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f(data), f(blob))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000)
""",
    "what cannot be copied": """
import contextlib, ctypes, io, itertools, mmap, os, queue, re, socket, sqlite3, sys, threading
import types, weakref
def f(value): return value
def g(): yield 1
class A: pass
a = A(); items = iter([1, 2]); gen = g(); zipped = zip([1], [2]); cycle = itertools.cycle('ab')
one, two = socket.socketpair(); db = sqlite3.connect(':memory:')
class Point(ctypes.Structure): _fields_ = [('x', ctypes.c_int)]
gone = weakref.proxy(A())
view = memoryview(bytearray(5)); released = memoryview(b'x'); released.release()
values = [items, gen, zipped, cycle, one, db, threading.Lock(),
          threading.current_thread(), Point(4),
          ctypes.pointer(Point(3)), gone, weakref.ref(a), weakref.WeakKeyDictionary({a: 1}), view,
          released, sys.stdout, io.StringIO('x'), open(os.devnull), re.compile('x'), queue.Queue(),
          sys._getframe(), f.__code__, f, A, a.__init__, sys, types.MappingProxyType({}),
          mmap.mmap(-1, 9),
          contextlib.ExitStack(), property(f), super(A, a), NotImplemented, print, len.__call__]
for _ in range(3):
    for value in values: f(value)
print(list(items), list(gen), list(zipped), next(cycle), one.fileno() > 0, view.tolist())
print(db.execute('select 1').fetchall(), Point(4).x)
try: f(gone).x
except ReferenceError: print('gone')
""",
    "values that change meanwhile": """
import threading, time
stop = False
shared = {n: [n] for n in range(300)}; items = list(range(1000)); people = set(range(500))
def change():
    n = 0
    while not stop:
        n += 1; shared[n % 700] = [n]; shared.pop((n * 7) % 700, None)
        items.append(n); items.pop(); people.add(n % 900); people.discard((n * 3) % 900)
def look(shared, items, people): return 1
threads = [threading.Thread(target=change) for _ in range(2)]
for thread in threads: thread.start()
end = time.monotonic() + 0.3
while time.monotonic() < end: look(shared, items, people)
stop = True
for thread in threads: thread.join()
print('fine')
""",
    "lazy modules and proxies": """
import sys, types, importlib.util
class Lazy(types.ModuleType):
    def __getattr__(self, name): print('loaded', name); return 5
lazy = Lazy('lazy'); sys.modules['lazy'] = lazy
module = types.ModuleType('mod'); sys.modules['mod'] = module
module.__getattr__ = lambda name: print('asked', name)
spec = importlib.util.find_spec('colorsys')
loader = importlib.util.LazyLoader(spec.loader); spec.loader = loader
waiting = importlib.util.module_from_spec(spec); sys.modules['colorsys'] = waiting
loader.exec_module(waiting)
class Proxy:
    def __init__(self, load): object.__setattr__(self, 'load', load)
    def __getattribute__(self, name):
        print('proxy', name); return getattr(object.__getattribute__(self, 'load')(), name)
    __class__ = property(lambda self: print('class') or str)
def f(*values): return values
for _ in range(5): f(lazy, module, waiting, Proxy(lambda: 'x'), [Proxy(lambda: 1)])
print(type(waiting).__name__, lazy.x)
""",
    "well-behaved values of many types": """
import collections, dataclasses, datetime, decimal, enum, fractions, functools, pathlib, types, uuid
import array, zoneinfo, random
@dataclasses.dataclass(frozen=True, slots=True)
class D: x: int; y: list = dataclasses.field(default_factory=list)
class Color(enum.Flag): RED = 1; BLUE = 2
class Zone(datetime.tzinfo):
    def utcoffset(self, when): print('asked'); return datetime.timedelta(hours=1)
class Slots:
    __slots__ = ('a', 'b', '__weakref__')
class Temperature:
    def __init__(self): self._c = 1
    @property
    def f(self): print('read'); return self._c
Point = collections.namedtuple('Point', 'x y')
def f(value, *rest, **named): return value
slots = Slots(); slots.a = 1
when = datetime.datetime(2020, 1, 1, tzinfo=Zone())
values = [D(1), Color.RED | Color.BLUE, when, slots, Temperature(), Point(1, 2),
          fractions.Fraction(1, 3), functools.partial(f, 1, x=2), pathlib.Path('a/b'),
          array.array('d', [1.0]), uuid.UUID(int=5), decimal.Decimal('1.5'), random.Random(3),
          types.SimpleNamespace(a=1), collections.deque([1], 3),
          datetime.timedelta(1), range(3), slice(1, 2), Ellipsis, collections.Counter('aab'), f, D,
          frozenset({1}), b'x', bytearray(b'y'), memoryview(b'z')]
before = random.Random(3).random()
for _ in range(4): print([f(value, value, k=value) is value for value in values].count(False))
print(values[12].random() == before)
""",
    "callbacks from C": """
import bisect, ctypes, ctypes.util, functools, heapq, json, re, sqlite3, weakref, sys
def key(n): return -n
def compare(a, b): return a[0] - b[0]
libc = ctypes.CDLL(None)
kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 200)(*[n * 37 % 200 for n in range(200)])
libc.qsort(numbers, 200, ctypes.sizeof(ctypes.c_int), kind(compare))
print(list(numbers) == list(range(200)), sorted([3, 1, 2], key=key), max([1, 5, 2], key=key))
def fails(a, b): raise ValueError('in a callback')
sys.unraisablehook = lambda args: print('unraisable', args.exc_value)
libc.qsort((ctypes.c_int * 2)(2, 1), 2, 4, kind(fails))
print(functools.reduce(lambda a, b: a * b, range(1, 9)))
print(re.sub('a', lambda m: m[0].upper(), 'banana'))
db = sqlite3.connect(':memory:'); db.create_function('f', 1, key)
print(db.execute('select f(5)').fetchall(), json.dumps({1j: 2}, default=str, skipkeys=True))
class Ordered:
    def __init__(self, n): self.n = n
    def __lt__(self, other): return self.n < other.n
    def __hash__(self): return 1
    def __eq__(self, other): return self.n == other.n
heap = [Ordered(n % 7) for n in range(30)]; heapq.heapify(heap)
print(len({o: 1 for o in heap}), heap[0].n, bisect.bisect([1, 3, 5], 4, key=lambda n: n))
class Angry:
    def __hash__(self): raise TypeError('no hash')
def put(value): return {value: 1}
try: put(Angry())
except TypeError as error: print(error)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_values(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)
