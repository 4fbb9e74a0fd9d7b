"""Targets: where a run goes, this machine or a Databricks workspace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from branchline.branch import Branch
from branchline.errors import BadInput

__all__ = ["Compute", "LocalTarget", "Target", "WorkspaceTarget", "require_named"]

SERVERLESS = "5"
RESERVED = {"default", "global_temp", "information_schema"}  # a prefix and a branch may form these
REACHED = re.compile(r"[A-Za-z][\w+.-]*:/+[^/]|/(Volumes|Workspace)/[^/]")


@dataclass(frozen=True)
class LocalTarget:
    """This machine.

    Relative folders are below the repository's top. `tracking_uri` is a default: the variable
    MLFLOW_TRACKING_URI overrides it. `kafka` are the settings for Kafka in one line, or empty.
    """

    kind: ClassVar[Literal["local"]] = "local"
    is_here: ClassVar[bool] = True

    name: str
    tracking_uri: str
    lakehouse: str
    experiment_root: str
    kafka: str = ""

    def model_name(self, project: str) -> str:
        """The name that a project's registered model has here: the project's."""
        return project

    def values(self, branch: Branch, root: Path) -> dict[str, str]:
        """Parameters for every project that has them: where the branch's tables are."""
        return {"lakehouse": str((root / self.lakehouse).resolve()), "schema": branch.schema,
                **({"kafka": self.kafka} if self.kafka else {})}

    def location(self, text: str) -> str:
        """The absolute path of a file or folder here; an address, or a target's block, as it is.

        Raises:
            ValueError: there is no such file or folder; its text says what was expected.
        """
        if ":/" in text or text.startswith("{"):
            return text
        try:
            return str(Path(text).resolve(strict=True))
        except FileNotFoundError:
            raise ValueError("an existing file or folder") from None
        except (OSError, RuntimeError) as problem:  # RuntimeError: a link to itself
            reason = getattr(problem, "strerror", None) or "a link to itself"
            raise ValueError(f"an existing file or folder (the system says: {reason})") from None


@dataclass(frozen=True)
class Compute:
    """The compute of a run: exactly one of a new cluster, a running one, or serverless.

    `cluster` is a file with the Jobs API's `new_cluster`, relative to the repository's top, unless
    the project's folder has a file of that name; `policy_id` goes with it. `serverless` is the
    version of the serverless environment.
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
    `experiment_root` is the workspace folder of experiments and project files, `catalog` holds one
    schema per branch (named with `schema_prefix`), `volume` the landed files and checkpoints;
    wheels are published to `wheels`. `permissions` are the Jobs API's, `parameters` are passed to
    every project that has them, `kafka` are the settings for Kafka in one line. After
    `connect_seconds` the command gives up on a host that does
    not answer; while it follows a run, it gives up after `outage_minutes` on a host that no longer
    answers or knows the user.
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
    outage_minutes: int = 30
    parameters: Mapping[str, str] = field(default_factory=dict)
    kafka: str = ""

    def model_name(self, project: str) -> str:
        """The name that a project's registered model has in Unity Catalog, in three parts.

        Models are beside the volume `/Volumes/CATALOG/SCHEMA/VOLUME` of the files, in one schema
        for all branches, since all are compared with the same champion.

        Raises:
            BadInput: the target's volume is not such a path.
        """
        parts = self.volume.split("/")
        if len(parts) < 5 or parts[:2] != ["", "Volumes"]:
            raise BadInput(f"target {self.name}: volume is {self.volume}; expected /Volumes/CATALOG"
                           "/SCHEMA/VOLUME, whose schema holds the models.")
        return ".".join([*parts[2:4], project.replace("-", "_")])

    def schema(self, branch: Branch) -> str:
        """The schema of a branch's tables: never one of the platform's, nor that of the volume
        and the wheels, which clean.py would remove with the branch."""
        name = self.schema_prefix + branch.schema
        parts = [address.removeprefix("dbfs:").split("/") for address in (self.volume, self.wheels)]
        taken = {part[3].lower() for part in parts if part[1:3] == ["Volumes", self.catalog]
                 and len(part) > 3} | RESERVED
        return self.schema_prefix + branch.hashed_schema if name in taken else name

    def values(self, branch: Branch, root: Path) -> dict[str, str]:
        """Parameters for every project that has them: the branch's tables, and the data."""
        return {"lakehouse": self.catalog, "schema": self.schema(branch),
                "files": self.volume, **({"kafka": self.kafka} if self.kafka else {}),
                **self.parameters}

    def location(self, text: str) -> str:
        """The text, if it is an address that a run in the workspace reaches.

        Raises:
            ValueError: it is not; its text says what was expected.
        """
        if "$(" in text or "${" in text:
            raise ValueError("an address with the CI's variables filled in")
        if text == text.strip() and (REACHED.match(text) or text == (self.kafka or None)):
            return text
        raise ValueError("an address that the workspace reaches, such as /Volumes/...")


Target = LocalTarget | WorkspaceTarget


def require_named(target: Target, environment: Mapping[str, str], doing: str) -> None:
    """Check that a target names its workspace, before something is changed or removed there.

    Raises:
        BadInput: the target names none, so that the DEFAULT profile would be used.
    """
    if target.kind == "local" or target.profile or target.host or environment.get(
            "DATABRICKS_HOST"):
        return
    raise BadInput(f"target {target.name}: has neither host nor profile in targets.yml, and "
                   f"DATABRICKS_HOST is not set; {doing} needs one of them: it does not act on "
                   "the workspace of the DEFAULT profile.")
