"""What a project gives the worker: a function that opens its scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

__all__ = ["Answer", "Message", "OpenScorer", "Scorer"]


@dataclass(frozen=True)
class Message:
    """A message's value, and when it was sent, in milliseconds since 1970 UTC."""

    value: bytes | None
    time: int


@dataclass(frozen=True)
class Answer:
    """What a message became: JSON objects for the topic of scores, under `key`, and for the log.

    `score` None: only the log gets something.
    """

    key: str
    score: Mapping[str, Any] | None
    log: Mapping[str, Any]


class Scorer(Protocol):
    """Turns messages into scores; it keeps their events in the online store."""

    def load(self, address: str) -> Any:
        """The model at an MLflow address; called by another thread."""
        ...

    def score(self, model: Any, messages: Sequence[Message]) -> list[Answer]:
        """The answers to messages; one that cannot be used has none. A replay changes nothing."""
        ...

    def deliver(self, labels: Sequence[Message]) -> list[Answer]:
        """Take labels into the store; a label whose event is not there has `missed` in its log."""
        ...


# Takes the store, the project's parameters as its main.py does and, with `--inference-log`, the
# `InferenceLog`: the scorer writes its rows to it in `score`.
OpenScorer: TypeAlias = Callable[..., Scorer]
