"""The MLflow project backend `databricks-jobs`, as a plugin that MLflow finds by that name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlflow.entities import RunStatus
from mlflow.exceptions import ExecutionException
from mlflow.projects import SubmittedRun
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.utils import fetch_and_validate_project, get_or_create_run, load_project

from branchline.errors import BadInput
from branchline.platforms.databricks.client import connect
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.job_run import JobRun
from branchline.platforms.databricks.project_copy import files_to_upload
from branchline.platforms.databricks.run_settings import RunSettings, settings_for_config
from branchline.platforms.databricks.submit_project import Work, python_script, send
from branchline.platforms.databricks.tracking import WorkspaceTracking
from branchline.platforms.databricks.workspace import Workspace
from branchline.platforms.project_files import upload
from branchline.wheels.required import locked
from branchline.wheels.destinations import Destination
from branchline.wheels.publish import check_publishable, publish_checkout

__all__ = ["DatabricksJobsBackend"]


class DatabricksJobsBackend(AbstractBackend):
    """Runs MLprojects of Python entry points on a job cluster, a running cluster or serverless."""

    def run(self, project_uri: str, entry_point: str, params: Mapping[str, str] | None,
            version: str | None, backend_config: Mapping[str, Any], tracking_uri: str,
            experiment_id: str) -> SubmittedRun:
        """Submit the entry point; `backend_config` is as in `settings_for_config`.

        Raises:
            ExecutionException: no experiment is named; `mlflow run` prints it as one line.
            BadInput: tracking does not use the workspace, or something cannot be run.
            PlatformError: the workspace does not answer, or does not permit it.
        """
        if not tracking_uri.startswith("databricks"):
            raise BadInput(f"tracking URI is {tracking_uri!r}; the backend databricks-jobs needs "
                           "runs tracked where they run: set MLFLOW_TRACKING_URI=databricks.")
        if str(experiment_id or "0") == "0":  # MLflow's default, which no workspace has
            raise ExecutionException("no experiment: a workspace has no default one; pass "
                                     "--experiment-name /Shared/NAME.")
        given = dict(params or {})
        folder = Path(fetch_and_validate_project(  # type: ignore[no-untyped-call]
            project_uri, version, entry_point, given))
        script, arguments = python_script(_command(folder, entry_point, given), folder.name,
                                          entry_point)
        client = connect(profile=_profile(tracking_uri))
        settings = _complete(settings_for_config(backend_config), client)
        root = _repository(folder)
        if root:
            check_publishable(root, _wheels(settings, client))
        active = get_or_create_run(  # type: ignore[no-untyped-call]
            None, project_uri, experiment_id, str(folder), version, entry_point, given)
        run_id = active.info.run_id
        with _tracking(tracking_uri, client).never_left_running(run_id):
            assert settings.folder
            copies = destination(settings.folder, client)
            copy = upload(files_to_upload(folder), folder.name, copies)
            work = Work(folder.name, copy, script, arguments, run_id, str(experiment_id),
                        _libraries(root, settings, client))
            submitted = JobRun(client, _tracking(tracking_uri, client), run_id,
                               send(client, work, settings, print), print)
        print(submitted.tag(), flush=True)
        return SubmittedJob(submitted)


class SubmittedJob(SubmittedRun):
    """A job run as MLflow's `SubmittedRun`."""

    def __init__(self, job_run: JobRun) -> None:
        self._job_run = job_run

    @property
    def run_id(self) -> str:
        return self._job_run.run_id

    @property
    def job_run(self) -> int:
        """The run's id in the Jobs API."""
        return self._job_run.job_run

    def wait(self) -> bool:
        """Poll the run to its end; whether it succeeded."""
        return self._job_run.wait().succeeded

    def get_status(self) -> str:
        return str(RunStatus.to_string(RunStatus.from_string(self._job_run.status())))

    def cancel(self) -> None:
        self._job_run.cancel()


def _tracking(tracking_uri: str, client: Workspace) -> WorkspaceTracking:
    return WorkspaceTracking(tracking_uri, None, workspace=client)


def _profile(tracking_uri: str) -> str | None:
    """`databricks://PROFILE` names a profile, plain `databricks` none."""
    return tracking_uri.removeprefix("databricks").removeprefix("://") or None


def _repository(folder: Path) -> Path | None:
    """The repository that the project is in, if any."""
    return next((above for above in folder.resolve().parents
                 if (above / "pyproject.toml").is_file()), None)


def _wheels(settings: RunSettings, client: Workspace) -> Destination:
    assert settings.wheels
    return destination(settings.wheels, client)


def _libraries(root: Path | None, settings: RunSettings, client: Workspace) -> tuple[str, ...]:
    """The wheels of the repository, if any."""
    if root is None:
        return ()
    found = publish_checkout(root, _wheels(settings, client))
    return tuple(each.reference for each in (*locked(root), *found.artifacts))


def _complete(settings: RunSettings, client: Workspace) -> RunSettings:
    """Without a configured folder, project and wheels go to the user's home."""
    folder = settings.folder or f"/Workspace/Users/{client.current_user.me().user_name}/.branchline"
    return replace(settings, folder=folder, wheels=settings.wheels or f"{folder}/wheels")


def _command(folder: Path, entry_point: str, parameters: Mapping[str, str]) -> str:
    project = load_project(str(folder))  # type: ignore[no-untyped-call]
    return str(project.get_entry_point(entry_point).compute_command(dict(parameters), None))
