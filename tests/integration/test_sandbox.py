"""What a candidate may try that goes round Python: the kernel has to stop it.

Each probe makes a system call by its number through ctypes, where no audit hook sees it.
"""

import ast
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
from replaying import STARTS, Program, payload, started

from perftrace.replay.inside import landlock, seccomp, syscalls
from perftrace.replay.requests import Replayed

pytestmark = pytest.mark.skipif(not landlock.version(), reason="this system has no Landlock")
COLUMN = syscalls.COLUMN.get(platform.machine(), 0)
MORE = {  # calls that need no rule of their own
    "open": (2, 0), "openat": (257, 56), "unlinkat": (263, 35), "renameat": (264, 38),
    "renameat2": (316, 276), "mkdirat": (258, 34), "symlinkat": (266, 36), "linkat": (265, 37),
    "truncate": (76, 45), "connect": (42, 203), "getppid": (110, 173), "getdents64": (217, 61),
}  # fmt: skip
NUMBERS = {
    name: numbers[COLUMN]
    for table in (MORE, syscalls.CONDITIONAL, *syscalls.TABLE.values())
    for name, numbers in table.items()
}
HERE, PERMITTED, READ_ONLY, WRITE_ONLY, CREATE = -100, 0o777, 0, 1, 0o101

PROGRAM = f"""
    import ctypes, os, struct

    NUMBERS = {NUMBERS!r}
    LIBC = ctypes.CDLL(None, use_errno=True)
    LIBC.syscall.restype = ctypes.c_long

    def call(name, *given):
        ready = [one.encode() if isinstance(one, str) else one for one in given]
        ready = [ctypes.c_long(one) if isinstance(one, int) else one for one in ready]
        result = LIBC.syscall(ctypes.c_long(NUMBERS[name]), *ready)
        return result if result >= 0 else -ctypes.get_errno()

    def probe(name, *given):
        return call(name, *given)

    def fork(name, *given):
        result = call(name, *given)
        if result == 0:
            os._exit(0)
        return result

    def spawn():
        pid, path = ctypes.c_int(), b"/bin/true"
        words = (ctypes.c_char_p * 2)(path, None)
        return -LIBC.posix_spawn(ctypes.byref(pid), path, None, None, words, None)

    def look(pid):
        into, there = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
        ours = struct.pack("@PN", ctypes.addressof(into), 8)
        theirs = struct.pack("@PN", ctypes.addressof(there), 8)
        return call("process_vm_readv", pid, ours, 1, theirs, 1, 0)

    def limits(pid):
        return call("prlimit64", pid, 7, struct.pack("@QQ", 16, 16), None)

    def pin(pid):
        return call("sched_setaffinity", pid, 8, struct.pack("@Q", 1))

    def new_clone():
        return call("clone3", struct.pack("@8Q", 0, 0, 0, 0, 17, 0, 0, 0), 64)

    def type_in():
        return call("ioctl", 0, 0x5412, b"x")

    def other_numbers():
        result = LIBC.syscall(ctypes.c_long(0x40000000 + 39))
        return result if result >= 0 else -ctypes.get_errno()

    def listed(path):
        return sorted(os.listdir(path))

    def writable():
        found = []
        for name in os.listdir("/proc/self/fd"):
            try:
                there = os.readlink("/proc/self/fd/" + name)
                about = open("/proc/self/fdinfo/" + name).read()
                flags = int(about.split("flags:")[1].split()[0], 8)
            except OSError:
                continue
            if there.startswith("/") and "(deleted)" not in there and flags & 3:
                found.append(there)
        return found

    def threads():
        import threading
        found = []
        one = threading.Thread(target=found.append, args=[7])
        one.start(); one.join()
        return found

    async def pause():
        import asyncio
        await asyncio.sleep(0)
        return "awake"

    def own_files():
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a")
            with open(path, "w") as file:
                file.write("mine")
            os.chmod(path, 0o600)
            os.rename(path, path + "b")
            return open(path + "b").read()

    def read_own():
        with open("/dev/urandom", "rb") as device:
            return open(__file__).read(10), open("/proc/self/status").read(4), device.read(0)
"""


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder that is none of the program's business."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "kept").write_text("as it was")
    return folder


@pytest.fixture(params=STARTS)
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    made = Program(tmp_path / "project")
    made.write("app.py", PROGRAM)
    made.write(".perftrace/trace.db", "what is expected")
    with started(made, request.param):
        yield made


