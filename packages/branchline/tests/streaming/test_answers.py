"""Calls of Kafka's client that may never come back."""

from __future__ import annotations

import threading

import pytest

from branchline.errors import Unreachable
from branchline.streaming.answers import answering, in_time
from branchline.streaming.topics import Topics

TOPICS = Topics({"bootstrap.servers": "localhost:1", "group.id": "g"}, "events", "scores")


def test_a_call_that_never_comes_back_is_a_broker_that_does_not_answer() -> None:
    never = threading.Event()
    with pytest.raises(Unreachable, match="localhost:1 does not answer, or refuses: no answer "
                                          "within 0.05 s.* nothing is lost"):
        with answering(TOPICS, []):
            in_time(lambda: never.wait() and None, 0.05)
    never.set()


def test_what_a_call_raises_is_raised_and_its_end_is_waited_for() -> None:
    done: list[int] = []
    in_time(lambda: done.append(1), 60)
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: done.append(1 // 0), 60)
