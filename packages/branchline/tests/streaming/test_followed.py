"""A model that follows its alias."""

from __future__ import annotations

import pytest

from branchline.errors import BadInput, Unreachable
from branchline.streaming.followed import Followed


def test_a_moved_alias_is_loaded_once_and_model_and_address_change_together() -> None:
    alias, loaded = ["models:/m/1"], []

    def load(address: str) -> str:
        loaded.append(address)
        return address.upper()

    model = Followed(lambda: alias[0], load)
    model.check()
    alias[0] = "models:/m/2"
    model.check()
    assert model.current == ("models:/m/2", "MODELS:/M/2")
    assert loaded == ["models:/m/1", "models:/m/2"]


@pytest.mark.parametrize("problem", [Unreachable("the registry is down"), ValueError("broken")])
def test_a_model_that_cannot_be_found_or_loaded_leaves_the_old_one_in_place(
        problem: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> str:
        raise problem

    model = Followed(lambda: "models:/m/1", str)
    model._find = fail
    model.check()
    assert model.current[0] == "models:/m/1"
    assert f"models:/m/1 stays: {problem}" in capsys.readouterr().err


def test_a_worker_does_not_start_without_its_model() -> None:
    def fail() -> str:
        raise BadInput("no such alias")

    with pytest.raises(BadInput, match="no such alias"):
        Followed(fail, str)
