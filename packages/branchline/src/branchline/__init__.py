"""What every project needs to get from a branch to production; it knows nothing about fraud."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from branchline.entry import start
    from branchline.errors import BadInput, BranchlineError, RowsLost
    from branchline.lakehouse import Column, Lakehouse, Migration, Table
    from branchline.lakehouse.point_in_time import training_set
    from branchline.pipeline import Pipeline
    from branchline.records import Format
    from branchline.settings import Settings, parameter
    from branchline.steps import Job, Step

__all__ = ["BadInput", "BranchlineError", "Column", "Format", "Job", "Lakehouse", "Migration",
           "Pipeline", "RowsLost", "Settings", "Step", "Table", "parameter", "start",
           "training_set"]

_MODULES = {
    "entry": ("start",),
    "errors": ("BadInput", "BranchlineError", "RowsLost"),
    "lakehouse": ("Column", "Lakehouse", "Migration", "Table"),
    "lakehouse.point_in_time": ("training_set",),
    "pipeline": ("Pipeline",),
    "records": ("Format",),
    "settings": ("Settings", "parameter"),
    "steps": ("Job", "Step"),
}


def __getattr__(name: str) -> Any:
    """Import a public name's module when the name is first asked for."""
    for module, names in _MODULES.items():
        if name in names:
            found = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
