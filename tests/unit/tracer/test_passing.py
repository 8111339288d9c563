"""Signals that reach perftrace alone are passed on to the program, others are not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perftrace.tracer import passing

# The program counts what it gets, and tells when it gets USR2, which is sent to perftrace alone.
COUNTING = """
import signal, sys, time
got = []
def tell(*_):
    print(len(got), flush=True)
    sys.exit(7)
signal.signal(signal.SIGUSR2, tell)
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, lambda number, _: (got.append(number), print("got", flush=True)))
print("ready", flush=True)
while True:
    time.sleep(0.01)  # signal.pause would miss one that comes a moment before
"""
# What starts the tests may ignore some of them (nohup, a shell's background jobs).
PARENT = """
import os, signal, subprocess, sys
from perftrace.tracer import passing
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, signal.SIG_DFL)
with passing.signals_to() as started:
    program = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
    started(program.pid)
    status, _ = passing.wait(program.pid)
sys.exit(os.waitstatus_to_exitcode(status))
"""
NUMBERS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize("whom", ["group", "perftrace"])
def test_the_program_gets_each_signal_once(number: signal.Signals, whom: str) -> None:
    command = [sys.executable, "-c", PARENT, COUNTING]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        send = os.killpg if whom == "group" else os.kill
        send(parent.pid, number)
        assert parent.stdout.readline() == "got\n"
        parent.send_signal(signal.SIGUSR2)
        assert parent.stdout.read() == "1\n"
        assert parent.wait() == 7


# Where the program ended by the signal, the one that is passed on finds nobody, or what is left.
BOTH = """
import os, signal, subprocess, sys
from perftrace.tracer import passing
with passing.signals_to() as started:
    program = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program.stdout.readline()
    started(program.pid)
    program.send_signal(signal.SIGTERM)
    if sys.argv[1] == "gone":
        program.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    print(program.wait())
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@pytest.mark.parametrize("when", ["gone", "ending"])
def test_a_signal_that_the_program_got_too_does_not_end_perftrace(when: str) -> None:
    command = [sys.executable, "-c", BOTH, when]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("-15\nTrue\n", "")


def test_a_signal_is_passed_on_and_one_that_is_ignored_stays_ignored() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    kept = signal.signal(signal.SIGUSR1, lambda number, _: got.append(number))
    try:
        with passing.signals_to() as started:
            signal.raise_signal(signal.SIGUSR2)
            assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
            started(os.getpid())
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, kept)
        signal.signal(signal.SIGUSR2, before)
    assert got == [signal.SIGUSR1]


def test_a_signal_that_comes_before_the_program_is_passed_on_once_it_is_there() -> None:
    with passing.signals_to() as started:
        signal.raise_signal(signal.SIGTERM)
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as program:
            started(program.pid)
            assert program.wait() == -signal.SIGTERM


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def test_without_a_witness_a_terminals_signals_are_left_to_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_fork() -> int:
        raise OSError("no more processes")

    sent: list[int] = []
    monkeypatch.setattr(os, "fork", no_fork)
    monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))
    opened = descriptors()
    with passing.signals_to() as started:
        started(1)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert sent == [signal.SIGTERM]
    assert descriptors() == opened
