from __future__ import annotations

from typing import Any

import pytest

from branchline import BadInput
from branchline.features.versions import version_of
from fraud_detection.feature_versions import DEFINITIONS, listing, noted, require_same
from fraud_detection.features import definitions, meanings, names
from support.clone import ROOT

NOW, OTHER = (version_of(definitions("full", delay)) for delay in (7, 6))
INPUTS = ["amount", "customer_count_7d", "terminal_fraud_rate_7d"]


def notes(delay: int = 7) -> dict[str, Any]:
    return noted({version_of(definitions("full", delay)), None}, INPUTS, delay, "rows")


def test_a_model_notes_the_version_of_its_rows_and_of_each_input() -> None:
    found = notes()[DEFINITIONS]
    assert found["version"] == NOW and list(found["inputs"]) == INPUTS[1:]
    assert noted({None}, INPUTS, 7, "rows") == noted(set(), INPUTS, 7, "rows") == {}


def test_rows_of_other_code_s_definitions_are_not_trained_on() -> None:
    with pytest.raises(BadInput, match=f"rows: found rows of feature definitions {OTHER}, expected "
                                       f"{NOW}, .*run featurize for these days"):
        noted({NOW, OTHER}, INPUTS, 7, "rows")


def test_a_model_scores_rows_of_the_definitions_it_was_trained_with_and_unknown_ones() -> None:
    require_same("m-1", notes(), {NOW, None}, 7, "rows")
    require_same("m-1", notes(), {NOW}, 6, "rows")  # another setting of this run changes no row
    require_same("m-1", {}, {OTHER}, 7, "rows")


def test_an_input_that_is_defined_otherwise_than_in_training_is_one_line() -> None:
    with pytest.raises(BadInput) as failed:
        require_same("m-1", notes(), {OTHER}, 6, "gold.features on these days")
    assert str(failed.value) == (
        "model m-1: was trained with another definition of terminal_fraud_rate_7d (definitions "
        f"{NOW}) than gold.features on these days has (definitions {OTHER}); train a new model, or "
        "use the code and label_delay_days of this one.")


def test_a_definition_that_a_model_does_not_use_may_change() -> None:
    of_cards = {DEFINITIONS: {**notes()[DEFINITIONS], "inputs": {
        "customer_count_7d": notes()[DEFINITIONS]["inputs"]["customer_count_7d"]}}}
    require_same("m-1", of_cards, {OTHER}, 6, "rows")


def test_every_feature_has_a_meaning_of_one_sentence() -> None:
    found = meanings()
    assert list(found) == names("full")
    assert all(text.endswith(".") and ". " not in text and 20 < len(text) < 160
               for text in found.values()), found


def test_the_page_of_features_is_made_from_the_definitions() -> None:
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert listing() in page, (
        "docs/features.md: replace its table by the output of "
        ".venv/bin/python -m fraud_detection.feature_versions")
