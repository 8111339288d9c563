"""Programs that fork, exec, spawn and leave run recorded as they do plain."""

import os
from pathlib import Path

import pytest
from twice import PYTHON, Program, run_twice

WAIT = """
import os
def wait(pid): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""

PROGRAMS: dict[str, Program | str] = {
    "forks with warnings as errors": """
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
    "a fork in a thread": WAIT
    + """
import threading, warnings
warnings.simplefilter('ignore')
def work(n): return n + 1
def fork(codes):
    pid = os.fork()
    if not pid: os._exit(work(4))
    codes.append(wait(pid))
codes = []
for _ in range(3):
    thread = threading.Thread(target=fork, args=(codes,)); thread.start(); thread.join()
print(codes, threading.active_count())
""",
    "forks while threads run": WAIT
    + """
import threading, warnings
warnings.simplefilter('ignore')
stop = threading.Event()
def spin(n): return n * n
def work():
    while not stop.is_set(): spin(3)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
codes = []
for n in range(10):
    pid = os.fork()
    if not pid: os._exit(spin(n))
    codes.append(wait(pid))
stop.set()
for thread in threads: thread.join()
print(codes)
""",
    "many children at once and a deep line of them": WAIT
    + """
def leave(n): os._exit(n)
pids = []
for n in range(20):
    pid = os.fork()
    if not pid: leave(n)
    pids.append(pid)
print([wait(pid) for pid in pids])
def line(depth):
    if not depth: leave(42)
    pid = os.fork()
    if not pid: line(depth - 1)
    leave(wait(pid))
pid = os.fork()
if not pid: line(5)
print(wait(pid))
""",
    "hooks of forks": """
import os
said = []
mine = os.getpid()
def say(text): said.append((text, os.getpid() == mine))
os.register_at_fork(before=lambda: say('before'), after_in_parent=lambda: say('parent'),
                    after_in_child=lambda: say('child'))
pid = os.fork()
if pid: os.waitpid(pid, 0)
print(said, flush=True)
if not pid: os._exit(0)
""",
    "recording that goes on after a fork": Program(
        WAIT
        + """
import time
def f(n): return [n]
for n in range(5):
    pid = os.fork()
    if not pid: os._exit(0)
    wait(pid)
end = time.monotonic() + 0.4
while time.monotonic() < end: f(1)
""",
        calls=8,  # more than the first few, which need no thread
    ),
    "a fork inside a recursion and a generator": WAIT
    + """
def deep(n):
    if n: return deep(n - 1)
    pid = os.fork()
    if not pid: return 'child'
    return wait(pid)
def items():
    for n in range(3):
        pid = os.fork()
        if not pid:
            yield 'child'
            return
        yield wait(pid)
if (found := deep(50)) == 'child': os._exit(9)
print(found)
for item in items():
    if item == 'child': os._exit(7)
    print(item)
""",
    "a fork that Python is not told of": """
import ctypes, os
libc = ctypes.PyDLL(None)
def f(n): return [n]
for n in range(100): f(n)
pid = libc.fork()
for n in range(3000): f(n)
if not pid: os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "a fork, then another program": WAIT
    + """
import sys
def start(*words):
    pid = os.fork()
    if not pid: os.execv(sys.executable, [sys.executable, *words])
    return wait(pid)
print(start('-c', 'import sys; print("new", flush=True); sys.exit(6)'))
print(start('-S', '-c', 'raise SystemExit(4)'))
""",
    "it becomes another program": """
import os, sys
def again(n):
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, __file__, str(n)])
left = int(sys.argv[1]) if sys.argv[1:] else 3
print('left', left, 'PERFTRACE_RUN' in os.environ)
if left: again(left - 1)
sys.exit(12)
""",
    "it becomes one that is not Python": """
import os
def go(): os.execvpe('sh', ['sh', '-c', 'echo shell; exit 9'], {'PATH': os.environ['PATH']})
go()
""",
    "child programs by all the names": """
