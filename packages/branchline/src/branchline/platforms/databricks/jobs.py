"""Deployed jobs in a workspace: scheduled jobs of the Jobs API, found and changed by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from uuid import uuid4

from databricks.sdk.errors import InvalidParameterValue, NotFound
from databricks.sdk.service.jobs import (BaseJob, Continuous, CronSchedule, Format,
                                         JobAccessControlRequest, JobEnvironment, JobRunAs,
                                         JobSettings, PauseStatus, RunNowResponse, Task)

from branchline.config.targets import WorkspaceTarget
from branchline.errors import BadInput
from branchline.platforms.base import ScheduledJob
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.diagnosis import Outcome, diagnose
from branchline.platforms.databricks.poll import PollPolicy, poll
from branchline.platforms.databricks.run_info import cancel_job_run
from branchline.platforms.databricks.run_settings import RunSettings, settings_for_target
from branchline.platforms.databricks.submission import Submission, submit_body, tag_value
from branchline.platforms.databricks.submit_project import copied_script, python_script
from branchline.platforms.databricks.workspace import Workspace
from branchline.signals import deferred, interruptible

__all__ = ["WorkspaceJobs"]

OURS = ("deployed_by", "branchline")
GONE = (NotFound, InvalidParameterValue)  # jobs/delete answers 400 for a job that is not there


@dataclass(frozen=True)
class WorkspaceJobs:
    """The scheduled jobs of a workspace; `say` is called with a line at each change of a run."""

    client: Workspace
    target: WorkspaceTarget
    root: Path
    say: Callable[[str], None]

    def settings(self, job: ScheduledJob) -> dict[str, Any]:
        request, schedule = job.request, job.schedule
        settings = self._run_settings(request.project.folder)
        made = submit_body(_submission(job, settings))
        return JobSettings(
            name=job.name, format=Format.MULTI_TASK, max_concurrent_runs=1,
            timeout_seconds=0 if job.continuous else settings.timeout_seconds,
            tasks=[Task.from_dict(task) for task in made["tasks"]],
            environments=[JobEnvironment.from_dict(each) for each in made.get("environments", ())
                          ] or None,
            schedule=CronSchedule(schedule.quartz, schedule.timezone) if schedule else None,
            continuous=Continuous(pause_status=PauseStatus.UNPAUSED) if job.continuous else None,
            run_as=JobRunAs(service_principal_name=job.run_as) if job.run_as else None,
            tags=dict([OURS, *((name, tag_value(text)) for name, text in job.tags.items())]),
        ).as_dict()

    def actual(self, name: str) -> dict[str, Any] | None:
        found = self._found(name)
        if not found:
            return None
        with translated(f"job {name}"):
            settings = self.client.jobs.get(found[0]).settings
        return settings.as_dict() if settings else {}

    def put(self, name: str, settings: Mapping[str, Any]) -> None:
        client, wanted = self.client, JobSettings.from_dict(dict(settings))
        if found := self._found(name):
            with translated(f"reset job {name}"):
                client.jobs.reset(found[0], wanted)
                if wanted.continuous:  # its run has the old settings; the next starts by itself
                    client.jobs.cancel_all_runs(job_id=found[0])
        else:
            with translated(f"create job {name}"):
                client.jobs.create(**_given(wanted), access_control_list=self._permissions)
        # If the answer to a creation is lost, the client repeats it, and then there are two.
        for double in self._found(name, ours=True)[1:]:
            self._delete(name, double)

    def remove(self, name: str) -> None:
        for job in self._found(name, ours=True):
            self._delete(name, job)

    def run(self, name: str) -> None:
        found = self._found(name)
        if not found:
            raise BadInput(f"job {name}: not in the workspace; deploy it first.")
        with interruptible():
            outcome = self._followed(name, self._started(name, found[0]))
        if not outcome.succeeded:
            self.say(outcome.told)
            raise outcome.failure(f"job {name}")

    def _started(self, name: str, job: int) -> int:
        with translated(f"run job {name}"):
            started: RunNowResponse = self.client.jobs.run_now(
                job, idempotency_token=uuid4().hex).response
        self.say(f"job {name}, job run {started.run_id}")
        return started.run_id or 0

    def _followed(self, name: str, job_run: int) -> Outcome:
        client = self.client
        try:
            return diagnose(client, poll(client, job_run, self.say, PollPolicy()))
        except KeyboardInterrupt:
            with deferred():
                cancel_job_run(client, job_run)
            raise

    def _found(self, name: str, ours: bool = False) -> list[int]:
        """The ids of the jobs called `name`: deployed ones first, then the oldest."""
        with translated(f"jobs called {name}"):
            jobs = [job for job in self.client.jobs.list(name=name)
                    if job.settings and job.settings.name == name and (not ours or _is_ours(job))]
        return [job.job_id or 0 for job in
                sorted(jobs, key=lambda job: (not _is_ours(job), job.job_id or 0))]

    def _delete(self, name: str, job: int) -> None:
        with translated(f"delete job {name}"), suppress(*GONE):
            self.client.jobs.delete(job)

    def _run_settings(self, project: Path) -> RunSettings:
        return settings_for_target(self.target, project, self.root)

    @property
    def _permissions(self) -> list[JobAccessControlRequest]:
        return [JobAccessControlRequest.from_dict(dict(item)) for item in self.target.permissions]


def _submission(job: ScheduledJob, settings: RunSettings) -> Submission:
    request = job.request
    script, arguments = python_script(request.command, request.project.folder.name,
                                      request.entry_point)
    variables = {"MLFLOW_EXPERIMENT_NAME": job.experiment}
    return settings.submission(job.name, "", copied_script(job.copy, script, arguments, variables),
                               tuple(each.reference for each in job.artifacts), job.tags)


def _given(settings: JobSettings) -> dict[str, Any]:
    """The settings that are not None, as arguments of `jobs.create`."""
    found = {each.name: getattr(settings, each.name) for each in fields(settings)}
    return {name: value for name, value in found.items() if value is not None}


def _is_ours(job: BaseJob) -> bool:
    tags = (job.settings.tags or {}) if job.settings else {}
    return tags.get(OURS[0]) == OURS[1]
