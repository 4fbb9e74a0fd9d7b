"""The Jobs API 2.2 of saved jobs: create, get, list, update, reset, delete, run-now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from workspace_server.errors import invalid
from workspace_server.identity import Body, Reader, Writer
from workspace_server.paging import page
from workspace_server.saved_jobs import SavedJobs

MOST = 100
NOT_IN_LIST = ("tasks", "job_clusters", "environments", "parameters")


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

    # The CLI's Terraform provider still uses the older versions.
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
