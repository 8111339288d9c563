"""Programs with threads, signals and locks run recorded as they do plain."""

from pathlib import Path

import pytest
from twice import Program, run_twice

PROGRAMS: dict[str, Program | str] = {
    "threads and a queue": """
import threading, queue
q = queue.Queue()
def work(n):
    q.put(n * n)
threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(q.queue), threading.active_count(), [t.name for t in threading.enumerate()])
""",
    "ten thousand threads": """
import threading
total = 0
def work(n):
    global total
    total += n
for start in range(0, 10_000, 20):
    some = [threading.Thread(target=work, args=(n,)) for n in range(start, start + 20)]
    for thread in some: thread.start()
    for thread in some: thread.join()
print(total, threading.active_count())
""",
    "daemon threads at the exit": """
import threading
started = threading.Barrier(5)
def spin(n): return n + 1
def work():
    started.wait()
    n = 0
    while True: n = spin(n)
for _ in range(4): threading.Thread(target=work, daemon=True).start()
started.wait()
print('end')
""",
    "threads that outlive the main one": """
import atexit, threading
gates = [threading.Lock() for _ in range(4)]
for gate in gates: gate.acquire()
def late(n):
    gates[n].acquire()
    print('late', n, threading.main_thread().is_alive())
    gates[n + 1].release()
for n in range(3): threading.Thread(target=late, args=(n,)).start()
def after_main():
    threading.main_thread().join()
    gates[0].release()
threading.Thread(target=after_main).start()
atexit.register(print, 'at exit')
""",
    "exceptions and exits in threads": """
import sys, threading
def fail(n):
    raise ValueError(n)
def leave(n):
    sys.exit(n)
for work in (fail, leave, fail):
    thread = threading.Thread(target=work, args=(3,), name='worker')
    thread.start(); thread.join()
threading.excepthook = lambda args: print('hook', args.exc_type, args.exc_value)
thread = threading.Thread(target=fail, args=(4,)); thread.start(); thread.join()
""",
    "a thread pool": """
from concurrent.futures import ThreadPoolExecutor
def square(n):
    if n == 7: raise KeyError(n)
    return n * n
with ThreadPoolExecutor(4) as pool:
    futures = [pool.submit(square, n) for n in range(50)]
    print([f.result() if f.exception() is None else f.exception() for f in futures])
""",
    "locks, conditions and barriers": """
import threading
lock = threading.RLock(); turn = threading.Condition(); state = []
barrier = threading.Barrier(3)
class Counter:
    def __init__(self): self.n = 0; self.lock = lock
    def add(self):
        with self.lock:
            with self.lock: self.n += 1
counter = Counter()
def work(me):
    for _ in range(2000): counter.add()
    barrier.wait()
    with turn:
        turn.wait_for(lambda: len(state) == me)
        state.append(me); turn.notify_all()
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
print(counter.n, state)
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
    "thread locals and context variables": """
import threading, contextvars
local = threading.local(); variable = contextvars.ContextVar('v', default=0)
def get(): return getattr(local, 'n', None), variable.get()
def work(n, out):
    local.n = n; variable.set(n)
    out.append(get())
out = []
for n in range(3):
    thread = threading.Thread(target=work, args=(n, out)); thread.start(); thread.join()
print(out, get(), contextvars.copy_context().run(get))
""",
    "quick switches between recursions": """
import sys, threading
sys.setswitchinterval(1e-6)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
out = {}
def work(n): out[n] = fib(n)
threads = [threading.Thread(target=work, args=(n,)) for n in range(10, 19)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(out.items()))
""",
    "all threads are traced": """
import threading, sys, time
seen = set()
def trace(frame, event, arg):
    seen.add(frame.f_code.co_name)
def spin(n): return n + 1
def busy():
    end = time.monotonic() + 0.15
    while time.monotonic() < end: spin(1)
for start in (threading.settrace_all_threads, threading.setprofile_all_threads):
    start(trace); busy(); start(None)
print(sorted(name for name in seen if name[:1] != '<'))
""",
    "signals that are waited for": """
import os, signal
mine = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, mine)
def send(number): os.kill(os.getpid(), number)
for _ in range(50):
    for number in sorted(mine):
        send(number)
        assert signal.sigpending() == {number}
        assert signal.sigwait(mine) == number
print('waited', sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
pid = os.fork()
if not pid:
    send(signal.SIGUSR1)
    os._exit(signal.sigwait(mine))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
send(signal.SIGTERM)
print(signal.sigtimedwait(mine, 10).si_signo)
""",
    "an alarm that raises": """
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
    "an alarm a thousand times a second": """
import signal
rung = 0
def ring(number, frame):
    global rung
    rung += 1
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
class Account:
    def __init__(self, owner): self.owner = owner; self.entries = []
    def add(self, entry): self.entries.append(entry); return self
def use(n):
    account = Account(str(n))
    for entry in range(5): account.add(entry)
    return account
while rung < 250: last = use(rung % 10)
signal.setitimer(signal.ITIMER_REAL, 0)
print(last.entries)
""",
    "signals of its own": """
import os, signal, threading
got = []
def note(number, frame): got.append(number)
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD): signal.signal(number, note)
def send(n):
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR2)
for n in range(20): send(n)
thread = threading.Thread(
    target=lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1))
thread.start(); thread.join()
read, write = os.pipe(); os.set_blocking(write, False)
signal.set_wakeup_fd(write); send(0); signal.set_wakeup_fd(-1)
print(got.count(signal.SIGUSR1), got.count(signal.SIGUSR2), os.read(read, 10))
""",
    "an alarm during a sleep": """
import signal, time
def ring(*_): raise TimeoutError('rung')
signal.signal(signal.SIGALRM, ring)
def rest(seconds): time.sleep(seconds)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try: rest(60)
except TimeoutError as error: print(error)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try: signal.pause()
except TimeoutError as error: print(error)
""",
    "killed by its own SIGTERM": """
import os, signal
def f(n): return n
f(1); print('so far', flush=True)
os.kill(os.getpid(), signal.SIGTERM)
""",
    "killed by its own SIGKILL": """
import os, signal
def f(n): return n
f(1); print('so far', flush=True)
os.kill(os.getpid(), signal.SIGKILL)
""",
    "a polite end on SIGTERM": """
import os, signal, sys
def leave(number, frame):
    print('leaving'); sys.exit(5)
signal.signal(signal.SIGTERM, leave)
def work(n):
    try: os.kill(os.getpid(), signal.SIGTERM); return n
    finally: print('cleaned')
work(1)
""",
    "an interrupt nobody catches": """
import signal
def work(n):
    signal.raise_signal(signal.SIGINT)
work(1)
""",
    "a broken pipe": """
import os, signal, sys
def say(file, text): file.write(text); file.flush()
read, write = os.pipe()
os.close(read)
try: say(os.fdopen(write, 'w'), 'x')
except BrokenPipeError as error: print(error)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
sys.stdout.flush()
read, write = os.pipe(); os.close(read)
os.write(write, b'x')
""",
    "a sampled program with threads": Program(
        """
import threading
def spin(n):
    total = 0
    for i in range(n): total += i * i
    return total
def work(): return [spin(3000) for _ in range(300)][-1]
threads = [threading.Thread(target=work) for _ in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
print(spin(10), threading.active_count())
""",
        sampled=True,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_threads_and_signals(name: str, tmp_path: Path) -> None:
    run_twice(PROGRAMS[name], tmp_path)
