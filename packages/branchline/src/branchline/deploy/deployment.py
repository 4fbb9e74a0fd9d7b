"""A deployment: the state of production it makes, who started it, and what approved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from branchline.deploy.release import wheel_artifact
from branchline.records import Format, now
from branchline.wheels.artifacts import Artifact

__all__ = ["Deployment", "State", "upgraded_state"]


def upgraded_state(state: dict[str, Any]) -> dict[str, Any]:
    """Upgrades a state of format 1, with its one wheel, to a list of artifacts."""
    wheel = state.pop("wheel")
    made = [wheel_artifact(wheel["path"].partition("/")[0], wheel)] if wheel else []
    return {**state, "artifacts": made}


FORMAT = Format("deployment", 4, {
    1: lambda content: {**content, "state": upgraded_state(dict(content["state"]))},
    3: lambda content: {**content, "state": {**content["state"], "services": {}}}})


@dataclass(frozen=True)
class State:
    """The state of production: artifacts, model, and each job's settings by name.

    Artifacts are in installation order, with the addresses that jobs use. Before the first
    deployment there are none. `version` is that of the last artifact, the repository's own wheel.
    The jobs write `tables`, the versioned ones, in `table_set`; None: there are none.
    `services` are manifests by cluster, service, and kind and name.
    """

    version: str | None = None
    commit: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    copy: str | None = None
    model: str | None = None
    jobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    table_set: str | None = None
    tables: tuple[str, ...] = ()
    services: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]] = field(
        default_factory=dict)

    @classmethod
    def of_record(cls, content: Mapping[str, Any]) -> State:
        """Reads the state from a JSON object of the current format."""
        artifacts = tuple(Artifact(**each) for each in content["artifacts"])
        return cls(**{**content, "artifacts": artifacts,
                      "tables": tuple(content.get("tables", ()))})


@dataclass(frozen=True)
class Deployment:
    """A numbered change of production.

    `evidence` is the checksum that was approved, `restores` the number that a rollback goes back to
    (0: to nothing). `claim` tells the process that took the number from others that tried.
    """

    number: int
    state: State
    evidence: str | None
    restores: int | None
    by: str
    at: str = field(default_factory=now)
    claim: str = field(default_factory=lambda: uuid4().hex)
    finished: bool = False

    @property
    def kind(self) -> str:
        return "apply" if self.restores is None else f"rollback to {self.restores}"

    @property
    def line(self) -> str:
        return (f"deployment {self.number} ({self.kind}), "
                f"{'finished' if self.finished else 'half done'}, by {self.by} at {self.at}")
