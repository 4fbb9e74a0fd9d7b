"""The Jobs API 2.2 of submitted runs: submit, get, get-output, cancel, list, delete."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from workspace_server.errors import ApiError, invalid
from workspace_server.identity import Body, Reader, User, Writer
from workspace_server.lifecycle import Machine, live
from workspace_server.run import Run, page_of
from workspace_server.submissions import Work, work_of

IDS_PER_RUN = 10


class Runs:
    """All submitted runs of this server's life, and the threads they live on."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.machine = machine
        self._folder = folder
        self._all: dict[int, Run] = {}
        self._by_token: dict[str, int] = {}
        self._threads: list[threading.Thread] = []
        self._ids = itertools.count(int(time.time()) * 1000, IDS_PER_RUN)
        self._lock = threading.Lock()

    def submit(self, work: Work, user: User) -> int:
        """The run's id; a token that was seen before gives the run it gave then.

        Raises:
            ApiError: 400, that run was deleted.
        """
        with self._lock:
            if work.token in self._by_token:
                return self.get(self._by_token[work.token]).id
            run = self._new(work, user)
            if work.token:
                self._by_token[work.token] = run.id
        thread = threading.Thread(target=live, args=(run, self.machine), daemon=True)
        self._threads.append(thread)
        thread.start()
        return run.id

    def _new(self, work: Work, user: User) -> Run:
        number = next(self._ids)
        folder = self._folder / str(number)
        folder.mkdir(parents=True)
        run = Run(number, work, user, folder, page_of(self.machine.host, number))
        self._all[number] = run
        return run

    def get(self, number: object) -> Run:
        """The run with this id, which may be that of its task.

        Raises:
            ApiError: 400, which is what the service answers.
        """
        if not str(number).isdigit():
            raise invalid("Missing required field: run_id")
        whole = int(str(number))
        found = self._all.get(whole) or self._all.get(whole - 1)
        if found is None:
            raise invalid(f"Run {whole} does not exist.")
        return found

    def delete(self, run: Run) -> None:
        if run.ending is None:
            raise ApiError(400, "INVALID_STATE", f"Run {run.id} is still active.")
        del self._all[run.id]

    def newest_first(self) -> list[Run]:
        return sorted(self._all.values(), key=lambda run: -run.id)

    def stop(self) -> None:
        """End all runs and wait for it."""
        for run in list(self._all.values()):
            run.cancelled.set()
        for thread in self._threads:
            thread.join()


def routes(runs: Runs) -> APIRouter:
    api = APIRouter(prefix="/api/2.2/jobs/runs")

    @api.post("/submit")
    def submit(user: Writer, body: Body) -> dict[str, int]:
        return {"run_id": runs.submit(work_of(body, runs.machine.clusters), user)}

    @api.get("/get")
    def get(user: Reader, run_id: str = "") -> dict[str, Any]:
        run = runs.get(run_id)
        if str(run.id) == run_id:
            return run.as_run()
        return {**run.as_run(), "run_id": run.id + 1, "job_run_id": run.id}

    @api.get("/get-output")
    def output(user: Reader, run_id: str = "") -> dict[str, Any]:
        run = runs.get(run_id)
        if str(run.id) == run_id:
            raise invalid("Retrieving the output of runs with multiple tasks is not supported. "
                          "Please retrieve the output of each individual task run instead.")
        return run.output()

    @api.post("/cancel")
    def cancel(user: Writer, body: Body) -> dict[str, str]:
        runs.get(body.get("run_id")).cancelled.set()
        return {}

    @api.post("/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        runs.delete(runs.get(body.get("run_id")))
        return {}

    @api.get("/list")
    def listed(user: Reader, limit: int = 20, page_token: str = "0", active_only: bool = False,
               completed_only: bool = False, run_type: str = "", expand_tasks: bool = False
               ) -> dict[str, Any]:
        if not 0 <= limit <= 25:
            raise invalid(f"Invalid limit: must be between 1 and 25, got {limit}.")
        found = [run for run in runs.newest_first()
                 if not (active_only and run.ending) and not (completed_only and not run.ending)
                 and run_type in ("", "SUBMIT_RUN")]
        first, last = int(page_token), int(page_token) + (limit or 20)
        page = [run.as_run() for run in found[first:last]]
        hidden = () if expand_tasks else ("tasks",)
        answer = {"runs": [{key: value for key, value in run.items() if key not in hidden}
                           for run in page], "has_more": len(found) > last}
        return answer | ({"next_page_token": str(last)} if len(found) > last else {})

    return api
