"""What a project gives the worker: a function that opens its scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from branchline.features.online import HeldFeatures

__all__ = ["Answer", "Message", "OpenScorer", "Scorer"]


class Message(NamedTuple):
    """A message's value, and when it was sent, in milliseconds since 1970 UTC."""

    value: bytes | None
    time: int


class Answer(NamedTuple):
    """What a message became: JSON objects for the topic of scores, under `key`, and for the log.

    `score` None: only the log gets something. `at` is the message's place among those given.
    """

    key: str
    score: Mapping[str, Any] | None
    log: Mapping[str, Any]
    at: int = 0


class Scorer(Protocol):
    """Turns messages into scores; their events are kept in its `features`, and saved later."""

    @property
    def features(self) -> HeldFeatures: ...

    def load(self, address: str) -> Any:
        """The model at an MLflow address; called by another thread."""
        ...

    def score(self, model: Any, messages: Sequence[Message]) -> list[Answer]:
        """The answers to messages; one that cannot be used has none. A replay changes nothing."""
        ...

    def restore(self, messages: Sequence[Message]) -> None:
        """Take messages that were scored before into the features again."""
        ...

    def deliver(self, labels: Sequence[Message]) -> list[Answer]:
        """Take labels into the store; a label whose event is not there has `missed` in its log."""
        ...


# Takes the store, the project's parameters as its main.py does and, with `--inference-log`, the
# `InferenceLog`: the scorer writes its rows to it in `score`.
OpenScorer: TypeAlias = Callable[..., Scorer]
