from __future__ import annotations

import json
from pathlib import Path

import pytest

from branchline.streaming.followed import Followed
from branchline.streaming.on_spark.models import RecordedModels


class Alias:
    """An alias that a test moves; a model is its address in capitals."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.followed = Followed(lambda: self.address, str.upper)

    def move(self, address: str) -> None:
        self.address = address
        self.followed.check()


def models(folder: Path, alias: Alias) -> RecordedModels:
    return RecordedModels(folder, alias.followed, str.upper)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    for part, numbers in (("offsets", "012"), ("commits", "01")):
        (tmp_path / part).mkdir()
        for number in numbers:
            (tmp_path / part / number).touch()
    return tmp_path


def test_a_moved_alias_s_model_scores_the_next_batch_and_is_recorded(tmp_path: Path) -> None:
    alias = Alias("m/1")
    found = models(tmp_path, alias)
    assert [found.of(0), found.of(1)] == ["M/1", "M/1"]
    alias.move("m/2")
    assert found.of(2) == "M/2" and found.address == "m/2"
    assert json.loads((tmp_path / "models.json").read_text()) == [[0, "m/1"], [2, "m/2"]]


def test_an_interrupted_batch_keeps_its_model_and_the_next_one_has_the_new(
        checkpoint: Path) -> None:
    models(checkpoint, Alias("m/1")).of(2)
    found = models(checkpoint, Alias("m/2"))
    assert [found.of(2), found.of(3)] == ["M/1", "M/2"]


def test_after_a_whole_batch_the_first_one_has_the_alias_s_model(checkpoint: Path) -> None:
    models(checkpoint, Alias("m/1")).of(2)
    (checkpoint / "commits" / "2").touch()
    found = models(checkpoint, Alias("m/2"))
    assert found.of(3) == "M/2" and found.changes == [(2, "m/1"), (3, "m/2")]
