"""A small repository with a project, and a platform of either kind to deploy it to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mlflow

from branchline.config.deploy_file import DeployFile, Job, Schedule
from branchline.config.mlproject import Project
from branchline.config.targets import Compute, LocalTarget, WorkspaceTarget
from branchline.deploy import apply as applying, evidence, plan as planning, release_files
from branchline.deploy.deployment import Deployment
from branchline.deploy.journal import Journal
from branchline.deploy.production import Production
from branchline.deploy.release import GateResult, Origin, Release
from branchline.platforms.base import Platform
from branchline.platforms.databricks.platform import DatabricksPlatform
from branchline.platforms.local.platform import LocalPlatform
from branchline.runs.registry import Registered, Registry
from branchline.runs.tracking import Tracking
from branchline.wheels.destinations import Destination
from branchline.wheels.publish import publish
from support.workspaces import commit, git
from workspace_server import Workspace

MLPROJECT = """name: greeting
entry_points:
  main:
    parameters: {who: {default: world}, model_uri: {default: ""}}
    command: python main.py {who} {model_uri}
  compare: {command: python main.py}
"""
# The same with tables of which each deployment has its own.
WITH_TABLES = """name: greeting
entry_points:
  main:
    parameters: {who: {default: world}, model_uri: {default: ""}, table_set: {default: ""}}
    command: python main.py {who} {model_uri} {table_set}
  compare: {command: python main.py}
  readers:
    parameters: {who: {default: readers}, table_set: {default: ""}, model_uri: {default: ""}}
    command: python main.py {who} {model_uri} {table_set}
"""
SCORES = {"name": "gold.scores", "key": ["id"], "format": 1, "versioned": True,
          "columns": {"id": "STRING", "score": "DOUBLE"}}
SILVER = {"name": "silver.things", "key": ["id"], "format": 1, "versioned": False,
          "columns": {"id": "STRING"}}
MAIN = """
import sys
import time
import sample

if sys.argv[1] == "patience":
    time.sleep(600)
assert sys.argv[1] != "nobody", "there is nobody to greet"
print(sample.GREETING, sys.argv[1])
"""
CLUSTER = "0101-000000-interact"
PNG = b"\x89PNG\r\n\x1a\n a picture"


def repository(folder: Path, jobs: str = "") -> Path:
    """A git repository on main with a package, a project and, where given, a deploy.yml."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = '
                          '"hatchling.build"\n[project]\nname = "sample"\nversion = "1.0"\n'
                          'requires-python = ">=3.11"\n[project.optional-dependencies]\n'
                          'local = []\n[tool.hatch.build.targets.wheel]\npackages = '
                          '["src/sample"]\n',
        "uv.lock": 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n[[package]]\nname = '
                   '"sample"\nversion = "1.0"\nsource = { editable = "." }\n[package.metadata]\n'
                   'provides-extras = ["local"]\n',
        "src/sample/__init__.py": 'GREETING = "hello"\n', ".gitignore": ".local/\n*.pyc\n",
        "mlflow-notebooks/greeting/MLproject": MLPROJECT,
        "mlflow-notebooks/greeting/main.py": MAIN}
    if jobs:
        files["mlflow-notebooks/greeting/deploy.yml"] = jobs
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


