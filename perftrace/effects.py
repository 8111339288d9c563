"""What a call may do to the world outside its values: one table of kinds for recorder and replay.

A *kind* is a word; `VERBS` says what making such a call again would do, where that must not
happen. The recorder finds a kind by the C function that is called (`CALLED`), the replay guard by
the audit event (`EVENTS`).

Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import builtins

globals()["__builtins__"] = dict(vars(builtins))

# Kinds of effects.
READ = "file read"
OPENED = "file opened"  # how was not seen
WRITTEN = "file written"
REMOVED = "file removed"
RENAMED = "file renamed"
CHANGED = "file changed"  # its mode, owner or times
MADE = "folder or link made"
LISTED = "folder listed"
DATABASE = "database opened"
NETWORK = "network"
PROCESS = "process started"
SIGNAL = "signal sent"
LIBRARY = "library loaded"
ENVIRONMENT = "environment written"
MODULE = "module imported"
THREAD = "thread started"

# What a call reads that is not among its arguments.
CLOCK = "clock"
RANDOM = "randomness"
VARIABLES = "environment"
IDENTITY = "process identity"

# Kinds that must not happen again, and the words for it: "would use the network".
VERBS = {
    WRITTEN: "write",
    REMOVED: "delete",
    RENAMED: "rename",
    CHANGED: "change",
    MADE: "make",
    DATABASE: "open, and maybe change, the database",
    NETWORK: "use the network",
    PROCESS: "start a process",
    SIGNAL: "send a signal",
    LIBRARY: "load the library",
}
# Of those, the kinds whose detail is a path: harmless in a place of their own.
PLACED = frozenset({WRITTEN, REMOVED, RENAMED, CHANGED, MADE, DATABASE})
HARM = frozenset(VERBS.keys() - PLACED)  # these are wherever they happen
# Kinds whose detail is a path.
OF_FILES = frozenset({READ, OPENED, LISTED, DATABASE, *PLACED})

# Audit events of the interpreter; replay's guard refuses those whose kind has a verb.
EVENTS = {
    "open": WRITTEN,  # where it is opened to write
    "os.remove": REMOVED,
    "os.rmdir": REMOVED,
    "os.rename": RENAMED,
    "os.truncate": WRITTEN,
    **dict.fromkeys(("os.mkdir", "os.link", "os.symlink"), MADE),
    **dict.fromkeys(
        (
            *("os.chmod", "os.lchmod", "os.chown", "os.lchown", "os.chflags", "os.lchflags"),
            *("os.utime", "os.setxattr", "os.removexattr"),
        ),
        CHANGED,
    ),
    "sqlite3.connect": DATABASE,
    "ctypes.dlopen": LIBRARY,
    **dict.fromkeys(
        (
            *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
            *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
            "socket.getnameinfo",
        ),
        NETWORK,
    ),
    **dict.fromkeys(
        (
            *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty"),
            *("os.posix_spawn", "os.spawn", "pty.spawn"),
        ),
        PROCESS,
    ),
    "os.kill": SIGNAL,
    "os.killpg": SIGNAL,
}

# The C functions that do it, by module (or class) and name: what the recorder looks for.
CALLED = {
    ("_io", "open"): OPENED,
    ("posix", "open"): OPENED,
    **{("posix", name): REMOVED for name in ("remove", "unlink", "rmdir")},
    ("posix", "truncate"): WRITTEN,
    **{("posix", name): MADE for name in ("mkdir", "link", "symlink", "mkfifo", "mknod")},
    **{("posix", name): RENAMED for name in ("rename", "replace")},
    **{
        ("posix", name): CHANGED
        for name in (
            *("chmod", "lchmod", "chown", "lchown", "chflags", "lchflags", "utime"),
            *("setxattr", "removexattr"),
        )
    },
    **{("posix", name): LISTED for name in ("listdir", "scandir")},
    **{
        ("posix", name): PROCESS
        for name in ("system", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve")
    },
    ("_posixsubprocess", "fork_exec"): PROCESS,
    **{("posix", name): SIGNAL for name in ("kill", "killpg")},
    **{
        ("_signal", name): SIGNAL for name in ("raise_signal", "pthread_kill", "alarm", "setitimer")
    },
    **{("posix", name): ENVIRONMENT for name in ("putenv", "unsetenv")},
    **{
        ("_socket", name): NETWORK
        for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")
    },
    **{
        ("_socket.socket", name): NETWORK
        for name in (
            *("connect", "connect_ex", "bind", "listen", "accept", "_accept", "sendto", "sendmsg"),
            *("send", "sendall", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg"),
        )
    },
    ("_sqlite3", "connect"): DATABASE,
    ("_ctypes", "dlopen"): LIBRARY,
    ("_thread", "start_new_thread"): THREAD,
    ("_thread", "start_joinable_thread"): THREAD,
}
# Code that names none of these calls none of those functions, but by a name of its own.
NAMES = frozenset(
    {name for _, name in CALLED}
    | {"_builtin_open", "_fork_exec", "_start_new_thread", "_start_joinable_thread", "_dlopen"}
)

# Where the clock, randomness and the like are read: module -> name -> what is read.
READERS = {
    "time": dict.fromkeys(
        (
            *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
            *("process_time", "process_time_ns", "thread_time", "thread_time_ns", "localtime"),
            *("gmtime", "ctime", "asctime", "strftime", "clock_gettime", "clock_gettime_ns"),
        ),
        CLOCK,
    ),
    "datetime": dict.fromkeys(("now", "utcnow", "today"), CLOCK),
    "random": dict.fromkeys(
        (
            *("random", "randint", "randrange", "choice", "choices", "sample", "shuffle"),
            *("uniform", "gauss", "getrandbits", "randbytes", "normalvariate", "triangular"),
            *("betavariate", "expovariate", "gammavariate", "lognormvariate", "vonmisesvariate"),
            *("paretovariate", "weibullvariate", "binomialvariate", "SystemRandom"),
        ),
        RANDOM,
    ),
    "secrets": dict.fromkeys(
        ("token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow", "randbits"), RANDOM
    ),
    "uuid": dict.fromkeys(("uuid1", "uuid4", "uuid6", "uuid7"), RANDOM),
    "os": {
        **dict.fromkeys(("urandom", "getrandom"), RANDOM),
        **dict.fromkeys(("environ", "environb", "getenv", "getenvb"), VARIABLES),
        **dict.fromkeys(("getpid", "getppid"), IDENTITY),
    },
}
