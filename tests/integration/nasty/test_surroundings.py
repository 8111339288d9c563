"""Programs started in unusual ways, or that change what is around them, run as they do plain."""

import sys
import zipapp
from pathlib import Path

import pytest
from twice import ENTRY, PYTHON, Program, difference, outcome, run_twice, split

F = "def f(n): return n\nprint(f(1), f(2))\n"
FLAGS = (
    "import sys\ndef f(n): return n\nassert f(0), 'asserted'\n"
    "print(f(1), __debug__, sys.flags, sys.warnoptions, sys.path[1:], f.__doc__)\n"
)
ENVIRONMENT = """
import os, sys
def shown(): return sorted(item for item in os.environ.items() if item[0][:2] in ('PY', 'PE'))
print(shown(), sys.path[1:], sys.warnoptions, sys.flags.safe_path)
"""
IN_APP = "import sys\nif sys.orig_argv[1] == 'app.py':\n"  # not in perftrace's own process
IGNORED = "the interpreter ignored its environment"


def flags(*words: str, calls: int = 1, missing: str = "") -> Program:
    return Program(FLAGS, words=("--", PYTHON, *words, "app.py"), calls=calls, missing=missing)


PROGRAMS: dict[str, Program | str] = {
    "-S": flags("-S", calls=0, missing=IGNORED),
    "-I": flags("-I", calls=0, missing=IGNORED),
    "-E": flags("-E", calls=0, missing=IGNORED),
    "-O": flags("-O"),
    "-OO": flags("-OO"),
    "-W error": flags("-W", "error", "-b", "-b"),
    "-X dev": flags("-X", "dev", "-X", "tracemalloc=5"),
    "-X and others": flags("-X", "utf8=0", "-u", "-B", "-P", "-X", "frozen_modules=off", "-s"),
    "-X warn_default_encoding": flags("-X", "warn_default_encoding", "-X", "no_debug_ranges"),
    "-c": Program("", words=("--", PYTHON, "-c", F), calls=0),
    "-m": Program("", words=("-m", "pack", "a b"), files={"pack/__main__.py": F}),
    "a program on stdin": Program("", words=("--", PYTHON, "-"), stdin=F, calls=0),
    "its environment": Program(ENVIRONMENT, environment={"PYTHONPATH": "one:two"}),
    "an empty search path": Program(ENVIRONMENT, environment={"PYTHONPATH": ""}),
    "settings in the environment": Program(
        ENVIRONMENT,
        environment={
            "PYTHONSAFEPATH": "1",
            "PYTHONWARNINGS": "error",
            "PYTHONDEVMODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONOPTIMIZE": "2",
            "PYTHONPYCACHEPREFIX": "cache",
            "PYTHONDONTWRITEBYTECODE": "1",  # perftrace's own would lie there as well
            "PYTHONIOENCODING": "latin-1",
            "PYTHONNOUSERSITE": "1",
            "LC_ALL": "C",
        },
    ),
    "a sitecustomize of the user's": Program(
        "import sys, sitecustomize\ndef f(n): return n\nprint(f(1), sitecustomize.mine, sys.path)",
        files={"site/sitecustomize.py": IN_APP + "    print('mine', sys.path[:1])\nmine = 5\n"},
        environment={"PYTHONPATH": "site"},
    ),
    "a sitecustomize that fails": Program(
        F,
        files={"site/sitecustomize.py": IN_APP + "    raise RuntimeError('no')\n"},
        environment={"PYTHONPATH": "site"},
    ),
    "a usercustomize": Program(
        F,
        files={"site/usercustomize.py": IN_APP + "    print('user', len(sys.argv))\n"},
        environment={"PYTHONPATH": "site", "PYTHONUSERBASE": "base"},
        words=("--", PYTHON, "app.py"),
    ),
    "a program in a zip file": Program(
        "import sys, zipfile\n"
        "with zipfile.ZipFile('lib.zip', 'w') as file:\n"
        "    file.writestr(zipfile.ZipInfo('inner.py'), 'def f(n): return n')\n"
        "sys.path.insert(0, 'lib.zip')\nimport inner\nprint(inner.f(3), inner.__file__)\n",
    ),
    "names that are not ASCII": Program(
        "import módulo\ndef größe(ñ): return ñ\nprint(größe(1), módulo.функция(2))\n",
        files={"módulo.py": "def функция(n): return n\n"},
    ),
    "a script whose name is not text": Program(
        "", words=("caf\udce9.py", "\udcff"), files={"caf\udce9.py": "import sys\n" + F}
    ),
    "an empty environment for its children": """
import os, subprocess, sys
os.environ.clear()
def run(): return subprocess.run([sys.executable, '-c', 'import os; print(dict(os.environ))'])
run().check_returncode()
""",
    "changed and removed folders": """
import os, shutil
os.makedirs('.perftrace', exist_ok=True)
shutil.rmtree('.perftrace')
os.makedirs('deep'); os.chdir('deep')
def f(): return os.path.basename(os.getcwd())
print(f())
""",
    "its own folder is gone": """
import os, shutil
folder = os.getcwd()
for name in os.listdir(): os.remove(name)
os.rmdir(folder)
def f(): return os.path.exists(folder)
print(f())
try: os.getcwd()
except FileNotFoundError: print('gone')
import colorsys
def late(n): return n
print(late(1))
os.mkdir(folder)
""",
    "an unwritable folder": """
import os
os.chmod('.', 0o500)
def f(): return 1
print(f())
os.chmod('.', 0o700)
""",
    "the trace file's folder as its own": Program(
        "import os, shutil\ndef f(n): return n\nf(1)\n"
        "print(os.path.exists('.perftrace'))\nos.makedirs('.perftrace')\n"
        "open('.perftrace/mine', 'w').write('x')\nos.rename('.perftrace', 'moved')\nf(2)\n",
    ),
    "all temporary files removed": Program(
        "import os, shutil\ndef f(n): return 'x' * n\n"
        "for name in os.listdir(os.environ['TMPDIR']):\n"
        "    shutil.rmtree(os.path.join(os.environ['TMPDIR'], name))\n"
        "for n in range(3000): f(n)\nprint('done')\n",
        said="the program removed the recording",
    ),
    "a sampled program": Program(
        "def spin(n):\n    total = 0\n    for i in range(n): total += i * i\n    return total\n"
        "print(sum(spin(n) for n in range(1500)))\n",
        sampled=True,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_surroundings(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)


def test_a_zip_application(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "__main__.py").write_text("import sys\n" + F + "sys.exit(4)\n")
    archive = tmp_path / "app.pyz"
    zipapp.create_archive(tmp_path / "source", archive)
    run_twice(Program("", words=(str(archive), "word")), tmp_path)


# Where no sampler can look into the program, the recorder times calls itself: as unnoticed.
TIMED = ENTRY.replace(
    "sys.exit(",
    "from perftrace.tracer import sampler; sampler.unavailable = lambda: 'no'; sys.exit(",
)
BUSY = """
import sys, threading, time
def deep(n):
    try: return deep(n + 1)
    except RecursionError: return n
def gen(n):
    for i in range(n): yield i
def fail(n): raise ValueError(n)
def work():
    try: fail(1)
    except ValueError: return sum(gen(5))
end = time.monotonic() + 0.4
depths = set()
while time.monotonic() < end:
    depths.add(deep(0))
    for _ in range(50): work()
    thread = threading.Thread(target=work); thread.start(); thread.join()
print(depths)
"""


def test_a_program_that_is_timed_from_within(tmp_path: Path) -> None:
    program = Program(BUSY)
    plain = outcome(program, [sys.executable, "app.py"], tmp_path)
    command = [sys.executable, "-c", TIMED, "run", "--python", sys.executable]
    timed = outcome(program, [*command, "-o", str(tmp_path / "t.db"), "app.py"], tmp_path)
    stderr, said = split(timed.stderr)
    assert (timed.code, timed.stdout, stderr) == (plain.code, plain.stdout, plain.stderr), (
        difference(plain, timed)
    )
    assert not any("stopped itself" in line for line in said), said
    assert " 0 samples" not in said[0], said