import os, subprocess, sys
code = 'import sys; print("child", sys.argv[1:], flush=True); sys.exit(3)'
words = [sys.executable, '-c', code]
def run(*more): return subprocess.run([*words, *more]).returncode
print(run('a'), run('b'))
print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(words[0], words, os.environ), 0)[1]))
print(os.spawnv(os.P_WAIT, words[0], words), os.system('exit 3') >> 8)
print(subprocess.run(words, preexec_fn=lambda: os.nice(1), capture_output=True).stdout)
print(subprocess.run(words, env={}, close_fds=False, capture_output=True).stdout)
print(subprocess.check_output([sys.executable, '-'], input=b'print(6 * 7)'))
""",
    "worker processes of multiprocessing": """
import multiprocessing as mp
def square(n): return n * n
def put(queue, n): queue.put(square(n))
if __name__ == '__main__':
    for method in ('fork', 'spawn', 'forkserver'):
        context = mp.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(5)))
        queue = context.Queue()
        process = context.Process(target=put, args=(queue, 9)); process.start()
        print(queue.get(), process.join(), process.exitcode)
""",
    "a process pool": """
from concurrent.futures import ProcessPoolExecutor
def square(n):
    if n == 3: raise ValueError(n)
    return n * n
if __name__ == '__main__':
    with ProcessPoolExecutor(2) as pool:
        for future in [pool.submit(square, n) for n in range(5)]:
            print(future.exception() or future.result())
""",
    "a worker that is killed": """
import multiprocessing as mp, os, signal
def die(n): os.kill(os.getpid(), n)
if __name__ == '__main__':
    for n in (signal.SIGKILL, signal.SIGTERM):
        process = mp.get_context('fork').Process(target=die, args=(n,))
        process.start(); process.join(); print(process.exitcode)
""",
    "a daemon": """
import os, sys
def serve(report):
    os.chdir('/'); os.umask(0)
    kept = report
    os.closerange(0, kept); os.closerange(kept + 1, 200)
    for number in range(3): assert os.open(os.devnull, os.O_RDWR) == number
    os.write(kept, b'serving %d' % sum(square(n) for n in range(100)))
    os._exit(0)
def square(n): return n * n
square(2)
read, write = os.pipe()
sys.stdout.flush()
if not os.fork():
    os.setsid()
    if not os.fork(): serve(write)
    os._exit(0)
os.wait(); os.close(write)
print(os.read(read, 100), os.read(read, 1))
""",
    "a terminal of its own": """
import os, pty
def child(n): os.write(1, b'x' * n); os._exit(n)
pid, terminal = pty.fork()
if not pid: child(5)
print(os.read(terminal, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "an end without clean-up": """
import atexit, os, sys
atexit.register(print, 'never')
def f(n):
    print('so far', flush=True)
    try: os._exit(n)
    finally: print('never')
f(7)
""",
    "an abort": """
import os, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
def f(): print('so far', flush=True); os.abort()
f()
""",
    "a segmentation fault": """
import ctypes, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
def f(n): print('so far', flush=True); return ctypes.string_at(n)
f(0)
""",
    "a terminated process group": """
import os, signal, subprocess, sys
def start(): return subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE,
                                     start_new_session=True)
child = start()
os.killpg(child.pid, signal.SIGTERM)
print(child.wait())
""",
    "dropped privileges": """
import os
def f(n): return n + 1
f(1)
pid = os.fork()
if not pid:
    if not os.getuid():
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    for n in range(3000): f(n)
    exec('def g(n): return n')
    grandchild = os.fork()
    if not grandchild: os._exit(f(1))
    os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) + 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "a command that starts Python": Program(
        "def f(n): return n\nprint(f(3))",
        words=("--", "sh", "-c", 'python=$0; "$python" app.py && "$python" app.py; exit 5', PYTHON),
        calls=2,
    ),
    "a sampled program with children": Program(
        """
import multiprocessing as mp
def spin(n):
    total = 0
    for i in range(n): total += i * i
    return total
if __name__ == '__main__':
    with mp.get_context('fork').Pool(2) as pool: print(sum(pool.map(spin, [20_000] * 20)))
""",
        sampled=True,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_processes(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may change its root folder")
def test_a_child_with_another_root_folder(tmp_path: Path) -> None:
    text = """
import os
def f(n): return n + 1
f(1); os.mkdir('jail')
pid = os.fork()
if not pid:
    os.chroot('jail'); os.chdir('/')
    for n in range(3000): f(n)
    inner = os.fork()
    if not inner: os._exit(f(len(os.listdir('/'))))
    os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) + 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    run_twice(text, tmp_path)
