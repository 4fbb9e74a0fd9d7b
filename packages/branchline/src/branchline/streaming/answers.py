"""What a broker's answers mean: its errors in one line, and calls that never come back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from branchline.errors import RunFailed, Unreachable
from branchline.streaming.topics import Topics

__all__ = ["Interrupted", "answering", "in_time"]

DOWN = ("_ALL_BROKERS_DOWN", "_TRANSPORT", "_RESOLVE")


class Interrupted(Exception):
    """A transaction was aborted, as on a change in the group: begin from the last committed one."""


@contextmanager
def answering(topics: Topics, problems: Sequence[str]) -> Iterator[None]:
    """In the block, Kafka's errors become those of branchline.

    Raises:
        Interrupted: the transaction can be tried again.
        RunFailed: another worker with the same name has started.
        Unreachable: everything else.
    """
    from confluent_kafka import KafkaException
    try:
        yield
    except TimeoutError as problem:
        raise unreachable(topics, [*problems, str(problem)]) from None
    except KafkaException as problem:
        error = problem.args[0]
        if error.txn_requires_abort():
            raise Interrupted(error.str()) from None
        if error.name() in ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"):
            raise RunFailed(f"worker {topics.worker}: another worker with this name has started; "
                            "expected a name of its own for each.") from None
        raise unreachable(topics, problems or [error.str()]) from None


def in_time(work: Callable[[], None], seconds: float) -> None:
    """Do the work in a thread: Kafka's client can wait forever for a broker that was killed.

    Raises:
        TimeoutError: it has not ended within these seconds; the thread is left behind.
    """
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as problem:
            failures.append(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:g} s")
    if failures:
        raise failures[0]


def unreachable(topics: Topics, problems: Sequence[str]) -> Unreachable:
    """The error for a broker that is gone, from what the client said last."""
    said = next((each for each in reversed(problems) if not each.startswith(DOWN)), problems[-1])
    return Unreachable(f"kafka://{topics.events}: {topics.client['bootstrap.servers']} does not "
                       f"answer, or refuses: {said}. Check the address and the sign-in, and start "
                       "again: nothing is lost or scored twice.")
