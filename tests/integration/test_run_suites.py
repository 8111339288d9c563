"""What other people's test suites found: programs that a recorder disturbed, cut down."""

from pathlib import Path

import pytest
from running import assert_same

PROGRAMS = {
    "several interpreters": """
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
for _ in range(4):
    number = interpreters.create()
    interpreters.run_string(number, 'import json; sum(n for n in range(200_000))')
    interpreters.destroy(number)
print('done')
""",
    "signals that are blocked and waited for": """
import os, signal
wanted = {signal.SIGUSR1, signal.SIGALRM, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
for number in sorted(wanted):
    os.kill(os.getpid(), number)
    print(sorted(signal.sigpending()), signal.sigwait(wanted))
if os.fork() == 0: os._exit(0)
os.wait()
import time; time.sleep(0.2)
os.kill(os.getpid(), signal.SIGUSR1)
print(signal.sigwait(wanted))
""",
    "forks whose warnings are shown": """
import os, threading, warnings
warnings.simplefilter('always')
def child(n):
    if n % 2 and os.fork() == 0: os._exit(0)
    os._exit(0)
def fork(n):
    pid = os.fork()
    if pid == 0: child(n)
    return os.waitpid(pid, 0)[1]
print([fork(n) for n in range(6)])
pid = os.fork()
if pid == 0: os._exit(3)
print(os.waitpid(pid, 0)[1])
stop = threading.Event()
thread = threading.Thread(target=stop.wait); thread.start()
warnings.simplefilter('error')
try: os.waitpid(os.fork() or os._exit(0), 0)
except DeprecationWarning: print('warned')
stop.set(); thread.join()
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recorded_program_behaves_as_under_plain_python(name: str, tmp_path: Path) -> None:
    assert_same(PROGRAMS[name], tmp_path)
