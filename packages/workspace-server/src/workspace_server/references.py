"""Dynamic value references, such as {{job.run_id}}, in the parameters of tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from workspace_server.errors import invalid, not_emulated

REFERENCE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
TIMES = {"iso_weekday": "%u", "iso_date": "%Y-%m-%d", "iso_datetime": "%Y-%m-%dT%H:%M:%SZ",
         "year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}
RESOLVED = re.compile(
    r"job\.(id|name|run_id|repair_count|trigger\.type|parameters\..+)"
    rf"|job\.start_time\.({'|'.join(TIMES)}|is_weekday|timestamp_ms)"
    r"|task\.(name|run_id|execution_count)|tasks\..+\.(run_id|result_state|execution_count)"
    r"|workspace\.(id|url)")
DOCUMENTED = re.compile(
    r"job\.trigger\..+|task\.notebook_path"
    r"|tasks\..+\.(values\..+|notebook_path|error_code|output.*)")
# The syntax of the service's first version, which still works.
OLDER = {"job_id": "job.id", "run_id": "task.run_id", "parent_run_id": "job.run_id",
         "task_key": "task.name", "task_retry_count": "task.retry_count",
         "start_date": "job.start_time.iso_date", "start_time": "job.start_time.timestamp_ms"}


def check_references(text: str, where: str) -> None:
    """Check a parameter when it arrives; anything outside of the known namespaces is plain text.

    Raises:
        ApiError: 400, no such reference; 501, one that this server does not resolve.
    """
    for name in map(_name, REFERENCE.findall(text)):
        if RESOLVED.fullmatch(name) or name.partition(".")[0] not in (
                "job", "task", "tasks", "workspace") or "." not in name:
            continue
        if DOCUMENTED.fullmatch(name):
            raise not_emulated(f"{where}: the reference {{{{{name}}}}}")
        raise invalid(f"{where}: {{{{{name}}}}} is not a valid reference.")


def resolved(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in place of their references; any other stays as it is."""
    def value(found: re.Match[str]) -> str:
        name = _name(found[1])
        return values.get(OLDER.get(name, name), found[0])

    return REFERENCE.sub(value, text)


def time_values(start: int) -> dict[str, str]:
    """The references to a job's start (in ms since 1970), in UTC."""
    moment = datetime.fromtimestamp(start / 1000, UTC)
    values = {name: moment.strftime(form) for name, form in TIMES.items()}
    values |= {"is_weekday": str(moment.isoweekday() < 6).lower(), "timestamp_ms": str(start)}
    return {f"job.start_time.{name}": value for name, value in values.items()}


def _name(reference: str) -> str:
    """Names with special characters are in backticks."""
    return reference.replace("`", "")
