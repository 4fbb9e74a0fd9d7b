"""Checks the requests of runs/submit, jobs/create and run-now, and turns them into a Work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace_server.clusters import Clusters
from workspace_server.computes import Computes
from workspace_server.errors import invalid, not_emulated
from workspace_server.fields import Kinds, check_fields, objects
from workspace_server.identity import USERS
from workspace_server.tasks import Task, seconds, task_of

PERMISSIONS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
KEPT = ("email_notifications webhook_notifications notification_settings health budget_policy_id "
        "usage_policy_id performance_target duration_target")
COMMON: Kinds = {"tasks": list, "timeout_seconds": int, "environments": list, "run_as": dict,
                 "queue": dict}
SUBMITTED: Kinds = {**COMMON, "run_name": str, "idempotency_token": str,
                    "access_control_list": list}
MOST_TASKS = 100


@dataclass(frozen=True)
class Work:
    """A run to start: its tasks, each after those it depends on. `job` is 0 for a submitted run.

    `parameters` are the job's with this run's values, `defaults` without them; `most` is the limit
    of runs at once, `queue` says whether one more waits.
    """

    run_name: str
    tasks: tuple[Task, ...]
    timeout_seconds: int = 0
    token: str = ""
    job: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    overriding: Mapping[str, Any] = field(default_factory=dict)
    most: int = 0
    queue: bool = False
    run_as: str = ""
    job_clusters: tuple[dict[str, Any], ...] = ()
    trigger: str = "ONE_TIME"


def work_of(body: dict[str, Any], clusters: Clusters) -> Work:
    """The work that a request of runs/submit describes.

    Raises:
        ApiError: 400 as the service refuses it, 501 for what only this server lacks.
    """
    where = "jobs/runs/submit"
    if "job_clusters" in body or any("job_cluster_key" in task for task in body.get("tasks") or []
                                     if isinstance(task, dict)):
        raise invalid("job_cluster_key and job_clusters are for the tasks of a job: a submitted "
                      "run has new_cluster in each task.")
    check_fields(where, body, SUBMITTED, KEPT)
    name = body.get("run_name") or "Untitled"
    if len(name.encode()) > 4096:
        raise invalid("run_name must be at most 4096 bytes in UTF-8.")
    check_permissions(where, body)
    return Work(name, tasks_of(body, where, clusters), seconds(body), checked_token(body),
                run_as=run_as_of(body, where))


def tasks_of(body: dict[str, Any], where: str, clusters: Clusters) -> tuple[Task, ...]:
    """All tasks of a request, each after those it depends on.

    Raises:
        ApiError: no tasks, too many, or a dependency that is missing or circular.
    """
    given = objects(where, body, "tasks", "task_key")
    if not given:
        raise invalid("One of tasks is required: the run has no task.")
    if len(given) > MOST_TASKS:
        raise not_emulated(f"{where}: more than {MOST_TASKS} tasks")
    computes = Computes(where, body, clusters)
    return in_order([task_of(task, where, computes) for task in given.values()])


def in_order(waiting: list[Task]) -> tuple[Task, ...]:
    ordered: list[Task] = []
    while waiting:
        known = {task.key for task in ordered}
        ready = [task for task in waiting if known.issuperset(task.depends_on)]
        if not ready:
            raise invalid("depends_on: the tasks " + ", ".join(task.key for task in waiting)
                          + " depend on each other, or on tasks that are not there.")
        ordered += ready
        waiting = [task for task in waiting if task not in ready]
    return tuple(ordered)


def checked_token(body: dict[str, Any]) -> str:
    token = str(body.get("idempotency_token") or "")
    if len(token) > 64:
        raise invalid(f"idempotency_token must be at most 64 characters, got {len(token)}.")
    return token


def check_permissions(where: str, body: dict[str, Any]) -> None:
    for entry in body.get("access_control_list") or []:
        check_fields(f"{where}: access_control_list", entry,
                     {"user_name": str, "group_name": str, "service_principal_name": str,
                      "permission_level": str})
        if entry.get("permission_level") not in PERMISSIONS:
            raise invalid(f"{entry.get('permission_level')} is not a permission level of a run.")


def run_as_of(body: dict[str, Any], where: str) -> str:
    """The user whom the tasks run as; empty: the owner of the run or job."""
    found = body.get("run_as") or {}
    check_fields(f"{where}: run_as", found, {"user_name": str, "service_principal_name": str})
    if found.get("user_name", next(iter(USERS))) not in USERS:
        raise invalid(f"{where}: run_as: user {found['user_name']} does not exist.")
    return str(found.get("user_name") or found.get("service_principal_name") or "")


def queue_of(body: dict[str, Any], where: str) -> bool:
    found = body.get("queue") or {}
    check_fields(f"{where}: queue", found, {"enabled": bool})
    return bool(found.get("enabled"))
