"""A run of a job, or a submitted one, as shown by runs/get and runs/list."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspace_server.endings import Ending, ending_of_run, now, told
from workspace_server.identity import WORKSPACE_ID, User
from workspace_server.references import time_values
from workspace_server.submissions import Work
from workspace_server.task_run import TaskRun


@dataclass
class Run:
    """A run with the attempts of its tasks; `job` is its job's id, which submitted runs have too.

    `runs_as` is the user of its processes; times are in ms since 1970.
    """

    id: int
    job: int
    work: Work
    user: User
    runs_as: User
    folder: Path
    host: str
    queued: bool = False
    tasks: list[TaskRun] = field(default_factory=list)
    clusters: dict[str, str] = field(default_factory=dict)
    start: int = field(default_factory=lambda: now())
    began: int = 0
    end: int = 0
    ending: Ending | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def page(self) -> str:
        return f"{self.host}/?o={WORKSPACE_ID}#job/{self.job}/run/{self.id}"

    @property
    def type(self) -> str:
        return "JOB_RUN" if self.work.job else "SUBMIT_RUN"

    @property
    def state(self) -> str:
        if self.ending:
            return "TERMINATED"
        states = {task.state for task in self.tasks}
        if self.queued:
            return "QUEUED"
        if states <= {"PENDING", "BLOCKED"}:
            return "PENDING"
        return "TERMINATING" if states <= {"TERMINATING", "TERMINATED"} else "RUNNING"

    @property
    def deadline(self) -> int:
        limit = self.work.timeout_seconds
        return (self.began or self.start) + limit * 1000 if limit else 0

    def begin(self) -> None:
        """Its time limit counts from here, not from its queueing."""
        self.began = now()
        for task in self.tasks:
            task.deadline = self.deadline

    def last(self, key: str) -> TaskRun:
        """The latest attempt of a task."""
        return [task for task in self.tasks if task.work.key == key][-1]

    def ended(self, ending: Ending | None = None) -> None:
        """End it as its tasks ended, or end all remaining tasks in the given way."""
        for task in self.tasks:
            if task.ending is None and ending:
                task.ended(ending)
        endings = {task.work.key: task.ending for task in self.tasks if task.ending}
        upstream = {key for task in self.work.tasks for key in task.depends_on}
        self.end = now()
        self.ending = ending or ending_of_run(endings, endings.keys() - upstream)

    def values(self, task: TaskRun) -> dict[str, str]:
        """The values of the dynamic value references in a task's parameters."""
        of_job = {"id": self.job, "run_id": self.id, "name": self.work.run_name,
                  "repair_count": 0, "trigger.type": "one_time",
                  **{f"parameters.{name}": value for name, value in self.work.parameters.items()}}
        of_task = {"name": task.work.key, "run_id": task.id, "retry_count": task.attempt,
                   "execution_count": task.attempt + 1}
        values = {f"job.{name}": str(value) for name, value in of_job.items()}
        values |= {f"task.{name}": str(value) for name, value in of_task.items()}
        for other in self.tasks:
            values |= {f"tasks.{other.work.key}.run_id": str(other.id),
                       f"tasks.{other.work.key}.execution_count": str(other.attempt + 1)}
            if other.ending:
                values[f"tasks.{other.work.key}.result_state"] = other.ending.result.lower()
        return {**values, **time_values(self.start),
                "workspace.id": WORKSPACE_ID, "workspace.url": self.host}

    def as_run(self) -> dict[str, Any]:
        """The run as runs/get answers it."""
        return {**self._settings(), **self._instance(),
                **told(self.state, self.ending, self._message(), "INTERNAL_ERROR"),
                "creator_user_name": self.user.name, "run_as_user_name": self.runs_as.name,
                "start_time": self.start, "end_time": self.end,
                "run_id": self.id, "run_name": self.work.run_name, "run_type": self.type,
                "run_page_url": self.page, "job_id": self.job, "number_in_job": self.id,
                "original_attempt_run_id": self.id, "format": "MULTI_TASK",
                "trigger": self.work.trigger,
                "setup_duration": 0, "execution_duration": 0, "cleanup_duration": 0,
                "queue_duration": max(0, self.began - self.start) if self.began else 0,
                "run_duration": max(0, self.end - self.start), "has_more": False,
                "tasks": [task.as_task() for task in self.tasks]}

    def _message(self) -> str:
        failed = [task for task in self.tasks if task.ending and task.ending.result == "FAILED"
                  and task is self.last(task.work.key)]
        if failed and self.ending and self.ending.result == "FAILED":
            return " ".join(f"Task {task.work.key} failed with message: {task.ending.message}."
                            for task in failed if task.ending)
        return self.ending.message if self.ending else ""

    def _instance(self) -> dict[str, Any]:
        """The cluster of a run's only task."""
        only = self.tasks[0].as_task() if len(self.work.tasks) == 1 else {}
        return {key: only[key] for key in ("cluster_instance",) if key in only}

    def _settings(self) -> dict[str, Any]:
        work = self.work
        named = [{"name": name, "value": value, "default": work.defaults.get(name, "")}
                 for name, value in work.parameters.items()]
        found = {"job_parameters": named, "overriding_parameters": dict(work.overriding),
                 "job_clusters": list(work.job_clusters)}
        return {name: value for name, value in found.items() if value}
