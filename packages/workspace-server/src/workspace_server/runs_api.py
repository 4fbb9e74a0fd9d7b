"""The Jobs API 2.2 of runs: submit, get, get-output, list, cancel, delete."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from workspace_server.errors import invalid, not_emulated
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer
from workspace_server.paging import page
from workspace_server.run import Run
from workspace_server.runs import Runs
from workspace_server.submissions import work_of

MOST = 25
USUAL = 20
TYPES = ("", "JOB_RUN", "SUBMIT_RUN", "WORKFLOW_RUN")
NOT_IN_LIST = ("tasks", "job_clusters")


def routes(runs: Runs) -> APIRouter:
    api = APIRouter(prefix="/api/2.2/jobs/runs")
    _one(api, runs)
    _ends(api, runs)

    @api.get("/list")
    def listed(user: Reader, job_id: int = 0, active_only: bool = False,
               completed_only: bool = False, start_time_from: int = 0, start_time_to: int = 0,
               run_type: str = "", limit: int = USUAL, offset: int = 0, page_token: str = "",
               expand_tasks: bool = False) -> dict[str, Any]:
        if active_only and completed_only:
            raise invalid("active_only and completed_only cannot both be true.")
        if not 0 <= limit <= MOST:
            raise invalid(f"Invalid limit: must be between 1 and {MOST}, got {limit}.")
        if run_type not in TYPES:
            raise invalid(f"run_type {run_type} is not one of JOB_RUN, SUBMIT_RUN, WORKFLOW_RUN.")
        found = [run for run in runs.newest_first()
                 if job_id in (0, run.job) and run_type in ("", run.type)
                 and not (active_only and run.ending) and not (completed_only and not run.ending)
                 and start_time_from <= run.start <= (start_time_to or run.start)]
        shown, more = page(found, limit or MOST, page_token, offset)
        return {"runs": [in_list(run, expand_tasks) for run in shown], **more}

    return api


def in_list(run: Run, expand_tasks: bool) -> dict[str, Any]:
    hidden = () if expand_tasks else NOT_IN_LIST
    return {key: value for key, value in run.as_run().items() if key not in hidden}


def _one(api: APIRouter, runs: Runs) -> None:
    @api.post("/submit")
    def submit(user: Writer, body: Body) -> dict[str, int]:
        return {"run_id": runs.submit(work_of(body, runs.machine.clusters), user).id}

    @api.get("/get")
    def get(user: Reader, run_id: str = "", include_history: bool = False) -> dict[str, Any]:
        run, task = runs.find(run_id)
        # Nothing is ever repaired, so a run's history is the run itself.
        return run.as_run() | ({"run_id": task.id, "job_run_id": run.id} if task else {})

    @api.get("/get-output")
    def output(user: Reader, run_id: str = "") -> dict[str, Any]:
        _, task = runs.find(run_id)
        if task is None:
            raise invalid("Retrieving the output of runs with multiple tasks is not supported. "
                          "Please retrieve the output of each individual task run instead.")
        return task.output()


def _ends(api: APIRouter, runs: Runs) -> None:
    @api.post("/cancel")
    def cancel(user: Writer, body: Body) -> dict[str, str]:
        check_fields("jobs/runs/cancel", body, {"run_id": (int, str)})
        run, task = runs.find(body.get("run_id"))
        if task and len(run.work.tasks) > 1:
            raise not_emulated("jobs/runs/cancel: field run_id of one of several tasks")
        run.cancelled.set()
        return {}

    @api.post("/cancel-all")
    def cancel_all(user: Writer, body: Body) -> dict[str, str]:
        check_fields("jobs/runs/cancel-all", body,
                     {"job_id": (int, str), "all_queued_runs": bool})
        job, queued = str(body.get("job_id") or ""), bool(body.get("all_queued_runs"))
        if not job and not queued:
            raise invalid("One of job_id and all_queued_runs is required.")
        for run in runs.newest_first():
            if job in ("", str(run.job)) and run.ending is None and (run.queued or not queued):
                run.cancelled.set()
        return {}

    @api.post("/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        check_fields("jobs/runs/delete", body, {"run_id": (int, str)})
        runs.delete(runs.find(body.get("run_id"))[0])
        return {}
