"""The topics of a live path, and the settings of Kafka's client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Topics"]


@dataclass(frozen=True)
class Topics:
    """Where events and labels come from, and where scores and the log go.

    `client` are the settings of Kafka's client, `group.id` among them; `worker` is this worker's
    name in the group: of two with one name, the older one ends.
    """

    client: Mapping[str, str] = field(repr=False)
    events: str
    scores: str
    labels: str | None = None
    log: str | None = None
    worker: str = "1"

    @property
    def incoming(self) -> list[str]:
        return [self.events, *([self.labels] if self.labels else [])]

    @property
    def every(self) -> list[str]:
        return [*self.incoming, self.scores, *([self.log] if self.log else [])]
