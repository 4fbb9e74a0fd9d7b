"""A project's run on a workspace: the submission, and the way to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from branchline.config.targets import WorkspaceTarget
from branchline.errors import PlatformError
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.job_run import JobRun
from branchline.platforms.databricks.live_sources import sync
from branchline.platforms.databricks.poll import PollPolicy
from branchline.platforms.databricks.project_copy import files_to_upload
from branchline.platforms.databricks.run_settings import settings_for_target
from branchline.platforms.databricks.submission import tag_value
from branchline.platforms.databricks.submit_project import Work, python_script, send
from branchline.platforms.databricks.tracking import WorkspaceTracking
from branchline.platforms.databricks.workspace import Workspace
from branchline.platforms.project_files import upload
from branchline.runs.request import Request
from branchline.signals import interruptible
from branchline.wheels.destinations import Destination
from branchline.wheels.required import locked, requirements
from branchline.wheels.publish import publish, publish_checkout

__all__ = ["Launch"]

TAGS = ("project", "branch", "commit", "started_by")


@dataclass(frozen=True)
class Launch:
    """Launches projects in a workspace; `say` is called with a line at each change of a run."""

    target: WorkspaceTarget
    client: Workspace
    tracking: WorkspaceTracking
    wheels: Destination
    say: Callable[[str], None]

    def launch(self, request: Request, experiment_id: str, run_id: str, tags: Mapping[str, str],
               wait: bool) -> None:
        """Submit the project, and follow it to its end if `wait`.

        Raises:
            RunFailed: it ended without success; the text says why.
            RunCancelled: somebody cancelled it on the platform.
            KeyboardInterrupt: Ctrl-C or SIGTERM; it was cancelled, its run is marked KILLED.
        """
        with interruptible():
            with self.tracking.never_left_running(run_id):
                job_run = self._sent(request, experiment_id, run_id, tags)
            submitted = JobRun(self.client, self.tracking, run_id, job_run, self.say, self._policy)
            with self._cancelled_on_interrupt(submitted):
                self._record(submitted)
                if wait:
                    self._wait(submitted, request.project.name)

    def attach(self, run_id: str) -> None:
        """Follow a run that was submitted earlier to its end.

        Raises:
            BadInput: the MLflow run does not belong to a job.
            RunFailed, KeyboardInterrupt: as `launch`.
        """
        submitted = replace(JobRun.of(self.client, self.tracking, run_id, self.say),
                            poll_policy=self._policy)
        with interruptible(), self._cancelled_on_interrupt(submitted):
            self._wait(submitted, run_id)

    def _sent(self, request: Request, experiment_id: str, run_id: str,
              tags: Mapping[str, str]) -> int:
        folder = request.project.folder
        settings = settings_for_target(self.target, folder, request.root)
        assert settings.folder
        script, arguments = python_script(request.command, folder.name, request.entry_point)
        files = destination(settings.folder, self.client)
        variables = {}
        if request.live:
            owner = tag_value(f"{request.branch.slug}-{tags['started_by']}")
            copy, sources = sync(request.root, folder, f"live/{owner}", files)
            libraries, variables = requirements(request.root), {"PYTHONPATH": sources}
        else:
            copy = upload(files_to_upload(folder), request.project.name, files)
            libraries = self._libraries(request)
        work = Work(request.project.name, copy, script, arguments, run_id, experiment_id, libraries,
                    variables, {name: tags[name] for name in TAGS})
        return send(self.client, work, settings, self.say)

    @property
    def _policy(self) -> PollPolicy:
        return PollPolicy(outage=self.target.outage_minutes * 60)

    def _libraries(self, request: Request) -> tuple[str, ...]:
        found = (publish(request.wheels, self.wheels) if request.wheels
                 else publish_checkout(request.root, self.wheels))
        return tuple(each.reference for each in (*locked(request.root), *found.artifacts))

    def _record(self, submitted: JobRun) -> None:
        try:
            self.say(f"job run {submitted.job_run}  {submitted.tag()}")
        except PlatformError as problem:  # the run matters more than the tag
            self.say(f"job run {submitted.job_run} is submitted, but its MLflow run could not be "
                     f"tagged with it: {problem}")

    @contextmanager
    def _cancelled_on_interrupt(self, submitted: JobRun) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self.say(f"interrupted; cancelling job run {submitted.job_run}")
            submitted.cancel()
            raise

    @staticmethod
    def _wait(submitted: JobRun, name: str) -> None:
        outcome = submitted.wait()
        if not outcome.succeeded:
            raise outcome.failure(name)
