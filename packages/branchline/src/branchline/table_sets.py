"""Production's table sets: a manifest for each deployment tells which one readers see.

    <project>/000007.json             the set of deployment 7, and the deployment that it follows
    <project>/<set>.<schema>.ready    a run has filled the set in a schema; from now on it is read

The manifest with the highest number counts. Both kinds of files are only ever created, so a process
that is late, or killed, cannot undo what a later one did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from branchline.errors import BadInput
from branchline.records import Format, encoded, parsed

__all__ = ["AREA", "READERS", "Manifest", "Mounted", "TableSets", "branch_schema", "project_of",
           "readable", "set_name"]

AREA = "table_sets"  # the manifests' folder, beside checkpoints and landed files
READERS = "readers"  # the step that every pipeline has
FORMAT = Format("table-set", 1)
READY = ".ready"


class Named(Protocol):
    """An entry of a folder."""

    @property
    def name(self) -> str: ...


class Files(Protocol):
    """Files by path: a destination of a trigger, or a folder that a run has mounted."""

    def reference(self, path: str) -> str: ...

    def listing(self, folder: str) -> Sequence[Named]: ...

    def read(self, path: str) -> bytes | None: ...

    def create(self, path: str, content: bytes) -> None: ...


@dataclass(frozen=True)
class Manifest:
    """What readers see from a deployment on: the `tables` of its set.

    Without a set they see the schema's own tables. Until a run has filled the set they see what
    they saw while the deployment `before` was in place; None: the schema's own tables.
    """

    deployment: int
    table_set: str | None
    tables: tuple[str, ...] = ()
    before: int | None = None


@dataclass(frozen=True)
class Mounted:
    """A folder as this process sees it."""

    top: Path

    def reference(self, path: str) -> str:
        return str(self.top / path)

    def listing(self, folder: str) -> Sequence[Path]:
        return sorted((self.top / folder).glob("[!.]*"))

    def read(self, path: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return (self.top / path).read_bytes()
        return None

    def create(self, path: str, content: bytes) -> None:
        """Create the file; a reader may see it before it has its content."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        with (self.top / path).open("xb") as file:
            file.write(content)


@dataclass(frozen=True)
class TableSets:
    """The table sets of one project; `project` is as `project_of` names it."""

    files: Files
    project: str

    def add(self, manifest: Manifest) -> None:
        """Let readers follow this manifest, unless there is one of a later deployment."""
        content = FORMAT.written(asdict(manifest))
        with suppress(FileExistsError):  # a command that is run again
            self.files.create(self._path(manifest.deployment), encoded(content))

    def at(self, deployment: int | None) -> Manifest | None:
        """A deployment's manifest; None if it has none.

        Raises:
            BadInput: it is not a manifest, or a newer branchline wrote it.
        """
        path = self._path(deployment or 0)
        content = self.files.read(path)
        if content is None:
            return None
        where = self.files.reference(path)
        return _manifest(FORMAT.read(parsed(content, where), where), where)

    def newest(self) -> Manifest | None:
        return self.at(max(self._numbers(), default=0))

    def readable(self, schema: str) -> Manifest | None:
        """The manifest whose tables readers of a schema see now; None: the schema's own tables."""
        ready = self._ready()
        return next((each for each in self._followed(self.newest(), schema, ready)
                     if (each.table_set, schema) in ready), None)

    def needed(self, deployment: int | None) -> set[str]:
        """The set of a deployment, and those that readers see until a run has filled it; None: the
        newest with a manifest.
        """
        start, ready = self.newest() if deployment is None else self.at(deployment), self._ready()
        own = {start.table_set} if start and start.table_set else set()
        return own | {each.table_set or "" for schema in {schema for _, schema in ready}
                      for each in self._followed(start, schema, ready)}

    def mark_ready(self, table_set: str, schema: str) -> None:
        """Tell readers of a schema that a run has filled the set."""
        with suppress(FileExistsError):
            self.files.create(f"{self.project}/{table_set}.{schema}{READY}", b"")

    def is_ready(self, table_set: str) -> bool:
        """Whether a run has filled the set in any schema."""
        return any(entry.name.startswith(f"{table_set}.") and entry.name.endswith(READY)
                   for entry in self.files.listing(self.project))

    def table_names(self) -> set[str]:
        """The names of all tables that any deployment's set has."""
        found = (self.at(number) for number in self._numbers())
        return {name for manifest in found if manifest for name in manifest.tables}

    def _followed(self, start: Manifest | None, schema: str,
                  ready: Collection[tuple[str, str]]) -> Iterator[Manifest]:
        """The manifests with a set from one on, back to the first whose set is filled."""
        found = start
        while found and found.table_set:
            yield found
            if (found.table_set, schema) in ready:
                return
            found = self.at(found.before)

    def _ready(self) -> set[tuple[str, str]]:
        """The sets that a run has filled, with the schema."""
        marks = (entry.name.removesuffix(READY).partition(".")
                 for entry in self.files.listing(self.project) if entry.name.endswith(READY))
        return {(table_set, schema) for table_set, _, schema in marks}

    def _numbers(self) -> list[int]:
        stems = [entry.name.removesuffix(".json") for entry in self.files.listing(self.project)]
        return [int(stem) for stem in stems if stem.isdecimal()]

    def _path(self, deployment: int) -> str:
        return f"{self.project}/{deployment:06d}.json"


def readable(files: Files, schema: str) -> Mapping[str, str]:
    """The table set that readers of a schema see, by the table's name; the sets of all projects."""
    return dict(_readable(files, schema))


def _readable(files: Files, schema: str) -> Iterator[tuple[str, str]]:
    for project in files.listing(""):
        manifest = TableSets(files, project.name).readable(schema)
        if manifest and manifest.table_set:
            for name in manifest.tables:
                yield name, manifest.table_set


def set_name(project: str, deployment: int) -> str:
    """The table set of a project's deployment: a legal schema name, as are schemas of branches."""
    return f"{project.replace('-', '_').lower()}_{deployment}"


def project_of(table_set: str) -> str:
    """The project as the names of its table sets have it."""
    return table_set.rpartition("_")[0]


def branch_schema(schema: str) -> str:
    """The branch's schema of a schema that may be that of its other data (`<schema>__<data>`)."""
    return schema.partition("__")[0]


def _manifest(content: Mapping[str, Any], where: str) -> Manifest:
    try:
        return Manifest(**{**content, "tables": tuple(content["tables"])})
    except (KeyError, TypeError) as problem:
        raise BadInput(f"{where}: is not a manifest of a table set ({type(problem).__name__}: "
                       f"{problem}).") from None
