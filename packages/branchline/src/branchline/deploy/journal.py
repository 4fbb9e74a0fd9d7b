"""A project's journal of deployments: numbered records, each begun by one process only.

    <destination>/<name>/deployments/<project>/000007.json    what is to be done, written before
    <destination>/<name>/deployments/<project>/000007.finished.json    that it has been done

Repositories of one project once wrote both without the project's folder; those are read, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from branchline.deploy.release import now, wheel_artifact
from branchline.errors import BadInput, NotApproved
from branchline.records import Format, encoded, read_object
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import Destination

__all__ = ["Journal", "Record", "State", "deployed_versions", "upgraded_state"]


def upgraded_state(state: dict[str, Any]) -> dict[str, Any]:
    """A state of format 1, which has one wheel, with a list of artifacts."""
    wheel = state.pop("wheel")
    made = [wheel_artifact(wheel["path"].partition("/")[0], wheel)] if wheel else []
    return {**state, "artifacts": made}


FORMAT = Format("deployment", 2, {
    1: lambda content: {**content, "state": upgraded_state(dict(content["state"]))}})
FINISHED = Format("finished", 1)


@dataclass(frozen=True)
class State:
    """What production is: artifacts in the order of installing, with the address that jobs have
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
class Record:
    """A deployment: `evidence` is what it was approved by, `restores` the number that a rollback
    goes back to (0: to nothing). `claim` tells who began it from who else wanted its number."""

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


def deployed_versions(name: str, place: Destination) -> set[str]:
    """Versions of a distribution that any of its projects ever deployed, finished or not."""
    folders = [f"{name}/deployments/{file.name}" for file in place.entries(f"{name}/deployments")
               if file.folder]
    found = set()
    for folder in [f"{name}/deployments", *folders]:
        for file in place.entries(folder):
            if file.name.removesuffix(".json").isdecimal():
                path = f"{folder}/{file.name}"
                content = FORMAT.read(read_object(path, place) or {}, place.reference(path))
                found.add(str(content["state"]["version"]))
    return found


@dataclass(frozen=True)
class Journal:
    """The records of a project's deployments; `name` is the distribution's."""

    name: str
    project: str
    place: Destination

    def newest(self) -> Record | None:
        return self._record(max(self._numbers(), default=0))

    def in_place(self, below: int | None = None) -> Record:
        """The newest finished record, of those below a number if it is given.

        Before the first there is number 0, which is nothing.
        """
        for number in sorted(self._numbers(), reverse=True):
            if below is None or number < below:
                found = self._record(number)
                if found and found.finished:
                    return found
        return Record(0, State(), None, None, "nobody", "", "", True)

    def all(self) -> list[Record]:
        """All records, half done ones among them."""
        return self.between(1, max(self._numbers(), default=0))

    def between(self, first: int, last: int) -> list[Record]:
        """The records from one number up to another, both included."""
        found = [self._record(number) for number in self._numbers() if first <= number <= last]
        return [record for record in found if record]

    def begin(self, record: Record) -> Record:
        """Write the record, and so take its number.

        Raises:
            NotApproved: another deployment has taken it meanwhile.
        """
        content = {key: value for key, value in asdict(record).items() if key != "finished"}
        try:
            self.place.create(self._path(record.number), encoded(FORMAT.written(content)))
        except FileExistsError:
            taken = self._record(record.number)
            # A call that was cut off and repeated finds the record that it has made itself.
            if taken is None or taken.claim != record.claim:
                raise NotApproved(f"{taken.line if taken else 'another deployment'}: was begun "
                                  "just before this one, which has changed nothing; see "
                                  f"`deploy.py status {self.project}`, then plan again.") from None
        return record

    def require_newest(self, record: Record) -> None:
        """Nothing, where no later deployment was begun.

        Raises:
            NotApproved: one was; this one may not go on.
        """
        newest = max(self._numbers(), default=0)
        if newest != record.number:
            raise NotApproved(f"deployment {record.number}: deployment {newest} was begun "
                              f"meanwhile; see `deploy.py status {self.project}`.")

    def finish(self, record: Record) -> None:
        """Write that the record's state is in place; another process may have done so before."""
        try:
            self.place.create(self._path(record.number, ".finished"),
                              encoded(FINISHED.written({"at": now()})))
        except FileExistsError:
            pass

    def _record(self, number: int) -> Record | None:
        content = self._read(number, "", FORMAT) if number else None
        if content is None:
            return None
        finished = self._read(number, ".finished", FINISHED) is not None
        try:
            return Record(**{**content, "state": State.of_record(content["state"]),
                             "finished": finished})
        except (KeyError, TypeError) as problem:
            raise BadInput(f"{self.place.reference(self._path(number))}: is no record of a "
                           f"deployment ({type(problem).__name__}: {problem}).") from None

    def _read(self, number: int, suffix: str, form: Format) -> dict[str, Any] | None:
        for path in (self._path(number, suffix), self._path_of_one_project(number, suffix)):
            content = read_object(path, self.place)
            if content is not None:
                return form.read(content, self.place.reference(path))
        return None

    def _numbers(self) -> list[int]:
        own = self.place.entries(f"{self.name}/deployments/{self.project}")
        former = self.place.entries(f"{self.name}/deployments")
        stems = [file.name.removesuffix(".json") for file in (*own, *former)]
        numbers = {int(stem) for stem in stems if stem.isdecimal()}
        return [number for number in numbers if not self._is_of_another_project(number)]

    def _is_of_another_project(self, number: int) -> bool:
        """Whether only a repository of one project has the number, and that project is another."""
        if self.place.read(self._path(number)) is not None:
            return False
        content = self._read(number, "", FORMAT) or {"state": {}}
        copy = content["state"].get("copy")
        return bool(copy) and f"/{self.project}/" not in copy

    def _path(self, number: int, suffix: str = "") -> str:
        return f"{self.name}/deployments/{self.project}/{number:06d}{suffix}.json"

    def _path_of_one_project(self, number: int, suffix: str = "") -> str:
        return f"{self.name}/deployments/{number:06d}{suffix}.json"