@dataclass
class Shop:
    """A project's production with its repository; `name` sets jobs, model and wheels apart."""

    root: Path
    name: str
    platform: Platform
    said: list[str] = field(default_factory=list)
    of: str = "greeting"  # the project

    @property
    def file(self) -> DeployFile:
        return DeployFile((
            Job(f"{self.name}-score", schedule=Schedule("0 0 5 * * ?"), check=True),
            Job(f"{self.name}-monitor", parameters={"who": "friends"})))

    @property
    def project(self) -> Project:
        return Project.read(self.root / "mlflow-notebooks" / self.of)

    @property
    def journal(self) -> Journal:
        return Journal("sample", self.of, self.platform.wheels)

    @property
    def source(self) -> Destination:
        return self.platform.wheels

    def production(self, by: str, file: DeployFile | None = None) -> Production:
        return Production(self.root, file or self.file, self.project, self.platform,
                          self.platform.target, self.journal, by)

    @property
    def registry(self) -> Registry:
        return Registry(self.platform.tracking)

    def release(self, version: str, with_model: bool = True,
                tables: Sequence[Mapping[str, Any]] | None = None, **gate: Any) -> Release:
        """A published version, as publish.py makes one; its wheels cannot be installed."""
        (self.root / ".local").mkdir(exist_ok=True)
        files = [self.root / ".local" / f"{name}-{version}-py3-none-any.whl"
                 for name in ("branchline", "sample")]
        for file in files:
            file.write_bytes(f"the wheel {file.name}".encode())
        model = register(self.name) if with_model else None
        gate_result = GateResult("passed", "passed", "run-1", model, {"silver": "3"}, None, PNG)
        published = publish(files, self.source)
        return release_files.write(
            published.artifacts, Origin(self.of, "c" * 40, "main", "ci"),
            replace(gate_result, **gate), "a reason", self.source, tables)

    def plan(self, chosen: Release, file: DeployFile | None = None, **given: str) -> str:
        """Writes the evidence; its checksum."""
        found = planning.plan(self.production("a developer", file), chosen, self.name, given)
        return evidence.write_bundle(found, PNG, self.evidence)

    @property
    def evidence(self) -> Path:
        return self.root / ".local" / "evidence"

    @property
    def planned(self) -> dict[str, Any]:
        checksum = release_checksum(self.evidence)
        return evidence.read_bundle(self.evidence, checksum, self.platform.target.name)

    def apply(self, checksum: str, breaking: bool = False) -> Deployment:
        approved = evidence.read_bundle(self.evidence, checksum, self.platform.target.name)
        return applying.apply(self.production("ci"), approved, checksum, self.said.append, breaking)

    def deploy(self, version: str, tables: Sequence[Mapping[str, Any]] | None = None,
               **given: str) -> Deployment:
        return self.apply(self.plan(self.release(version, tables=tables), None, **given))

    def rollback(self, evidence: str | None = None) -> Deployment:
        return applying.rollback(self.production("ci"), self.said.append, evidence)

    def state(self) -> tuple[Registered | None, dict[str, Any]]:
        """What is really deployed: the champion, and the jobs by name."""
        return (self.registry.champion(self.name),
                {job.name: self.platform.jobs.actual(job.name) for job in self.file.jobs})


def release_checksum(folder: Path) -> str:
    from branchline.records import sha256
    return sha256((folder / "evidence.json").read_bytes())


def register(name: str, run_id: str | None = None) -> str:
    """A new version of a registered model, in the current registry; its address."""
    client = mlflow.MlflowClient()
    try:
        client.create_registered_model(name)
    except mlflow.exceptions.MlflowException:
        pass
    made = client.create_model_version(name, "dbfs:/a/model", run_id)
    return f"models:/{name}/{made.version}"


@contextmanager
def shop_in(kind: str, server: Workspace, store: str, folder: Path) -> Iterator[Shop]:
    """A shop on this machine, or in the workspace with a registry in the database `store`.

    Unity Catalog's registry is not emulated.
    """
    mlflow.set_tracking_uri(store)
    name = f"{folder.parent.name}-{folder.name}".replace("_", "-")[-60:]
    root, tracking = repository(folder / "repository"), Tracking(store, folder / "artifacts")
    if kind == "local":
        target = LocalTarget("local", store, ".local/lakehouse", "/branchline")
        yield Shop(root, name, LocalPlatform(target, root, tracking))
        return
    there = WorkspaceTarget("production", "/Shared/shop", "dev", "/Volumes/dev/branchline/files",
                            f"dbfs:/Volumes/dev/branchline/wheels/{name}",
                            Compute(existing_cluster_id=CLUSTER))
    client = server.client()
    shop = Shop(root, name,
                DatabricksPlatform(there, root, client, tracking, lambda line: None))
    yield shop
    server.clear_faults()
    for job in client.jobs.list():
        if job.settings and (job.settings.name or "").startswith(name):
            client.jobs.delete(job.job_id or 0)
