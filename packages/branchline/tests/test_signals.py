from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from branchline.signals import deferred, ends_with_its_parent, interruptible
from support.processes import wait_until

EACH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


@EACH
def test_each_signal_calls_at_once_and_then_interrupts(number: int) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible(lambda: done.append("at once")):
        os.kill(os.getpid(), number)
        done.append("not reached")
    assert done == ["at once"]


@EACH
def test_a_deferred_signal_waits_for_the_end_of_the_block(number: int) -> None:
    done: list[bool] = []
    with pytest.raises(KeyboardInterrupt), deferred() as interrupted:
        done.append(interrupted())
        os.kill(os.getpid(), number)
        done.append(interrupted())
    assert done == [False, True]


@EACH
def test_the_previous_handlers_are_restored(number: int) -> None:
    before = signal.getsignal(number)
    with interruptible(), deferred():
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


@EACH
def test_later_signals_do_not_disturb_the_reaction_to_the_first(number: int) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            with interruptible():
                os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            for again in (signal.SIGINT, signal.SIGTERM):
                os.kill(os.getpid(), again)
            with deferred():
                os.kill(os.getpid(), signal.SIGTERM)
            done.append("cancelled")
            raise
    assert done == ["cancelled"]


def test_the_next_command_can_be_interrupted_again() -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), interruptible():
            os.kill(os.getpid(), signal.SIGINT)


CHILD = """
import time
from branchline.signals import ends_with_its_parent, interruptible
with ends_with_its_parent():
    try:
        with interruptible():
            print("ready", flush=True)
            time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_a_process_whose_shell_is_killed_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    with (tmp_path / "out").open("w") as out:
        shell = subprocess.Popen(["sh", "-c", '"$0" "$1"; true', sys.executable,
                                  str(tmp_path / "child.py")], stdout=out)
        wait_until(lambda: "ready" in (tmp_path / "out").read_text())
        shell.kill()
        shell.wait()
    wait_until(lambda: "interrupted" in (tmp_path / "out").read_text())


def test_a_process_whose_parent_lives_keeps_running() -> None:
    with ends_with_its_parent(), interruptible():
        time.sleep(1.2)
