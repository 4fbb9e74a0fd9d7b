from __future__ import annotations

from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.table_sets import (Manifest, Mounted, TableSets, branch_schema, project_of,
                                   readable, set_name)

SCHEMA = "production__landed_abc123"
FIRST, SECOND = (Manifest(number, f"scoring_{number}", ("gold.scores",), number - 1)
                 for number in (1, 2))


@pytest.fixture
def sets(tmp_path: Path) -> TableSets:
    return TableSets(Mounted(tmp_path), "scoring")


def seen(sets: TableSets, schema: str = SCHEMA) -> str | None:
    found = sets.readable(schema)
    return found.table_set if found else None


def test_without_a_manifest_readers_see_the_schemas_own_tables(sets: TableSets) -> None:
    assert sets.newest() is None and seen(sets) is None and readable(sets.files, SCHEMA) == {}


def test_readers_follow_a_new_set_once_a_run_has_filled_it(sets: TableSets) -> None:
    sets.add(FIRST)
    assert seen(sets) is None and not sets.is_ready("scoring_1")
    sets.mark_ready("scoring_1", SCHEMA)
    assert seen(sets) == "scoring_1" and sets.is_ready("scoring_1")
    sets.add(SECOND)
    assert seen(sets) == "scoring_1"
    sets.mark_ready("scoring_2", SCHEMA)
    sets.mark_ready("scoring_2", SCHEMA)
    assert seen(sets) == "scoring_2"


def test_other_data_of_the_branch_have_readers_of_their_own(sets: TableSets) -> None:
    for manifest in (FIRST, SECOND):
        sets.add(manifest)
    sets.mark_ready("scoring_1", SCHEMA)
    sets.mark_ready("scoring_2", "production")
    assert (seen(sets), seen(sets, "production")) == ("scoring_1", "scoring_2")


def test_a_rollback_shows_the_set_before_at_once_even_if_the_newer_is_filled_later(
        sets: TableSets) -> None:
    for manifest in (FIRST, SECOND):
        sets.add(manifest)
    sets.mark_ready("scoring_1", SCHEMA)
    sets.add(Manifest(3, "scoring_1", ("gold.scores",), 0))
    sets.mark_ready("scoring_2", SCHEMA)  # by a run that was still at work
    assert seen(sets) == "scoring_1"


def test_a_late_process_cannot_undo_a_later_deployment(sets: TableSets) -> None:
    sets.add(SECOND)
    sets.mark_ready("scoring_2", SCHEMA)
    sets.mark_ready("scoring_1", SCHEMA)
    sets.add(FIRST)
    assert seen(sets) == "scoring_2"


def test_a_manifest_that_is_written_again_stays_as_it_is(sets: TableSets) -> None:
    sets.add(FIRST)
    before = sets.files.read("scoring/000001.json")
    sets.add(FIRST)
    assert sets.files.read("scoring/000001.json") == before and sets.at(1) == FIRST


def test_each_projects_tables_are_those_of_its_own_set(sets: TableSets) -> None:
    other = TableSets(sets.files, "watch")
    sets.add(FIRST)
    other.add(Manifest(7, "watch_7", ("gold.watched",), 6))
    for each, name in ((sets, "scoring_1"), (other, "watch_7")):
        each.mark_ready(name, SCHEMA)
    assert readable(sets.files, SCHEMA) == {"gold.scores": "scoring_1", "gold.watched": "watch_7"}
    assert sets.table_names() == {"gold.scores"}


@pytest.mark.parametrize(("text", "said"), [
    ('{"format": "table-set/2"}', "found format table-set/2; .*upgrade branchline"),
    ('{"format": "table-set/1"}', "is not a manifest of a table set"),
    ("[]", "is not a JSON object")])
def test_an_unusable_manifest_is_an_error_that_names_the_file(
        sets: TableSets, text: str, said: str) -> None:
    sets.files.create("scoring/000001.json", text.encode())
    with pytest.raises(BadInput, match=f"scoring/000001.json: {said}"):
        sets.readable(SCHEMA)


def test_names_lead_back_to_the_project_and_the_branch() -> None:
    assert set_name("fraud-training", 12) == "fraud_training_12"
    assert project_of("fraud_training_12") == "fraud_training"
    assert branch_schema(SCHEMA) == branch_schema("production") == "production"