def tried(program: Program, name: str, *given: object, **options: object) -> object:
    if name in ("probe", "fork"):
        given = (given[0], given[1:])
    with program.session(**options) as session:
        reply = session.call(program.request(f"app.py:{name}", *given))
    assert isinstance(reply, Replayed), reply
    return ast.literal_eval(payload(reply))


ME = "me"  # stands for the parent's process id
OUT = "out"  # for the folder outside
REFUSED: dict[str, tuple[object, ...]] = {
    # files
    "write a file": ("probe", "openat", HERE, f"{OUT}/kept", WRITE_ONLY, 0),
    "make a file": ("probe", "openat", HERE, f"{OUT}/new", CREATE, PERMITTED),
    "delete a file": ("probe", "unlinkat", HERE, f"{OUT}/kept", 0),
    "rename a file": ("probe", "renameat2", HERE, f"{OUT}/kept", HERE, f"{OUT}/gone", 0),
    "make a folder": ("probe", "mkdirat", HERE, f"{OUT}/new", PERMITTED),
    "make a link": ("probe", "symlinkat", "/etc/passwd", HERE, f"{OUT}/new"),
    "make a second name": ("probe", "linkat", HERE, f"{OUT}/kept", HERE, f"{OUT}/new", 0),
    "cut a file off": ("probe", "truncate", f"{OUT}/kept", 0),
    "make a device": ("probe", "mknodat", HERE, f"{OUT}/new", 0o60600, 1 << 8),
    "make shared memory": ("probe", "openat", HERE, "/dev/shm/perftrace-probe", CREATE, PERMITTED),
    "read another process's environment": ("probe", "openat", HERE, f"/proc/{ME}/environ", 0, 0),
    "write another process's memory": ("probe", "openat", HERE, f"/proc/{ME}/mem", 2, 0),
    "read the kernel's messages": ("probe", "openat", HERE, "/dev/kmsg", READ_ONLY, 0),
    # processes
    "fork": ("fork", "clone", 17, 0, 0, 0, 0),
    "clone anew": ("new_clone",),
    "spawn": ("spawn",),
    "execute": ("probe", "execve", "/bin/true", 0, 0),
    "ask whether a process lives": ("probe", "kill", ME, 0),
    "signal the whole group": ("probe", "kill", 0, 0),
    "signal a thread": ("probe", "tgkill", ME, ME, 0),
    "signal a thread in the old way": ("probe", "tkill", ME, 0),
    "hold a process": ("probe", "pidfd_open", ME, 0),
    "trace a process": ("probe", "ptrace", 0x4206, ME, 0, 0),
    "read a process's memory": ("look", ME),
    "compare processes": ("probe", "kcmp", ME, ME, 0, 0, 0),
    "leave the session": ("probe", "setsid"),
    # network
    "an internet socket": ("probe", "socket", 2, 1, 0),
    "a local socket": ("probe", "socket", 1, 1, 0),
    "a raw socket": ("probe", "socket", 17, 3, 0),
    # what processes share
    "shared memory": ("probe", "shmget", 77, 4096, 0o1666),
    "a queue": ("probe", "mq_open", "perftrace", 0o102, 0o666, 0),
    # the kernel
    "another user": ("probe", "setresuid", 0, 0, 0),
    "a name space": ("probe", "unshare", 0x10000000),
    "another root": ("probe", "chroot", "/"),
    "mount": ("probe", "mount", "none", "/mnt", "tmpfs", 0, 0),
    "bpf": ("probe", "bpf", 0, 0, 0),
    "performance events": ("probe", "perf_event_open", 0, 0, -1, -1, 0),
    "page faults": ("probe", "userfaultfd", 0),
    "queues of the kernel": ("probe", "io_uring_setup", 1, 0),
    "keys": ("probe", "keyctl", 0, -3, 0),
    "typing": ("type_in",),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_does_not_get_out(name: str, program: Program, victim: Path) -> None:
    function, *words = REFUSED[name]
    given = [_filled(word, victim) for word in words]
    # What this machine does not let even us do says nothing; all of these fail with our reason.
    result = tried(program, str(function), *given)
    assert isinstance(result, int)
    assert result in (-1, -13, -38), os.strerror(-result) if result < 0 else "it got through"
    assert [path.name for path in victim.iterdir()] == ["kept"]
    assert (victim / "kept").read_text() == "as it was"
    assert not Path("/dev/shm/perftrace-probe").exists()


def _filled(word: object, victim: Path) -> object:
    if word == ME:
        return os.getpid()
    if isinstance(word, str):
        return word.replace(f"{OUT}/", f"{victim}/").replace(f"/{ME}/", f"/{os.getpid()}/")
    return word


def test_what_it_pretends_to_do_does_not_happen(program: Program, victim: Path) -> None:
    import resource

    kept = victim / "kept"
    kept.chmod(0o640)
    before = (kept.stat(), os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert tried(program, "probe", "fchmodat", HERE, str(kept), 0o777) == 0
    assert tried(program, "probe", "fchownat", HERE, str(kept), 1, 1, 0) == 0
    assert tried(program, "probe", "utimensat", HERE, str(kept), 0, 0) == 0
    assert tried(program, "probe", "setpriority", 0, os.getpid(), 19) == 0
    assert tried(program, "pin", os.getpid()) == 0
    assert tried(program, "limits", os.getpid()) == 0
    after = (kept.stat(), os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0))
    assert after == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limit


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 alone has a second set")
def test_the_second_set_of_numbers_is_shut_too(program: Program) -> None:
    assert tried(program, "other_numbers") in (-1, -38)


def test_what_is_expected_can_t_be_looked_up(program: Program, victim: Path) -> None:
    trace = program.folder / ".perftrace" / "trace.db"
    elsewhere = victim / "kept"
    for path in (trace, elsewhere):
        assert tried(program, "probe", "openat", HERE, str(path), 0, 0, hidden=[elsewhere]) == -13


def test_secrets_in_the_home_folder_can_t_be_read(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "home" / ".ssh" / "id_ed25519"
    plain = tmp_path / "home" / "notes"
    key.parent.mkdir(parents=True)
    key.write_text("secret")
    plain.write_text("not secret")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert tried(program, "probe", "openat", HERE, str(key), READ_ONLY, 0) == -13
    opened = tried(program, "probe", "openat", HERE, str(plain), READ_ONLY, 0)
    assert isinstance(opened, int)
    assert opened > 0


def test_it_holds_no_open_file_of_ours(program: Program) -> None:
    assert tried(program, "writable") in ([], ["/dev/null"])


def test_what_a_program_does_by_itself_still_works(program: Program) -> None:
    assert tried(program, "threads") == [7]
    assert tried(program, "own_files") == "mine"
    assert tried(program, "read_own") == ("\nimport ct", "Name", b"")
    with program.session() as session:
        reply = session.call(program.request("app.py:pause"))
    assert isinstance(reply, Replayed)
    assert payload(reply) == "'awake'"


def test_links_do_not_lead_to_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "a" / "hidden").mkdir(parents=True)
    (tmp_path / "a" / "open").mkdir()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "hidden")
    found = list(landlock.readable([str(tmp_path / "a" / "hidden")], str(tmp_path)))
    assert found == [str(tmp_path / "a" / "open")]


