"""The Jobs API 2.2 of saved jobs: create, get, list, update, reset, delete, run-now."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from workspace_server.errors import invalid
from workspace_server.identity import Body, Reader, User, Writer
from workspace_server.jobs import Runs
from workspace_server.submissions import work_of

DEFAULTS = {"email_notifications": {}, "timeout_seconds": 0, "max_concurrent_runs": 1,
            "format": "MULTI_TASK"}


class SavedJobs:
    """All saved jobs, in a file that outlives the server."""

    def __init__(self, file: Path, runs: Runs) -> None:
        self.file, self.runs = file, runs
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

    def create(self, settings: dict[str, Any], user: User) -> int:
        self._check(settings)
        with self._lock:
            jobs = self.all()
            number = max(map(int, jobs), default=int(time.time()) * 100) + 1
            settings.pop("access_control_list", None)
            jobs[str(number)] = {
                "job_id": number, "creator_user_name": user.name, "run_as_user_name": user.name,
                "created_time": int(time.time() * 1000), "settings": {**DEFAULTS, **settings}}
            self._keep(jobs)
        return number

    def change(self, number: object, settings: dict[str, Any], whole: bool) -> None:
        """Replace the settings (`whole`: all of them, else those that are given).

        Raises:
            ApiError: 400, no such job or settings that none can have.
        """
        with self._lock:
            job = self.get(number)
            changed = {**DEFAULTS, **({} if whole else job["settings"]), **settings}
            self._check(changed)
            self._keep(self.all() | {str(number): {**job, "settings": changed}})

    def delete(self, number: object) -> None:
        with self._lock:
            jobs = self.all()
            self.get(number)
            del jobs[str(number)]
            self._keep(jobs)

    def run(self, body: dict[str, Any], user: User) -> int:
        """Start a run of the job now; its id."""
        settings = self.get(body.get("job_id"))["settings"]
        wanted = {**settings, "run_name": settings.get("name", "Untitled"),
                  "idempotency_token": body.get("idempotency_token", "")}
        return self.runs.submit(work_of(wanted, self.runs.machine.clusters), user)

    def _check(self, settings: dict[str, Any]) -> None:
        work_of({**settings, "run_name": "check"}, self.runs.machine.clusters)
        if len(settings.get("tags", {})) > 25:
            raise invalid("A job has at most 25 tags.")

    def _keep(self, jobs: dict[str, dict[str, Any]]) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(jobs))
        beside.replace(self.file)


def routes(jobs: SavedJobs) -> APIRouter:
    api = APIRouter(prefix="/api/2.2/jobs")

    @api.post("/create")
    def create(user: Writer, body: Body) -> dict[str, int]:
        return {"job_id": jobs.create(body, user)}

    @api.get("/get")
    def get(user: Reader, job_id: str = "") -> dict[str, Any]:
        return jobs.get(job_id)

    @api.get("/list")
    def listed(user: Reader, name: str = "", limit: int = 20, page_token: str = "0",
               expand_tasks: bool = False) -> dict[str, Any]:
        found = [job for job in jobs.all().values()
                 if name.lower() in ("", job["settings"].get("name", "").lower())]
        first, last = int(page_token), int(page_token) + limit
        page = [job if expand_tasks else
                {**job, "settings": {key: value for key, value in job["settings"].items()
                                     if key not in ("tasks", "environments")}}
                for job in found[first:last]]
        more = {"next_page_token": str(last)} if len(found) > last else {}
        return {"jobs": page, "has_more": bool(more), **more}

    @api.post("/reset")
    def reset(user: Writer, body: Body) -> dict[str, str]:
        jobs.change(body.get("job_id"), body.get("new_settings", {}), whole=True)
        return {}

    @api.post("/update")
    def update(user: Writer, body: Body) -> dict[str, str]:
        jobs.change(body.get("job_id"), body.get("new_settings", {}), whole=False)
        return {}

    @api.post("/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        jobs.delete(body.get("job_id"))
        return {}

    @api.post("/run-now")
    def run_now(user: Writer, body: Body) -> dict[str, int]:
        return {"run_id": jobs.run(body, user)}

    return api
