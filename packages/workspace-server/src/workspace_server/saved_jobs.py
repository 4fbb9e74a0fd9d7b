"""Saved jobs: creates, changes, deletes and runs them; kept in a file."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from workspace_server.continuous import Continuous
from workspace_server.errors import invalid
from workspace_server.fields import check_fields
from workspace_server.identity import User
from workspace_server.job_settings import (DEFAULTS, Settings, check_settings, is_continuous,
                                           updated, work_now)
from workspace_server.permissions import Permissions, checked
from workspace_server.runs import Runs
from workspace_server.submissions import run_as_of


class SavedJobs:
    """All saved jobs, in a file that outlives the server."""

    def __init__(self, file: Path, runs: Runs, permissions: Permissions) -> None:
        self.file, self.runs, self.permissions = file, runs, permissions
        self._lock = threading.Lock()
        self._newest = 0
        self._continuous = Continuous(self.all, runs)
        if any(is_continuous(job["settings"]) for job in self.all().values()):
            self._continuous.start()

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
            # A number is used once: the next job must not get a deleted job's runs.
            number = max(*map(int, jobs), self._newest, int(time.time()) * 100) + 1
            self._newest = number
            jobs[str(number)] = {
                "job_id": number, "creator_user_name": user.name,
                "run_as_user_name": run_as_of(settings, "jobs/create") or user.name,
                "created_time": int(time.time() * 1000), "settings": settings}
            self._keep(jobs)
        self.permissions.own("jobs", str(number), user.name)
        self.permissions.add("jobs", str(number), rights)
        return number

    def reset(self, body: dict[str, Any]) -> None:
        """Replace all settings; run_as stays unless it is given.

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
        if is_continuous(settings):
            self._continuous.start()

    def _keep(self, jobs: dict[str, dict[str, Any]]) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(jobs))
        beside.replace(self.file)
