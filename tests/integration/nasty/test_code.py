"""Programs that make, change and drop code run recorded as they do plain."""

from pathlib import Path

import pytest
from twice import Program, run_twice

PROGRAMS: dict[str, Program | str] = {
    "a syntax error": Program("def f(:\n    pass", calls=0),
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
    "code with odd names": """
import types
def f(n): return n + 1
def call(**changes): return types.FunctionType(f.__code__.replace(**changes), globals())(1)
class Name(str):
    def __hash__(self): raise RuntimeError('hash')
print(call(co_name='', co_qualname=''), call(co_filename=''), call(co_filename='<odd>'))
print(call(co_firstlineno=0), call(co_name='\\ud800'), call(co_filename='/nowhere/\\udcff.py'))
print(call(co_filename=__file__ + '\\n'), call(co_name='<module>'), call(co_name='x' * 10_000))
exec(compile('def naïve(größe): return größe', __file__, 'exec'))
print(naïve(3))
""",
    "code that is swapped while it runs": """
import sys
def one(n):
    if n: one.__code__ = two.__code__; one(0)
    return 1
def two(n): return 2
print(one(1), one(1))
def items():
    yield 1
    yield 2
it = items(); next(it); items.__code__ = (lambda: (yield 3)).__code__
print(list(it), list(items()))
def defaults(a, b=[]): b.append(a); return b
print(defaults(1), defaults(2)); defaults.__defaults__ = (['new'],); print(defaults(3))
""",
    "modules that come, change and go": """
import importlib, os, sys, gc
def write(text): open('mod.py', 'w').write(text); importlib.invalidate_caches()
sys.dont_write_bytecode = True
write('def g(n): return n\\nclass A:\\n    def m(self): return g(1)')
import mod
for _ in range(100): mod.g(1)
print(mod.A().m()); a = mod.A(); g = mod.g
del sys.modules['mod'], mod; gc.collect(); print(g(2), a.m())
write('def g(n): return n * 100  # longer')
import mod; print(mod.g(2)); os.remove('mod.py'); print(g(3), mod.g(3))
os.remove(__file__); os.mkdir('pkg'); open('pkg/__init__.py', 'w').write('def h(): return 5')
import pkg; print(pkg.h()); sys.modules.clear(); print(g(1), pkg.h())
""",
    "functions of every shape": """
import functools
def every(a, /, b, *c, d, e=5, **f): return a, b, c, d, e, f
print(every(1, 2, 3, d=4, g=6), (lambda *a, **k: (a, k))(1, x=2))
def rebinds(a, *rest, **named):
    a = rest = named = None
    return a
def deletes(a, b):
    del a
    return b
def cells(a, b):
    def inner(): nonlocal a; a += 1; return a + b
    return inner
print(rebinds(1, 2, x=3), deletes(1, 2), cells(1, 2)())
many = ', '.join(f'a{n}' for n in range(300))
exec(f'def wide({many}): return sum([{many}])'); print(wide(*range(300)))
long = '\\n'.join(f'    x{n} = {n}' for n in range(5000))
exec(compile(f'def long():\\n{long}\\n    return x4999', __file__, 'exec')); print(long())
def memo(f): return functools.wraps(f)(lambda *a: f(*a))
@memo
@functools.lru_cache
def cached(n): return n + 1
@functools.singledispatch
def single(x): return 'any'
@single.register
def _(x: int): return 'int'
print(cached(1), cached(1), single(2), single('x'), cached.__name__, every.__qualname__)
def match(value):
    match value:
        case {'k': [x, *_]}: return x
        case _: return None
print(match({'k': [1, 2]}), [y := 5, y ** 2], (n for n in range(3)).__next__())
print([f() for f in [lambda n=n: n for n in range(3)]], {n: (lambda: n)() for n in range(2)})
""",
    "classes of every shape": """
import abc, enum, dataclasses, functools
class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases, **kw): print('prepare', name, kw); return {}
    def __new__(mcs, name, bases, space, **kw): return super().__new__(mcs, name, bases, space)
    def __init__(cls, name, bases, space, **kw): super().__init__(name, bases, space)
    def __call__(cls, *args): print('call', args); return super().__call__(*args)
    def __getattr__(cls, name): return 'meta ' + name
class Described:
    def __set_name__(self, owner, name): print('named', name)
    def __get__(self, obj, owner=None): return self if obj is None else obj.n
    def __set__(self, obj, value): obj.n = value
class Base(metaclass=Meta, flag=1):
    x = Described()
    def __init__(self, n): self.x = n
    def __init_subclass__(cls, **kw): print('sub', kw); super().__init_subclass__()
    def __class_getitem__(cls, item): return item
    @classmethod
    def make(cls, n): return cls(n)
    @staticmethod
    def plain(n): return n
    @property
    def p(self): return self.x
    @p.setter
    def p(self, value): self.x = value
    @functools.cached_property
    def slow(self): print('once'); return self.x * 2
class Child(Base, extra=2):
    def __init__(self, n): super().__init__(n + 1)
    @classmethod
    def make(cls, n): return super().make(n)
    def __mangled(self): return 'm'
    def use(self): return self.__mangled(), __class__.__name__
c = Child.make(1); c.p = 7
print(c.p, c.slow, c.slow, c.plain(3), c.use(), Child.nothing, Base[3])
class Slots:
    __slots__ = ('a', '__dict__')
    def __init__(self): self.a = 1; self.b = 2
class Abstract(abc.ABC):
    @abc.abstractmethod
    def m(self): ...
    @classmethod
    def __subclasshook__(cls, other): return hasattr(other, 'm') or NotImplemented
class Real(Abstract):
    def m(self): return super().m()
class E(enum.Enum):
    A = 1
    def show(self): return self.name
    @classmethod
    def _missing_(cls, value): return cls.A
@dataclasses.dataclass(order=True)
class D:
    x: int
    y: dataclasses.InitVar[int] = 0
    def __post_init__(self, y): self.x += y
print(Slots().b, Real().m(), isinstance(E.A, Abstract), E(9).show(), D(1, 2) < D(4))
class Changes:
    def f(self): return 1
class Other:
    def f(self): return 2
o = Changes(); o.f(); o.__class__ = Other; print(o.f()); Other.f = lambda self: 3; print(o.f())
class Call:
    def __call__(self, n): return n
    def __enter__(self): return self
    def __exit__(self, *error): return True
    def __iter__(self): return iter([1, 2])
    def __missing__(self, key): return key
    def __matmul__(self, other): return '@'
with Call() as call: print(call(1), [*call], call @ call); raise ValueError
""",
    "decorators": """
import functools, contextlib
def twice(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs): return f(*args, **kwargs), f(*args, **kwargs)
    return wrapper
def with_argument(n):
    def decorate(f): f.n = n; return f
    return decorate
class Counted:
    def __init__(self, f): self.f = f; self.count = 0
    def __call__(self, *args): self.count += 1; return self.f(*args)
    def __get__(self, obj, owner): return functools.partial(self, obj)
class A:
    @Counted
    def m(self, n): return n
    @twice
    def t(self): return 1
@with_argument(3)
@twice
def f(n): return n
@contextlib.contextmanager
def ctx(): yield 5
@ctx()
def inside(): return 6
print(f(1), f.n, f.__wrapped__(2), A().m(4), A().t(), inside(), A.__dict__['m'].count)
""",
    "namespaces of its own": """
def run(text, **names): exec(text, names); return names.get('out')
text = 'def f(n): return n + 1\\nout = [f(1), len([1])] if mine else None'
print(run(text, mine=1), run(text, mine=1, __builtins__={'len': lambda x: 'patched'}))
class Dict(dict):
    def __missing__(self, key): return 'missing ' + key
    def __getitem__(self, key): return dict.get(self, key, 'odd ' + key)
print(eval('a', Dict()), eval('b', {}, Dict()))
exec(compile('def g(): return __name__\\nout = g()', __file__, 'exec'), space := {'__name__': 5})
print(space['out'])
exec(compile('def h(): return 1\\nout = h()', __file__, 'exec'), space := Dict())
print(dict.get(space, 'out'))
import runpy
open('other.py', 'w').write('def f(): return __name__\\nresult = f()')
print(runpy.run_path('other.py')['result'], runpy.run_module('other', run_name='as')['result'])
""",
    "a source that vanishes": Program(
        "import os\nos.remove('app.py')\ndef f(n): return n\nprint(f(1))\n",
        missing="",
    ),
    "a source that changes": Program(
        "def f(n): return n\nprint(f(1))\nopen('app.py', 'a').write('# more')\n",
        missing="the file changed while the program ran",
    ),
    "a sub-interpreter": """
import os, sys
sub = __import__('_xxsubinterpreters' if sys.version_info < (3, 13) else '_interpreters')
def f(n): return n
f(1)
code = 'import sys, os\\ndef g(): return 1\\nos.write(1, b"sub %d\\\\n" % g())'
sys.stdout.flush()
for _ in range(3):
    number = sub.create(); sub.run_string(number, code); sub.destroy(number)
print(f(2), 'PERFTRACE_RUN' in os.environ)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_code(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)
