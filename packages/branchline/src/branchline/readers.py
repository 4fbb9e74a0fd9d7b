"""A step in every pipeline: points the views of production's readers to what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from branchline.lakehouse import Lakehouse
from branchline.lakehouse.sets import sets_of
from branchline.lakehouse.views import move_views
from branchline.steps import Step
from branchline.table_sets import READERS

__all__ = ["readers_step"]


def readers_step() -> Step:
    """The step: writes the views on a catalog; count: `rows`, the views written.

    Only a run in a table set, as deployed jobs are, has something to do.
    """
    def run(lakehouse: Lakehouse, settings: Any) -> Mapping[str, int]:
        return {"rows": move_views(lakehouse, sets_of(lakehouse)) if lakehouse.table_set else 0}

    return Step(READERS, run, on_request=True)