def test_the_numbers_are_those_of_the_c_library() -> None:
    headers = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
    checked = 0
    for machine, header in headers.items():
        path = Path("/usr/include") / header
        if not path.exists():
            continue
        known = dict(_defined(path))
        column = syscalls.COLUMN[machine]
        for table in (syscalls.CONDITIONAL, *syscalls.TABLE.values()):
            for name, numbers in table.items():
                if name in known:
                    assert known[name] == numbers[column], (machine, name)
                    checked += 1
    if not checked:
        pytest.skip("no header of the C library is installed")
    assert checked > 80


def _defined(header: Path) -> Iterator[tuple[str, int]]:
    for line in header.read_text().splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "#define" and words[1].startswith("__NR"):
            name = words[1].removeprefix("__NR3264_").removeprefix("__NR_")
            if words[2].isdecimal():
                yield name, int(words[2])


@pytest.mark.parametrize("machine", syscalls.COLUMN)
def test_every_jump_of_the_filter_stays_inside_it(machine: str) -> None:
    made = list(seccomp.program(machine, 4711))
    assert len(made) < 4096
    for at, (code, then, otherwise, _) in enumerate(made):
        if code in (seccomp.EQUAL, seccomp.ANY_BIT, seccomp.AT_LEAST):
            assert at + 1 + max(then, otherwise) < len(made)
        assert max(then, otherwise) < 256
    assert made[-1] == (seccomp.RETURN, 0, 0, seccomp.ALLOW)
