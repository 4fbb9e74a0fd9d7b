"""The Jobs API 2.2 of saved jobs: create, get, list, update, reset, delete, run-now."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from workspace_server.errors import invalid
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, User, Writer
from workspace_server.job_settings import DEFAULTS, Settings, check_settings, updated, work_now
from workspace_server.paging import page
from workspace_server.permissions import Permissions, checked
from workspace_server.runs import Runs
from workspace_server.submissions import run_as_of

MOST = 100
NOT_IN_LIST = ("tasks", "job_clusters", "environments", "parameters")


class SavedJobs:
    """All saved jobs, in a file that outlives the server."""

    def __init__(self, file: Path, runs: Runs, permissions: Permissions) -> None:
        self.file, self.runs, self.permissions = file, runs, permissions
        self._lock = threading.Lock()

    def all(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = (
            json.loads(self.file.read_text()) if self.file.exists() else {})
        return found

    def get(self, number: object) -> dict[str, Any]:
        """A job as jobs/get answers it.

        Raises:
            ApiError: 400, which is what the service answers.
        """
        found = self.all().get(str(number))
        if found is None:
            raise invalid(f"Job {number} does not exist.")
        return found

    def create(self, body: Settings, user: User) -> int:
        settings = {**DEFAULTS, **body}
        rights = settings.pop("access_control_list", None) or []
        checked("jobs", rights)
        self._check(settings, "jobs/create")
        with self._lock:
            jobs = self.all()
            number = max(map(int, jobs), default=int(time.time()) * 100) + 1
            jobs[str(number)] = {
                "job_id": number, "creator_user_name": user.name,
                "run_as_user_name": run_as_of(settings, "jobs/create") or user.name,
                "created_time": int(time.time() * 1000), "settings": settings}
            self._keep(jobs)
        self.permissions.own("jobs", str(number), user.name)
        self.permissions.add("jobs", str(number), rights)
        return number

    def reset(self, body: dict[str, Any]) -> None:
        """Replace all settings; only who the job runs as stays where nothing else is said.

        Raises:
            ApiError: 400, no such job or settings that none can have.
        """
        where = "jobs/reset"
        check_fields(where, body, {"job_id": (int, str), "new_settings": dict})
        with self._lock:
            job = self.get(body.get("job_id"))
            kept = {"run_as": job["settings"]["run_as"]} if "run_as" in job["settings"] else {}
            self._change(job, {**DEFAULTS, **kept, **(body.get("new_settings") or {})}, where)

    def update(self, body: dict[str, Any]) -> None:
        """Change some settings.

        Raises:
            ApiError: 400, no such job or settings that none can have.
        """
        where = "jobs/update"
        check_fields(where, body, {"job_id": (int, str), "new_settings": dict,
                                   "fields_to_remove": list})
        with self._lock:
            job = self.get(body.get("job_id"))
            self._change(job, {**DEFAULTS, **updated(
                job["settings"], body.get("new_settings") or {},
                body.get("fields_to_remove") or [])}, where)

    def _change(self, job: dict[str, Any], settings: Settings, where: str) -> None:
        self._check(settings, where)
        runs_as = run_as_of(settings, where) or job["creator_user_name"]
        self._keep(self.all() | {str(job["job_id"]): {
            **job, "settings": settings, "run_as_user_name": runs_as}})

    def delete(self, body: dict[str, Any]) -> None:
        check_fields("jobs/delete", body, {"job_id": (int, str)})
        with self._lock:
            jobs, number = self.all(), body.get("job_id")
            self.get(number)
            del jobs[str(number)]
            self._keep(jobs)

    def run(self, body: dict[str, Any], user: User) -> dict[str, int]:
        """Start a run of the job now."""
        work = work_now(self.get(body.get("job_id")), body, self.runs.machine.clusters)
        run = self.runs.submit(work, user)
        return {"run_id": run.id, "number_in_job": run.id}

    def _check(self, settings: Settings, where: str) -> None:
        check_settings(settings, where, self.runs.machine.clusters)

    def _keep(self, jobs: dict[str, dict[str, Any]]) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(jobs))
        beside.replace(self.file)


def in_list(job: dict[str, Any], expand_tasks: bool) -> dict[str, Any]:
    hidden = () if expand_tasks else NOT_IN_LIST
    return {**job, "settings": {key: value for key, value in job["settings"].items()
                                if key not in hidden}}


def routes(jobs: SavedJobs) -> APIRouter:
    api = APIRouter()
    base = "/api/2.2/jobs"

    @api.post(base + "/create")
    def create(user: Writer, body: Body) -> dict[str, int]:
        return {"job_id": jobs.create(body, user)}

    # The CLI's Terraform provider still asks the older versions.
    @api.get("/api/2.0/jobs/get")
    @api.get("/api/2.1/jobs/get")
    @api.get(base + "/get")
    def get(user: Reader, job_id: str = "") -> dict[str, Any]:
        return jobs.get(job_id)

    @api.get(base + "/list")
    def listed(user: Reader, name: str = "", limit: int = 20, offset: int = 0,
               page_token: str = "", expand_tasks: bool = False) -> dict[str, Any]:
        if not 1 <= limit <= MOST:
            raise invalid(f"Invalid limit: must be between 1 and {MOST}, got {limit}.")
        newest = sorted(jobs.all().values(), key=lambda job: -int(job["job_id"]))
        found = [job for job in newest
                 if name.lower() in ("", str(job["settings"].get("name", "")).lower())]
        shown, more = page(found, limit, page_token, offset)
        return {"jobs": [in_list(job, expand_tasks) for job in shown], **more}

    @api.post(base + "/reset")
    def reset(user: Writer, body: Body) -> dict[str, str]:
        jobs.reset(body)
        return {}

    @api.post(base + "/update")
    def update(user: Writer, body: Body) -> dict[str, str]:
        jobs.update(body)
        return {}

    @api.post(base + "/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        jobs.delete(body)
        return {}

    @api.post(base + "/run-now")
    def run_now(user: Writer, body: Body) -> dict[str, int]:
        return jobs.run(body, user)

    return api
