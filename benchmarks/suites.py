"""The packages whose own tests `compatibility.py` runs: what they need, what is left out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """A package and how its own tests are run."""

    name: str
    version: str
    kind: str  # what it is here for
    tests: tuple[str, ...] = ("tests",)  # pytest's arguments, in the unpacked source distribution
    needs: tuple[str, ...] = ()  # beside pytest
    pytest: str = "9.1.1"
    builders: str = ""  # what the build of its sources needs pinned
    module: str = ""  # where it is not named as the package
    hide: tuple[str, ...] = ()  # removed from the sources, so that the installed package is tested
    deselect: tuple[tuple[str, str], ...] = ()  # (test, reason)

    @property
    def package(self) -> str:
        """The name to import."""
        return self.module or self.name


SUITES = (
    Suite("sqlparse", "0.6.1", "pure Python", hide=("sqlparse",)),
    Suite("tomlkit", "0.15.2", "pure Python", needs=("pyyaml",), hide=("tomlkit",)),
    Suite("jinja2", "3.1.6", "code made at run time, asyncio", needs=("trio",)),
    Suite("click", "8.5.1", "terminals, subprocesses"),
    Suite(
        "attrs",
        "26.1.0",
        "metaprogramming",
        needs=("cloudpickle", "hypothesis", "pympler"),
        module="attr",
        tests=("tests", "--hypothesis-seed=0"),
    ),
    Suite(
        "more-itertools", "11.2.1", "iterators", module="more_itertools", hide=("more_itertools",)
    ),
    Suite(
        "pyparsing", "3.3.3", "deep recursion", hide=("pyparsing",), tests=("tests/test_unit.py",)
    ),
    Suite("pluggy", "1.7.0", "what pytest itself runs on", tests=("testing",)),
    Suite(
        "werkzeug",
        "3.1.9",
        "a server in a subprocess",
        needs=("cffi", "cryptography", "ephemeral-port-reserve", "pytest-timeout", "watchdog"),
        deselect=(
            ("tests/test_serving.py::test_reloader_sys_path[watchdog]", "waits for ever by itself"),
        ),
    ),
    Suite(
        "flask",
        "3.1.3",
        "contexts, greenlets",
        needs=("asgiref", "greenlet", "python-dotenv"),
        pytest="8.4.2",
    ),
    Suite(
        "anyio",
        "4.16.0",
        "asyncio, trio, uvloop, threads",
        tests=tuple(
            f"tests/test_{name}.py"  # the others open IPv6 sockets or take minutes
            for name in (
                "taskgroups",
                "synchronization",
                "from_thread",
                "to_thread",
                "to_process",
                "to_interpreter",
                "subprocesses",
                "signals",
                "debugging",
                "lowlevel",
                "functools",
            )
        ),
        needs=(
            "blockbuster",
            "hypothesis",
            "psutil",
            "pytest-mock",
            "pytest-timeout",
            "trustme",
            "truststore",
            "trio",
            "uvloop",
        ),
    ),
    Suite(
        "starlette",
        "1.10.0",
        "asyncio",
        needs=(
            "itsdangerous",
            "jinja2",
            "opentelemetry-sdk",
            "python-multipart",
            "pyyaml",
            "httpx",
            "httpx2[zstd]",
            "blockbuster",
            "trio",
        ),
        hide=("starlette",),
    ),
    Suite(
        "janus",
        "2.0.0",
        "threads and asyncio",
        needs=("pytest-asyncio", "pytest-cov"),
        tests=("tests", "--ignore=tests/test_benchmarks.py"),
        hide=("janus",),
    ),
    Suite(
        "pebble",
        "5.2.3",
        "multiprocessing, signals",
        tests=(
            "test/test_concurrent_process_fork.py",
            "test/test_process_pool_spawn.py",
            "test/test_thread_pool.py",
        ),
        hide=("pebble",),
        deselect=(
            (
                "test/test_process_pool_spawn.py::TestProcessPool::test_process_pool_active_error",
                "races with a thread that ends at once",
            ),
        ),
    ),
    Suite(
        "multidict",
        "7.2.1",
        "C, memory leaks, coverage",
        tests=(
            "tests/test_abc.py",
            "tests/test_copy.py",
            "tests/test_istr.py",
            "tests/test_leaks.py",
            "tests/test_pickle.py",
            "tests/test_update.py",
            "tests/test_version.py",
        ),
        needs=("hypothesis", "objgraph", "pytest-codspeed", "pytest-cov", "psutil"),
        hide=("multidict",),
    ),
    Suite("wrapt", "2.5.2", "C, metaprogramming", needs=("setuptools",)),
    Suite(
        "simplejson",
        "4.3.0",
        "C, reference counts",
        tests=("--pyargs", "simplejson"),
        hide=("simplejson",),
    ),
    Suite(
        "psutil",
        "7.2.2",
        "C, the process itself",
        needs=("pytest-xdist", "setuptools"),
        tests=("tests/test_process.py", "tests/test_misc.py", "-o", "addopts="),
        hide=("psutil",),
    ),
    Suite(
        "tenacity",
        "9.2.1",
        "time, exceptions",
        needs=("tornado", "trio"),
        hide=("tenacity",),
        deselect=(
            (
                "tests/test_asyncio.py::TestContextManager::test_sleeps",
                "allows 1.1 ms of wall time",
            ),
        ),
    ),
    Suite(
        "coverage",
        "7.17.3",
        "trace functions, sys.monitoring",
        needs=("flaky", "hypothesis", "pytest-xdist"),
        tests=(
            "tests/test_arcs.py",
            "tests/test_oddball.py",
            "tests/test_concurrency.py",
            "-o",
            "addopts=",
        ),
        hide=("coverage",),
    ),
)

# Packages that work on data, whose replay tests `committed.py` looks at besides some of the above.
ALSO = (
    Suite("packaging", "26.3", "versions, markers", needs=("hypothesis", "pretend", "tomli_w")),
    Suite("textdistance", "4.6.3", "algorithms on texts", needs=("hypothesis", "numpy")),
    Suite("cssselect", "1.6.0", "a parser and a compiler", needs=("lxml",)),
    Suite("humanize", "4.17.0", "numbers and dates as text", needs=("freezegun",)),
    Suite("tabulate", "0.10.0", "tables as text", tests=("test",)),
    Suite("jsonpatch", "1.47", "nested containers", tests=("tests.py",)),
)
