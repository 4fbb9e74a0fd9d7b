from __future__ import annotations

import os
import signal

import pytest

from branchline.signals import deferred, interruptible

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_either_signal_interrupts_and_first_does_what_has_to_be_done_at_once(number: int) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible(lambda: done.append("at once")):
        os.kill(os.getpid(), number)
        done.append("not reached")
    assert done == ["at once"]


@BOTH
def test_a_held_signal_waits_for_the_end_of_the_block_which_knows_of_it(number: int) -> None:
    done: list[bool] = []
    with pytest.raises(KeyboardInterrupt), deferred() as interrupted:
        done.append(interrupted())
        os.kill(os.getpid(), number)
        done.append(interrupted())
    assert done == [False, True]


@BOTH
def test_the_handlers_of_before_are_there_again(number: int) -> None:
    before = signal.getsignal(number)
    with interruptible(), deferred():
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before
