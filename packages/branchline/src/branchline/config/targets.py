"""targets.yml: where a run goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar, Literal

from branchline.branch import Branch
from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.errors import BadInput

__all__ = ["Compute", "LocalTarget", "Target", "WorkspaceTarget", "read_target"]

SERVERLESS = "5"


@dataclass(frozen=True)
class LocalTarget:
    """This machine.

    Relative folders are under the repository's top. `tracking_uri` is the default only: the
    variable MLFLOW_TRACKING_URI wins.
    """

    kind: ClassVar[Literal["local"]] = "local"
    is_here: ClassVar[bool] = True

    name: str
    tracking_uri: str
    lakehouse: str
    experiment_root: str

    def model_name(self, project: str) -> str:
        """The name that a project's registered model has here: the project's."""
        return project

    def values(self, branch: Branch, root: Path) -> dict[str, str]:
        """What every project that takes them is given: where the branch's tables are."""
        return {"lakehouse": str((root / self.lakehouse).resolve()), "schema": branch.schema}

    def location(self, text: str) -> str:
        """The absolute path of a file or folder here; an address with a scheme as it is.

        Raises:
            ValueError: there is no such file or folder; its text says what was expected.
        """
        if ":/" in text:
            return text
        if not Path(text).exists():
            raise ValueError("an existing file or folder")
        return str(Path(text).resolve())


@dataclass(frozen=True)
class Compute:
    """What a run is computed on: exactly one of a new cluster, a running one, or serverless.

    `cluster` is a file with the Jobs API's `new_cluster`, relative to the repository's top unless
    the project's folder has one of that name; `policy_id` goes with it. `serverless` is the version
    of the serverless environment.
    """

    cluster: str | None = None
    policy_id: str | None = None
    existing_cluster_id: str | None = None
    serverless: str | None = None

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in ("cluster", "existing_cluster_id", "serverless")
                if getattr(self, kind) is not None]


@dataclass(frozen=True)
class WorkspaceTarget:
    """A Databricks workspace.

    Sign-in is by `profile` of ~/.databrickscfg, or at `host`, or by the usual variables.
    `experiment_root` is the workspace folder of experiments and project files, `catalog` holds a
    schema a branch (its name begins with `schema_prefix`), `volume` the landed files and
    checkpoints, `wheels` is where wheels are published. `permissions` are the Jobs API's,
    `parameters` what each project that takes them is given there. A host that does not answer is
    given up after `connect_seconds`.
    """

    kind: ClassVar[Literal["databricks"]] = "databricks"
    is_here: ClassVar[bool] = False

    name: str
    experiment_root: str
    catalog: str
    volume: str
    wheels: str
    compute: Compute
    profile: str | None = None
    host: str | None = None
    schema_prefix: str = ""
    permissions: tuple[Mapping[str, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    timeout_minutes: int = 0
    connect_seconds: int = 60
    parameters: Mapping[str, str] = field(default_factory=dict)

    def model_name(self, project: str) -> str:
        """The name that a project's registered model has in Unity Catalog, in three parts.

        Models are beside the volume `/Volumes/CATALOG/SCHEMA/VOLUME` of the files, in one schema
        for all branches: a branch is compared with what all of them work towards.

        Raises:
            BadInput: the target's volume is not one.
        """
        parts = self.volume.split("/")
        if len(parts) < 5 or parts[:2] != ["", "Volumes"]:
            raise BadInput(f"target {self.name}: volume is {self.volume}; expected /Volumes/CATALOG"
                           "/SCHEMA/VOLUME, whose schema holds the models.")
        return ".".join([*parts[2:4], project.replace("-", "_")])

    def values(self, branch: Branch, root: Path) -> dict[str, str]:
        """What every project that takes them is given: where the branch's tables are, its data."""
        return {"lakehouse": self.catalog, "schema": self.schema_prefix + branch.schema,
                "files": self.volume, **self.parameters}

    def location(self, text: str) -> str:
        """The text, if it is an address that a run in the workspace reaches.

        Raises:
            ValueError: it is not; its text says what was expected.
        """
        if ":/" in text or text.startswith(("/Volumes/", "/Workspace/")):
            return text
        raise ValueError("an address that the workspace reaches, such as /Volumes/...")


Target = LocalTarget | WorkspaceTarget


def read_target(path: Path, name: str) -> Target:
    """The target called `name` in targets.yml.

    Raises:
        BadInput: no such target, or one with a missing, unknown or unfit key; the text has its
            line.
    """
    found = read_yaml(path)
    if not isinstance(found.values.get(name), dict):
        raise BadInput(f"target {name} is not in {path.name}; found "
                       f"{', '.join(found.values) or 'none'}.")
    entry = found.below(name)
    return _local(name, entry) if "tracking_uri" in entry.values else _workspace(name, entry)


def _local(name: str, entry: YamlMapping) -> LocalTarget:
    entry.check_keys(f"target {name}", LocalTarget)
    return LocalTarget(name, **{key: str(value) for key, value in entry.values.items()})


def _workspace(name: str, entry: YamlMapping) -> WorkspaceTarget:
    entry.check_keys(f"target {name}", WorkspaceTarget)
    values = dict(entry.values)
    for key in values.keys() - {"compute", "permissions", "tags", "parameters",
                                "timeout_minutes", "connect_seconds"}:
        values[key] = entry.text(key, may_be_empty=key == "schema_prefix")
    values["compute"] = _compute(entry)
    values["permissions"] = _permissions(entry)
    values["tags"] = _texts(entry, "tags")
    values["parameters"] = _texts(entry, "parameters")
    for key, meaning in (("timeout_minutes", "minutes, or 0 for none"),
                         ("connect_seconds", "seconds")):
        number = values.get(key, 0)
        if not isinstance(number, int) or number < 0:
            raise entry.wrong(f"{key} is {number!r}; expected a whole number of {meaning}.", key)
    if values.get("profile") and values.get("host"):
        raise entry.wrong(f"target {name} has both profile and host; expected one of them.", "host")
    return WorkspaceTarget(name, **values)


def _texts(entry: YamlMapping, key: str) -> dict[str, str]:
    value = entry.values.get(key, {})
    if not isinstance(value, dict):
        raise entry.wrong(f"{key} is {value!r}; expected lines such as `team: fraud`.", key)
    return {str(name): str(text) for name, text in value.items()}


def _permissions(entry: YamlMapping) -> tuple[Mapping[str, str], ...]:
    value = entry.values.get("permissions", [])
    if not isinstance(value, list) or not all(
            isinstance(item, dict) and "permission_level" in item for item in value):
        raise entry.wrong(f"permissions is {value!r}; expected a list such as - {{group_name: "
                          "data-science, permission_level: CAN_VIEW}.", "permissions")
    return tuple({str(key): str(text) for key, text in item.items()} for item in value)


def _compute(entry: YamlMapping) -> Compute:
    value = entry.values["compute"]
    if value == "serverless":
        return Compute(serverless=SERVERLESS)
    known = [setting.name for setting in fields(Compute)]
    if not isinstance(value, dict) or not value.keys() <= set(known):
        raise entry.wrong(f"compute is {value!r}; expected `serverless`, or some of "
                          f"{', '.join(known)}.", "compute")
    compute = Compute(**{key: str(text) for key, text in value.items()})
    if len(compute.kinds) != 1:
        raise entry.wrong(f"compute has {' and '.join(compute.kinds) or 'neither'}; expected one "
                          "of cluster, existing_cluster_id and serverless.", "compute")
    return compute
