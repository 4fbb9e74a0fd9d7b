"""The settings of a saved job: checks them, changes them as update and reset do, makes a Work."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from workspace_server.clusters import Clusters
from workspace_server.errors import invalid, not_emulated
from workspace_server.fields import Kinds, check_fields, objects
from workspace_server.submissions import (COMMON, KEPT, Work, checked_token, queue_of, run_as_of,
                                          tasks_of)
from workspace_server.tasks import Task, checked_parameters, seconds

Settings = dict[str, Any]
DONE: Kinds = {**COMMON, "name": str, "max_concurrent_runs": int, "job_clusters": list,
               "parameters": list, "tags": dict, "schedule": dict, "trigger": dict,
               "continuous": dict}
ALSO_KEPT = f"{KEPT} description deployment edit_mode format parent_path"
DEFAULTS: Settings = {"email_notifications": {}, "timeout_seconds": 0, "max_concurrent_runs": 1,
                      "format": "MULTI_TASK"}
KEYS = {"tasks": "task_key", "job_clusters": "job_cluster_key", "parameters": "name",
        "environments": "environment_key"}
NOW: Kinds = {"job_id": (int, str), "python_params": list, "job_parameters": dict, "only": list,
              "idempotency_token": str, "queue": dict}
LONGEST_VALUES = 10_000


def check_settings(settings: Settings, where: str, clusters: Clusters) -> None:
    """Check settings as jobs/create does.

    Raises:
        ApiError: 400 as the service refuses them, 501 for what only this server lacks.
    """
    check_fields(where, settings, DONE, ALSO_KEPT)
    tasks_of(settings, where, clusters)
    seconds(settings)
    run_as_of(settings, where)
    queue_of(settings, where)
    if is_continuous(settings) and (settings.get("schedule") or settings.get("trigger")):
        raise invalid("A continuous job cannot have a schedule or a trigger.")
    if len(settings.get("tags") or {}) > 25:
        raise invalid("A job has at most 25 tags.")
    if not 0 <= settings.get("max_concurrent_runs", 1) <= 1000:
        raise invalid("max_concurrent_runs must be between 0 and 1000.")
    for name, entry in objects(where, settings, "parameters", "name").items():
        check_fields(f"{where}: parameter {name}", entry, {"name": str, "default": str})
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            raise invalid(f"The name of a job parameter may have letters, digits, _, - and . only; "
                          f"found {name}.")


def is_continuous(settings: Settings) -> bool:
    """Whether the job is to be run all the time."""
    found = settings.get("continuous")
    return found is not None and found.get("pause_status", "UNPAUSED") == "UNPAUSED"


def updated(settings: Settings, new: Settings, removed: list[Any]) -> Settings:
    """Settings after jobs/update: fields are replaced, lists merged by their entries' key.

    Raises:
        ApiError: 400, a name in `removed` (fields_to_remove) is not a field.
    """
    changed = dict(settings)
    for name in removed:
        _remove(changed, str(name))
    for name, value in new.items():
        if name in KEYS and isinstance(value, list):
            old = objects("jobs/update", changed, name, KEYS[name])
            value = list((old | objects("jobs/update", new, name, KEYS[name])).values())
        changed[name] = value
    return changed


def _remove(settings: Settings, name: str) -> None:
    field, _, key = name.partition("/")
    if field not in DONE and field not in ALSO_KEPT.split():
        raise invalid(f"fields_to_remove: {name} is not a field of a job's settings.")
    if not key:
        settings.pop(field, None)
    elif field in KEYS:
        settings[field] = [entry for entry in settings.get(field) or []
                           if entry.get(KEYS[field]) != key]
    else:
        raise invalid(f"fields_to_remove: {name}: only {', '.join(KEYS)} have entries to remove.")


def work_now(job: dict[str, Any], body: dict[str, Any], clusters: Clusters) -> Work:
    """The work of a run that jobs/run-now starts.

    Raises:
        ApiError: 400, invalid values for the job; 501, values for tasks of another type.
    """
    where, settings = "jobs/run-now", job["settings"]
    check_fields(where, body, NOW, "performance_target duration_target")
    given = {str(key): value for key, value in (body.get("job_parameters") or {}).items()}
    _check_values(where, given, body)
    defaults = {each["name"]: each.get("default", "") for each in settings.get("parameters") or []}
    own = body.get("python_params")
    if own:
        checked_parameters(own, where)
    return Work(
        settings.get("name") or "Untitled", _tasks(settings, body, clusters), seconds(settings),
        checked_token(body), int(job["job_id"]), {**defaults, **given}, defaults,
        {"python_params": own} if own else {}, settings.get("max_concurrent_runs", 1),
        queue_of(body if body.get("queue") else settings, where), job["run_as_user_name"],
        tuple(settings.get("job_clusters") or ()))


def _check_values(where: str, given: dict[str, Any], body: dict[str, Any]) -> None:
    if not all(isinstance(value, str) for value in given.values()):
        raise invalid(f"{where}: the values of job_parameters must be strings.")
    if given and body.get("python_params"):
        raise not_emulated(f"{where}: fields job_parameters and python_params at once")
    if sum(len(name) + len(value) for name, value in given.items()) > LONGEST_VALUES:
        raise invalid(f"{where}: job_parameters cannot exceed {LONGEST_VALUES} characters.")


def _tasks(settings: Settings, body: dict[str, Any], clusters: Clusters) -> tuple[Task, ...]:
    """The tasks to run, with the parameters of this run."""
    tasks, only = tasks_of(settings, "jobs/run-now", clusters), body.get("only") or []
    unknown = set(only) - {task.key for task in tasks}
    if unknown:
        raise invalid(f"only: the job has no task {', '.join(sorted(map(str, unknown)))}.")
    own = body.get("python_params")
    chosen = [task for task in tasks if task.key in only or not only]
    keys = {task.key for task in chosen}
    return tuple(replace(task, parameters=tuple(own) if own else task.parameters,
                         depends_on=tuple(key for key in task.depends_on if key in keys))
                 for task in chosen)
