"""A build of azure-pipelines.yml: its stages and jobs in order, by their conditions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from tests.ci.agent import ARTIFACTS, Agent, Done, expanded
from tests.ci.definition import Job, Pipeline, Stage, holds

OUTPUT = re.compile(r"\$\[ stageDependencies\.(\w+)\.(\w+)\.outputs\['([\w.]+)'\] \]")
Approver = Callable[[Path], bool]


class Build:
    """One build; `results` has succeeded, failed or skipped for each stage and job.

    `approve` is the check on a deployment's environment: it gets the build's artifacts.
    """

    def __init__(self, agent: Agent, variables: Mapping[str, str], approve: Approver) -> None:
        self.agent, self.approve = agent, approve
        self.artifacts = agent.folder / f"artifacts-{variables['Build.BuildId']}"
        self.artifacts.mkdir(exist_ok=True)
        self.predefined = {**variables, "Pipeline.Workspace": str(agent.folder),
                           "System.JobAttempt": "1", "Agent.OS": "Linux", "TF_BUILD": "True",
                           ARTIFACTS: str(self.artifacts)}
        self.results: dict[str, str] = {}
        self.jobs: dict[str, Done] = {}

    def run(self, pipeline: Pipeline, stages: Collection[str] = (),
            without: Collection[str] = ()) -> Build:
        """Execute the pipeline, or only `stages`, as when failed ones are rerun.

        Jobs named in `without` are left out: those that another test executes.
        """
        for stage in pipeline.stages:
            if not stages or stage.name in stages:
                jobs = tuple(job for job in stage.jobs if job.name not in without)
                self._stage(replace(stage, jobs=jobs), pipeline.variables)
        return self

    def said(self, job: str) -> str:
        """The log of a job."""
        return "\n".join(self.jobs[job].log)

    def _stage(self, stage: Stage, own: Mapping[str, str]) -> None:
        variables = {name: expanded(value, self.predefined) for name, value in own.items()}
        variables = {**self.predefined, **variables,
                     **{name: self._output(value) for name, value in stage.variables.items()}}
        wanted = holds(stage.condition, variables, self._went_well(stage.needs))
        guarded = any(job.environment for job in stage.jobs)
        if not wanted or (guarded and not self.approve(self.artifacts)):
            self.results |= dict.fromkeys([stage.name, *(job.name for job in stage.jobs)],
                                          "skipped")
            return
        self.agent.say(f"\n=== {stage.title}")
        for job in stage.jobs:
            self._job(job, variables)
        ended = {self.results[job.name] for job in stage.jobs}
        self.results[stage.name] = next(
            (result for result in ("failed", "succeeded") if result in ended), "skipped")

    def _went_well(self, needed: str | None) -> bool:
        return needed is None or self.results.get(needed, "succeeded") == "succeeded"

    def _output(self, value: str) -> str:
        """What an earlier stage's step handed on, else nothing; as the service replaces it."""
        found = OUTPUT.fullmatch(value)
        assert found, value
        return self.jobs[found[2]].outputs.get(found[3], "") if found[2] in self.jobs else ""

    def _job(self, job: Job, variables: Mapping[str, str]) -> None:
        if not holds(job.condition, variables, self._went_well(job.needs)):
            self.results[job.name] = "skipped"
            return
        self.agent.say(f"\n--- {job.title}")
        if job.environment:  # a deployment finds the artifacts, whose folders are named after them
            shutil.copytree(self.artifacts, self.agent.folder, dirs_exist_ok=True)
        done = self.jobs[job.name] = self.agent.run(job.steps, variables)
        if not done.succeeded and job.on_failure:
            self.jobs[f"{job.name} on failure"] = self.agent.run(job.on_failure, variables)
        self.results[job.name] = "succeeded" if done.succeeded else "failed"
