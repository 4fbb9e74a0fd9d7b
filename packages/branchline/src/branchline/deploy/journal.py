"""A project's journal: its deployments by number, each begun by one process only.

    <destination>/<name>/deployments/<project>/000007.json    what to do, written before
    <destination>/<name>/deployments/<project>/000007.finished.json    written when it is done
    <destination>/<name>/deployments/<project>/000007.canary.<service>.json    a canary's verdict

Earlier versions wrote both without the project's folder, for a repository's only project; these are
read, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from branchline.deploy.deployment import FORMAT, Deployment, State
from branchline.errors import BadInput, NotApproved
from branchline.records import Format, encoded, now, read_object
from branchline.wheels.destinations import Destination

__all__ = ["Journal", "deployed_versions"]

FINISHED = Format("finished", 1)


def deployed_versions(name: str, destination: Destination) -> set[str]:
    """Versions of a distribution that any of its projects ever deployed, finished or not."""
    top = f"{name}/deployments"
    folders = [f"{top}/{file.name}" for file in destination.listing(top) if file.folder]
    found = set()
    for folder in [top, *folders]:
        for file in destination.listing(folder):
            if file.name.removesuffix(".json").isdecimal():
                path = f"{folder}/{file.name}"
                content = FORMAT.read(read_object(path, destination) or {},
                                      destination.reference(path))
                found.add(str(content["state"]["version"]))
    return found


@dataclass(frozen=True)
class Journal:
    """The deployments of a project; `name` is the distribution's."""

    name: str
    project: str
    destination: Destination

    def newest(self) -> Deployment | None:
        return self._deployment(max(self._numbers(), default=0))

    def current(self, below: int | None = None) -> Deployment:
        """The newest finished deployment, below a number if one is given.

        Before the first one it is number 0, with nothing deployed.
        """
        for number in sorted(self._numbers(), reverse=True):
            if below is None or number < below:
                found = self._deployment(number)
                if found and found.finished:
                    return found
        return Deployment(0, State(), None, None, "nobody", "", "", True)

    def all(self) -> list[Deployment]:
        """All deployments, unfinished ones too."""
        return self.between(1, max(self._numbers(), default=0))

    def between(self, first: int, last: int) -> list[Deployment]:
        """The deployments from one number up to another, both included."""
        found = [self._deployment(number) for number in self._numbers() if first <= number <= last]
        return [deployment for deployment in found if deployment]

    def begin(self, deployment: Deployment) -> Deployment:
        """Write the deployment, which takes its number.

        Raises:
            NotApproved: another deployment has taken it meanwhile.
        """
        content = {key: value for key, value in asdict(deployment).items() if key != "finished"}
        try:
            self.destination.create(self._path(deployment.number), encoded(FORMAT.written(content)))
        except FileExistsError:
            taken = self._deployment(deployment.number)
            # A call that was interrupted and retried may find the deployment it wrote itself.
            if taken is None or taken.claim != deployment.claim:
                raise NotApproved(f"{taken.line if taken else 'another deployment'}: started "
                                  "just before this one, which has changed nothing; see "
                                  f"`deploy.py status {self.project}`, then plan again.") from None
        return deployment

    def require_newest(self, deployment: Deployment) -> None:
        """Check that no later deployment has started.

        Raises:
            NotApproved: one has; this one must stop.
        """
        newest = max(self._numbers(), default=0)
        if newest != deployment.number:
            raise NotApproved(f"deployment {deployment.number}: deployment {newest} has started "
                              f"meanwhile; see `deploy.py status {self.project}`.")

    def finish(self, deployment: Deployment) -> None:
        """Mark the deployment as finished; another process may have done so before."""
        try:
            self.destination.create(self._path(deployment.number, ".finished"),
                                    encoded(FINISHED.written({"at": now()})))
        except FileExistsError:
            pass

    def attach(self, deployment: Deployment, name: str, content: Mapping[str, Any]) -> None:
        """Keep a record beside the deployment's, `000007.NAME.json`; the newest of that name."""
        self.destination.replace(self._path(deployment.number, f".{name}"), encoded(content))

    def _deployment(self, number: int) -> Deployment | None:
        content = self._read(number, "", FORMAT) if number else None
        if content is None:
            return None
        finished = self._read(number, ".finished", FINISHED) is not None
        try:
            return Deployment(**{**content, "state": State.of_record(content["state"]),
                                 "finished": finished})
        except (KeyError, TypeError) as problem:
            raise BadInput(f"{self.destination.reference(self._path(number))}: is not a "
                           f"deployment ({type(problem).__name__}: {problem}).") from None

    def _read(self, number: int, suffix: str, form: Format) -> dict[str, Any] | None:
        for path in (self._path(number, suffix), self._path_of_one_project(number, suffix)):
            content = read_object(path, self.destination)
            if content is not None:
                return form.read(content, self.destination.reference(path))
        return None

    def _numbers(self) -> list[int]:
        own = self.destination.listing(f"{self.name}/deployments/{self.project}")
        former = self.destination.listing(f"{self.name}/deployments")
        stems = [file.name.removesuffix(".json") for file in (*own, *former)]
        numbers = {int(stem) for stem in stems if stem.isdecimal()}
        return [number for number in numbers if not self._is_of_another_project(number)]

    def _is_of_another_project(self, number: int) -> bool:
        """Whether the number is an old record without a project that belongs to another project."""
        if self.destination.read(self._path(number)) is not None:
            return False
        content = self._read(number, "", FORMAT) or {"state": {}}
        copy = content["state"].get("copy")
        return bool(copy) and f"/{self.project}/" not in copy

    def _path(self, number: int, suffix: str = "") -> str:
        return f"{self.name}/deployments/{self.project}/{number:06d}{suffix}.json"

    def _path_of_one_project(self, number: int, suffix: str = "") -> str:
        return f"{self.name}/deployments/{number:06d}{suffix}.json"
