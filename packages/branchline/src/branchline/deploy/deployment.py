"""A deployment: what production is to be, who began it, and what approved it."""

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
    """A state of format 1, which has one wheel, with a list of artifacts."""
    wheel = state.pop("wheel")
    made = [wheel_artifact(wheel["path"].partition("/")[0], wheel)] if wheel else []
    return {**state, "artifacts": made}


FORMAT = Format("deployment", 2, {
    1: lambda content: {**content, "state": upgraded_state(dict(content["state"]))}})


@dataclass(frozen=True)
class State:
    """What production is: artifacts in installation order, with the address that jobs have
    them by; the model's address; each job's settings by name.

    Without artifacts it is the state before the first deployment. `version` is that of the last
    artifact, the repository's own wheel.
    """

    version: str | None = None
    commit: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    copy: str | None = None
    model: str | None = None
    jobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of_record(cls, content: Mapping[str, Any]) -> State:
        """The state in a JSON object of the present format."""
        return cls(**{**content, "artifacts": tuple(Artifact(**each)
                                                    for each in content["artifacts"])})


@dataclass(frozen=True)
class Deployment:
    """A numbered change of production.

    `evidence` is the checksum that was approved, `restores` the number that a rollback goes back to
    (0: to nothing). `claim` tells the one who began it from others who wanted its number.
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
