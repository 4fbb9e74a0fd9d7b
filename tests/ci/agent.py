"""An agent that executes a job's steps here, as one of Azure Pipelines would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from support.clone import PATH, a_persons_shell
from support.processes import kill
from tests.ci.definition import Step, holds

MACRO = re.compile(r"\$\(([\w.]+)\)")
COMMAND = re.compile(r"##vso\[(?P<command>[\w.]+) ?(?P<fields>[^\]]*)\](?P<value>.*)")
ARTIFACTS = "Build.ArtifactStagingDirectory"
BY_THE_AGENT = {"UsePythonVersion@0", "Cache@2"}  # Python is this one; the cache is this machine's


class StepFailed(Exception):
    """A step did not do its job; the text says what was found."""


@dataclass
class Done:
    """The result of a job: whether it succeeded, its steps' outputs, pages, warnings, and log."""

    succeeded: bool = True
    outputs: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


class Agent:
    """A self-hosted agent: its checkout stays from job to job, as do the caches of its machine.

    `tokens` are those of the service connections, one user each: a step of AzureCLI@2, and no
    other, is signed in by its connection's. The SDK asks `az` only where a host is Azure's.
    """

    def __init__(self, folder: Path, origin: Path, tokens: Mapping[str, str],
                 say: Callable[[str], None]) -> None:
        self.folder, self.origin, self.tokens, self.say = folder, origin, tokens, say
        self.checkout = folder / "checkout"
        folder.mkdir(parents=True)
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        home.mkdir(parents=True, exist_ok=True)
        (folder / ".cache").symlink_to(home)

    def run(self, steps: tuple[Step, ...], variables: Mapping[str, str]) -> Done:
        """Execute the steps; after one that failed only those whose condition still holds."""
        done = Done()
        for step in steps:
            known = {**variables, **done.outputs}
            if not holds(step.get("condition", "succeeded()"), known, done.succeeded):
                continue
            try:
                self._step(step, known, done)
            except StepFailed as problem:
                done.succeeded = False
                self._log(f"##[error]{problem}", done)
        return done

    def _step(self, step: Step, variables: Mapping[str, str], done: Done) -> None:
        task = step.get("task")
        if "checkout" in step:
            return self._check_out(variables)
        if task in BY_THE_AGENT:
            return None
        self._log(f"--- {step.get('displayName')}", done)
        if "publish" in step:
            artifact = Path(variables[ARTIFACTS]) / expanded(step["artifact"], variables)
            return self._keep(Path(step["publish"]), artifact)
        if task == "PublishTestResults@2":
            return self._tests(step["inputs"])
        if task == "AzureCLI@2":
            inputs = step["inputs"]
            signed_in = {**step["env"], "DATABRICKS_AUTH_TYPE": "pat",
                         "DATABRICKS_TOKEN": self.tokens[inputs["azureSubscription"]]}
            return self._shell(inputs["inlineScript"], signed_in, step, variables, done)
        if "script" in step:
            return self._shell(step["script"], step.get("env", {}), step, variables, done)
        raise NotImplementedError(f"a step of {sorted(step)}")

    def _check_out(self, variables: Mapping[str, str]) -> None:
        """As the service does: one commit, without a branch; what git ignores stays."""
        if not self.checkout.exists():
            self._git("init", "--quiet", str(self.checkout), folder=self.folder)
        self._git("fetch", "--quiet", "--depth", "1", f"file://{self.origin}",
                  variables["Build.SourceBranch"])
        self._git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")

    def _git(self, *arguments: str, folder: Path | None = None) -> None:
        subprocess.run(["git", *arguments], cwd=folder or self.checkout, check=True)

    def _keep(self, folder: Path, artifact: Path) -> None:
        try:
            shutil.copytree(self.checkout / folder, artifact)
        except FileExistsError:
            raise StepFailed(f"artifact {artifact.name} exists already") from None

    def _tests(self, inputs: Mapping[str, str]) -> None:
        files = list(self.checkout.glob(inputs["testResultsFiles"]))
        suites = [suite for file in files for suite in ElementTree.parse(file).iter("testsuite")]
        if not suites or any(int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                             for suite in suites):
            raise StepFailed(f"test results: {len(files)} files, not all tests passed")

    def _shell(self, script: str, own: Mapping[str, str], step: Step,
               variables: Mapping[str, str], done: Done) -> None:
        command = expanded(script, variables)
        self._log(f"$ {command}", done)
        environment = _environment(variables) | {
            name: expanded(value, variables) for name, value in own.items()}
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", command], cwd=self.checkout, env=environment,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        assert process.stdout
        try:
            for line in process.stdout:
                self._log(line.rstrip("\n"), done, step.get("name", ""))
        except BaseException:
            kill(process)
            raise
        if process.wait():
            raise StepFailed(f"Bash exited with code '{process.returncode}'.")

    def _log(self, line: str, done: Done, step: str = "") -> None:
        """Execute the logging command in a line of the log."""
        found = COMMAND.match(line)
        if not found:
            done.log.append(line)
            return self.say(line)
        fields = dict(part.split("=", 1) for part in found["fields"].split(";") if part)
        if found["command"] == "task.setvariable":
            done.outputs[f"{step}.{fields['variable']}"] = found["value"]
        elif found["command"] == "task.uploadsummary":
            done.pages.append(Path(found["value"]).read_text(encoding="utf-8"))
        elif found["command"] == "task.logissue":
            done.issues.append(found["value"].replace("%3B", ";"))
            self.say(f"##[{fields['type']}]{done.issues[-1]}")
        else:
            raise NotImplementedError(found["command"])


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with its macros replaced; unknown variables stay, as on the service."""
    return MACRO.sub(lambda macro: variables.get(macro[1], macro[0]), text)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a step's process: the agent's own, and those of the build."""
    return a_persons_shell("DATABRICKS_", "PYTHON") | {"PATH": PATH} | {
        name.replace(".", "_").upper(): value for name, value in variables.items()}
