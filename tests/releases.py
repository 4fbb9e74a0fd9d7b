"""publish.py and deploy.py as processes, in a small repository of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow

from branchline.wheels.source import source_of
from support.clone import PATH, ROOT, a_persons_shell
from support.forked import run_script
from support.processes import kill
from support.releasing import CLUSTER, register, repository

DEPLOY = """jobs:
  {name}-score: {{schedule: {{quartz: "0 0 5 * * ?"}}, check: true}}
  {name}-monitor: {{}}
"""
TARGETS = f"""local: {{tracking_uri: "sqlite:///.local/mlflow.db", lakehouse: .local/lakehouse,
        experiment_root: /branchline}}
emulated:
  experiment_root: /Shared/branchline
  catalog: spark_catalog
  volume: /Volumes/dev/branchline/files
  wheels: dbfs:/Volumes/dev/branchline/wheels/{{name}}
  compute: {{existing_cluster_id: {CLUSTER}}}
"""


@dataclass
class Repository:
    """The triggers in a repository on main, and the MLflow database that they use."""

    folder: Path
    store: str
    variables: dict[str, str]

    def start(self, trigger: str, *arguments: str) -> subprocess.Popen[str]:
        """The trigger at work on the project `greeting`."""
        return subprocess.Popen(
            [sys.executable, *_command(trigger, arguments)], cwd=self.folder, env=self._shell,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def ended(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code, and what was said, with the trigger's own one line at the end."""
        try:
            said, complaint = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        return _told(process.returncode, said, complaint)

    def run(self, trigger: str, *arguments: str) -> tuple[int, str]:
        script, *words = _command(trigger, arguments)
        done = run_script(script, words, self.folder, self._shell)
        return _told(done.returncode, done.stdout, done.stderr)

    def well(self, trigger: str, *arguments: str) -> str:
        code, said = self.run(trigger, *arguments)
        assert code == 0, said
        return said

    def planned(self, *arguments: str) -> str:
        found = re.search(r"--evidence ([0-9a-f]{64})", self.well("deploy", "plan", *arguments))
        assert found
        return found[1]

    def judged(self, outcome: str) -> None:
        """A judged run of main on the commit, and its model in the registry if it passed."""
        source = source_of(self.folder)
        mlflow.set_tracking_uri(self.store)
        mlflow.set_experiment("/branchline/greeting/main")
        with mlflow.start_run(tags={
                "commit": source.commit or "", "wheel_version": source.version, "gate": outcome,
                "gate.reasons": f"{outcome} (as the test wants it)"}) as run:
            mlflow.log_text('{"candidate": "m", "champion": null, "reasons": []}',
                            "gate/verdict.json")
        if outcome == "passed":
            register("greeting", run.info.run_id)

    @property
    def _shell(self) -> dict[str, str]:
        return {**a_persons_shell("DATABRICKS_"), "PATH": PATH, **self.variables}


def _command(trigger: str, arguments: tuple[str, ...]) -> list[str]:
    command = arguments[:1] if trigger == "deploy" else ()
    return [f"mlflow-triggers/{trigger}.py", *command, "greeting", *arguments[len(command):]]


def _told(code: int, said: str, complaint: str) -> tuple[int, str]:
    assert "mlflow-triggers" not in complaint, complaint  # as in a traceback
    return code, said + complaint


def made(folder: Path, store: str, **variables: str) -> Repository:
    name = f"{folder.parent.name}-{folder.name}".replace("_", "-")[-60:]
    triggers = folder / "repository" / "mlflow-triggers"
    triggers.mkdir(parents=True)
    for file in ("_start.py", "image.py", "publish.py", "deploy.py"):
        shutil.copy(ROOT / "mlflow-triggers" / file, triggers)
    (triggers / "targets.yml").write_text(TARGETS.replace("{name}", name))
    repository(folder / "repository", DEPLOY.format(name=name))
    return Repository(folder / "repository", store, variables)
