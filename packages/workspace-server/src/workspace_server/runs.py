"""All runs of this server: each has a thread of its own, which runs task after task."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

from workspace_server.endings import (CANCELED, TIMED_OUT, Ending, one_too_many, without_running)
from workspace_server.errors import ApiError, invalid
from workspace_server.identity import User, principal
from workspace_server.lifecycle import TICK_SECONDS, Machine, live
from workspace_server.references import resolved
from workspace_server.run import Run
from workspace_server.submissions import Work
from workspace_server.task_run import TaskRun
from workspace_server.tasks import Task


class Runs:
    """Starts runs, finds them by their id or that of a task, and ends them."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.machine = machine
        self._folder = folder
        self._all: dict[int, Run] = {}
        self._by_token: dict[tuple[int, str], int] = {}
        self._threads: list[threading.Thread] = []
        self._ids = itertools.count(int(time.time()) * 1000)
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    def submit(self, work: Work, user: User) -> Run:
        """The run; a known token returns the run it started.

        Raises:
            ApiError: 400, that run was deleted.
        """
        with self._lock:
            known = self._by_token.get((work.job, work.token))
            if known is not None:
                return self.find(known)[0]
            run = self._new(work, user)
            if work.token:
                self._by_token[work.job, work.token] = run.id
        if run.ending is None:
            thread = threading.Thread(target=self._live, args=(run,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return run

    def _new(self, work: Work, user: User) -> Run:
        number = next(self._ids)
        runs_as = principal(work.run_as) if work.run_as else user
        run = Run(number, work.job or next(self._ids), work, user, runs_as,
                  self._folder / str(number), self.machine.host)
        for task in work.tasks:
            self._attempt(run, task, "BLOCKED" if task.depends_on else "PENDING")
        full = bool(work.job) and len(self._active(work.job)) >= work.most
        run.queued = full and work.queue
        self._all[number] = run
        if full and not work.queue:
            run.ended(one_too_many(work.most))
        return run

    def _attempt(self, run: Run, task: Task, state: str, attempt: int = 0) -> TaskRun:
        number = next(self._ids)
        folder = run.folder / str(number)
        folder.mkdir(parents=True)
        made = TaskRun(number, task, run.runs_as, folder, run.page, run.cancelled, run.deadline,
                       attempt, state)
        run.tasks.append(made)
        return made

    def _active(self, job: int) -> list[Run]:
        return [run for run in self._all.values()
                if run.job == job and run.ending is None and not run.queued]

    def _live(self, run: Run) -> None:
        """Execute a run."""
        while run.queued:
            if run.cancelled.wait(TICK_SECONDS):
                run.queued = False
                return run.ended(CANCELED)
            self._let_in(run)
        run.begin()
        for task in run.work.tasks:
            ending = self._ending_before(run, task)
            if ending:
                run.last(task.key).ended(ending)
            else:
                self._run_task(run, task)
        for cluster in run.clusters.values():
            self.machine.clusters.becomes(cluster, "TERMINATED")
            self.machine.libraries.forget(cluster)
        stopped = CANCELED if run.cancelled.is_set() else None
        run.ended(stopped if any(task.ending == CANCELED for task in run.tasks) else None)

    def _let_in(self, run: Run) -> None:
        """Start queued runs when the job has room, oldest first."""
        with self._lock:
            oldest = min(other.id for other in self._all.values()
                         if other.job == run.job and other.queued)
            if run.id == oldest and len(self._active(run.job)) < run.work.most:
                run.queued = False

    def _ending_before(self, run: Run, task: Task) -> Ending | None:
        if run.cancelled.is_set():
            return CANCELED
        if run.last(task.key).run_is_over():
            return TIMED_OUT
        upstream = [run.last(key).ending for key in task.depends_on]
        return without_running(task.run_if, [ending for ending in upstream if ending])

    def _run_task(self, run: Run, task: Task) -> None:
        """Run a task until it succeeds, or may not be retried."""
        attempt = run.last(task.key)
        while True:
            values = run.values(attempt)
            attempt.begin(tuple(resolved(text, values) for text in task.parameters))
            live(attempt, run, self.machine)
            if not _is_tried_again(attempt):
                return
            attempt = self._attempt(run, task, "WAITING_FOR_RETRY", attempt.attempt + 1)
            if run.cancelled.wait(task.retry_seconds):
                return attempt.ended(CANCELED)

    def find(self, number: object) -> tuple[Run, TaskRun | None]:
        """The run with this id; or the attempt of a task with this id, and its run.

        Raises:
            ApiError: 400, which is what the service answers.
        """
        if not str(number).isdigit():
            raise invalid("Missing required field: run_id")
        whole = int(str(number))
        if whole in self._all:
            return self._all[whole], None
        for run in list(self._all.values()):
            for task in run.tasks:
                if task.id == whole:
                    return run, task
        raise invalid(f"Run {whole} does not exist.")

    def delete(self, run: Run) -> None:
        if run.ending is None:
            raise ApiError(400, "INVALID_STATE", f"Run {run.id} is still active.")
        del self._all[run.id]

    def newest_first(self) -> list[Run]:
        return sorted(self._all.values(), key=lambda run: -run.id)

    def stop(self) -> None:
        """End all runs and wait for it."""
        self.stopping.set()
        for run in list(self._all.values()):
            run.cancelled.set()
        for thread in self._threads:
            thread.join()


def _is_tried_again(attempt: TaskRun) -> bool:
    work, ending = attempt.work, attempt.ending
    may = work.max_retries == -1 or attempt.attempt < work.max_retries
    if attempt.cancelled.is_set() or attempt.run_is_over() or ending is None:
        return False
    return may and (ending.result == "FAILED"
                    or (ending.result == "TIMEDOUT" and work.retry_on_timeout))
