"""A team with a repository, a pipeline, and a workspace that the pipeline is connected to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from branchline.branch import Branch
from support.clone import PATH, ROOT
from support.processes import trigger
from support.workspaces import git
from tests.ci.agent import Agent, Done
from tests.ci.build import Approver, Build
from tests.ci.definition import Pipeline
from workspace_server import Workspace

PROJECT = "mlflow-notebooks/fraud-training"
MAIN = {"Build.Reason": "IndividualCI", "Build.SourceBranch": "refs/heads/main",
        "Build.SourceBranchName": "main"}
# The suite that this story belongs to executes them all.
A_FEW_UNIT_TESTS = "packages/branchline/tests/test_branch_names.py"


def java_home() -> str:
    """Java's folder, which a hosted agent has in a variable."""
    program = Path(shutil.which("java") or "/").resolve()
    return os.environ.get("JAVA_HOME") or str(program.parents[1])


def anybody(artifacts: Path) -> bool:
    """Whoever it is approves."""
    return True


def nobody(artifacts: Path) -> bool:
    """No one approves."""
    return False


def replace_in(file: Path, old: str, new: str) -> None:
    """Replace a text that the file must contain."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file}: {old}"
    file.write_text(text.replace(old, new), encoding="utf-8")


@dataclass(frozen=True)
class Production:
    """What is deployed: the release's commit, the champion's version, the jobs that there are."""

    commits: frozenset[str]
    champion: str | None
    jobs: frozenset[str]


@dataclass
class Team:
    """Where the team works (`desk`), pushes (`origin`), builds (`agent`) and runs (`workspace`)."""

    desk: Path
    origin: Path
    agent: Agent
    workspace: Workspace
    builds: list[Build] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        return git(self.desk, *arguments)

    def chapter(self, heading: str) -> None:
        self.agent.say(f"\n\n{'#' * 100}\n# {heading}\n{'#' * 100}")

    def push(self, branch: str, message: str, *changes: tuple[str, str, str]) -> None:
        """A branch off main with changes, each of a file's old text to a new one."""
        self.git("checkout", "--quiet", "-B", branch, "main")
        for file, old, new in changes:
            replace_in(self.desk / file, old, new)
        self.git("commit", "--quiet", "--all", "--message", message)
        self.git("push", "--quiet", "--force", "origin", branch)

    def pull_request(self, branch: str, number: int, fork: bool = False,
                     without: Collection[str] = ()) -> Build:
        """The build of a pull request: of its merge with main, which has no branch of its own."""
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch} into main", branch)
        ref = f"refs/pull/{number}/merge"
        self.git("push", "--quiet", "--force", "origin", f"HEAD:{ref}")
        build = self._opened(nobody, {
            "Build.Reason": "PullRequest", "Build.SourceBranch": ref,
            "Build.SourceBranchName": "merge", "System.PullRequest.SourceBranch": branch,
            "System.PullRequest.TargetBranch": "main", "System.PullRequest.IsFork": str(fork),
            "System.PullRequest.PullRequestNumber": str(number),
            "System.PullRequest.PullRequestId": str(900000 + number),
            "System.PullRequest.SourceCommitId": self.git("rev-parse", branch)})
        return build.run(Pipeline.read(self.desk), without=without)

    def deployment(self, evidence: Path, checksum: str) -> Build:
        """The deploy stage of a build of main, whose release stage kept this evidence."""
        build = self._opened(anybody, MAIN)
        shutil.copytree(evidence, build.artifacts / f"evidence-{checksum}")
        build.jobs["judged"] = Done(outputs={"plan.evidence": checksum})
        return build.run(Pipeline.read(self.desk), {"deploy"})

    def merge(self, branch: str, approve: Approver, stages: Collection[str] = ()) -> Build:
        """Merge into main, and the build of main that this starts, or only `stages` of it."""
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)
        self.git("push", "--quiet", "origin", "main")
        return self._opened(approve, MAIN).run(Pipeline.read(self.desk), stages)

    def _opened(self, approve: Approver, variables: Mapping[str, str]) -> Build:
        build = Build(self.agent, {
            **variables, "Build.BuildId": str(len(self.builds) + 1),
            "Build.SourceVersion": self.git("rev-parse", "HEAD"),
            "JAVA_HOME_17_X64": java_home(),
            "PYTEST_ADDOPTS": A_FEW_UNIT_TESTS,
            "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")}, approve)
        self.builds.append(build)
        return build

    def trigger(self, name: str, *arguments: str) -> str:
        """The output of a trigger that a release manager runs on the desk."""
        self.agent.say(f"\n$ mlflow-triggers/{name}.py {' '.join(arguments)}")
        done = trigger(name, *arguments, folder=self.desk,
                       PATH=PATH, **self.workspace.environment("ci@example.com"))
        assert done.returncode == 0, done.stdout + done.stderr
        self.agent.say(done.stdout)
        return done.stdout

    def planned(self, *arguments: str, project: str = "fraud-training") -> tuple[Path, str]:
        """Plans a deployment of the newest release; its evidence and the checksum of that."""
        said = self.trigger("deploy", "plan", project, "--to", "production", *arguments)
        return self.desk / ".local" / "evidence", said.rpartition("--evidence ")[2].split()[0]

    def production(self) -> Production:
        """What is really deployed, whatever the journal says."""
        listed = list(self.workspace.client().jobs.list())
        settings = [job.settings for job in listed if job.settings]
        model = MlflowClient().get_registered_model("staging.branchline.fraud_training")
        return Production(frozenset((each.tags or {})["commit"] for each in settings),
                          model.aliases.get("champion"),
                          frozenset(str(each.name) for each in settings))

    def runs(self, root: str, branch: str, project: str = "fraud-training") -> list[Run]:
        client = MlflowClient()
        name = Branch("branch", branch).experiment(root, project)
        experiment = client.get_experiment_by_name(name)
        assert experiment
        return list(client.search_runs([experiment.experiment_id]))

    def shown(self, view: str) -> str:
        """The table set that a view of production's readers shows."""
        client = self.workspace.client()
        schemas = [str(schema.name) for schema in client.schemas.list("spark_catalog")]
        [found] = [str(table.view_definition) for schema in schemas
                   if schema.startswith("production_production")
                   for table in client.tables.list("spark_catalog", schema)
                   if table.name == view and table.view_definition]
        return found.rpartition(f"`.`{view}`")[0].rpartition("__")[2]
