"""A table's commits, as its Delta log has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Commit", "commit_files", "read_commit"]


@dataclass(frozen=True)
class Commit:
    """A version of a table: the writer's note (Delta's userMetadata), and Delta's metrics."""

    version: int
    note: str | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)


def commit_files(table: Path) -> list[Path]:
    """The files of the commits in a table's log, newest first."""
    return sorted((table / "_delta_log").glob("[0-9]" * 20 + ".json"), reverse=True)


def read_commit(file: Path) -> Commit:
    """The commit in a file of the log; of a writer that says nothing about it, the version."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:  # the first one, usually
            if line.startswith('{"commitInfo"'):
                about = json.loads(line)["commitInfo"]
                return Commit(int(file.stem), about.get("userMetadata"),
                              about.get("operationMetrics") or {})
    return Commit(int(file.stem))
