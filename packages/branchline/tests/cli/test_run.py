from __future__ import annotations

from typing import Any

import pytest

from branchline import BadInput
from branchline.cli.repository import Repository
from branchline.cli.run import _Options, _request
from support.clone import ROOT

REPOSITORY = Repository(ROOT)


def parameters(**given: Any) -> dict[str, str]:
    """The parameters that the run gets, with these options of the command."""
    asked = _Options(**{
        "project": "fraud-training", "more_wheels": (), "target_name": "local",
        "entry_point": "main", "given": (), "from_main": False, "all_steps": False,
        "given_wheels": (), "live": False, "no_wait": False, "attach": None,
        "given_branch": "feature/x", "page": None, **given})
    return dict(_request(REPOSITORY, REPOSITORY.target("local"), asked).parameters)


def test_from_main_passes_the_schema_of_main_and_what_to_run_again() -> None:
    found = parameters(from_main=True)
    assert (found["base"], found["rerun"]) == ("main", "changed")
    assert found["schema"].startswith("feature_x")
    assert parameters(from_main=True, all_steps=True)["rerun"] == "all"


def test_without_from_main_a_run_has_no_base() -> None:
    assert parameters()["base"] == ""


@pytest.mark.parametrize(("given", "text"), [
    ({"all_steps": True}, "--all: works with --from-main only"),
    ({"from_main": True, "given_branch": "main"}, "the branch is main itself")])
def test_what_makes_no_sense_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        parameters(**given)
