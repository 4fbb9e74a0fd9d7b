"""Which model scores a batch: recorded, so that a batch that comes again has the same scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from branchline.streaming.followed import Followed

__all__ = ["RecordedModels"]

KEPT = 100


class RecordedModels:
    """The model behind an alias at a batch's start, in a file beside the query's progress.

    A batch that was begun before a restart is scored by the model that it had then.

    Args:
        checkpoint: the query's folder, which Spark fills.
        model: the one behind the alias, replaced in the background.
        load: the model at an address.
    """

    def __init__(self, checkpoint: Path, model: Followed, load: Callable[[str], Any]) -> None:
        self._file = checkpoint / "models.json"
        self._model, self._load = model, load
        begun, done = (_last(checkpoint / part) for part in ("offsets", "commits"))
        self._interrupted = begun if begun > done else -1
        self.changes: list[tuple[int, str]] = (  # first batch of a model, and its address
            [(number, address) for number, address in json.loads(self._file.read_text())]
            if self._file.exists() else [])

    @property
    def address(self) -> str:
        return self.changes[-1][1] if self.changes else self._model.current[0]

    def of(self, batch: int) -> Any:
        """The model of a batch."""
        address, model = self._model.current
        before = [said for number, said in self.changes if number <= batch]
        if batch == self._interrupted and before and before[-1] != address:
            return self._load(before[-1])
        if not before or before[-1] != address:
            self._record(batch, address)
        return model

    def _record(self, batch: int, address: str) -> None:
        kept = [each for each in self.changes if each[0] < batch][-KEPT:]
        self.changes = [*kept, (batch, address)]
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self.changes))
        beside.replace(self._file)


def _last(folder: Path) -> int:
    """The number of the last batch in a folder of Spark's checkpoint; -1 if there is none."""
    return max((int(file.name) for file in folder.glob("*") if file.name.isdigit()), default=-1)
