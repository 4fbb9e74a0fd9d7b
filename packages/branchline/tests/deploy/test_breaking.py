from __future__ import annotations

from typing import Any

import pytest

from branchline.deploy.breaking import breaking_changes

SCORES: dict[str, Any] = {"name": "gold.scores", "key": ["id"], "format": 1, "versioned": True,
                          "columns": {"id": "STRING", "score": "DOUBLE"}}
SILVER = {**SCORES, "name": "silver.things", "versioned": False}


@pytest.mark.parametrize(("change", "said"), [
    ({"columns": {"id": "STRING"}}, "column score dropped (was double)"),
    ({"columns": {"id": "STRING", "score": "BIGINT"}},
     "column score changed from double to bigint"),
    ({"versioned": False},
     "no longer versioned: it begins without the rows that are in the table set"),
    ({"key": ["id", "day"]}, "key changed from id to id, day")])
def test_what_readers_notice_is_named(change: dict[str, Any], said: str) -> None:
    assert breaking_changes([SCORES], [{**SCORES, **change}]) == [f"gold.scores: {said}"]


def test_a_dropped_table_is_breaking() -> None:
    assert breaking_changes([SCORES, SILVER], [SILVER]) == ["gold.scores: table dropped"]


def test_new_tables_new_columns_and_the_spelling_of_a_type_are_not() -> None:
    wider = {**SCORES, "columns": {"id": "string", "score": "DOUBLE", "why": "STRING"}}
    assert breaking_changes([SCORES], [SILVER, wider]) == []


def test_a_new_format_is_breaking_only_for_a_table_that_versions_share() -> None:
    [line] = breaking_changes([SCORES, SILVER], [{**SCORES, "format": 2}, {**SILVER, "format": 2}])
    assert line.startswith("silver.things: format changed from 1 to 2; all versions share")
