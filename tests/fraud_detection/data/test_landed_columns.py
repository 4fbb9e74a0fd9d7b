from __future__ import annotations

from pathlib import Path

import pytest

from branchline import BadInput
from fraud_detection.data.landed_columns import Columns


def mapping(folder: Path, text: str) -> Path:
    path = folder / "columns.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_names_columns_and_the_unit_of_times(tmp_path: Path) -> None:
    columns = Columns.read(mapping(tmp_path, "customer_id: CARD\nis_fraud: null\n"
                                             "event_time: {column: T, epoch: milliseconds}"))
    assert dict(columns.names)["customer_id"] == "CARD"
    assert dict(columns.names)["event_time"] == "T" and columns.epoch == "milliseconds"
    assert dict(columns.names)["amount"] == "amount" and dict(columns.names)["is_fraud"] == ""


@pytest.mark.parametrize(("text", "line"), [
    ("custmer_id: CARD", "line 1: column custmer_id is unknown; expected some of transaction_id"),
    ("event_time: {column: T, epoch: days}", "line 1: epoch is 'days'; expected one of seconds"),
    ("event_time: {column: T}", "line 1: epoch is missing; expected one of seconds"),
    ("event_time: {epoch: seconds}", "line 1: event_time lacks column."),
    ("event_time: {column: T, epoch: seconds, zone: UTC}", "has an unknown key zone; expected"),
    ("\namount: 3", "line 2: amount is 3; expected text; put it in quotes."),
    ("amount: ''", "line 1: amount is ''; expected text."),
    ("- amount", "line 1: the file is ['amount']; expected lines such as"),
    ("a: [", "cannot be read as YAML"),
    ("amount: A\namount: B", "line 2: key amount occurs twice, first in line 1; expected it"),
    ("1: A", "line 1: key 1 is a number; expected text"),
    ("2018-04-01: A", "line 1: key 2018-04-01 is a date; expected text"),
    ("null: A", "line 1: key null is null; expected text"),
    ("amount: .nan", "line 1: amount is .nan; expected a finite number"),
    ("<<: {amount: A}", "line 1: merge key <<; expected the keys themselves"),
    ("amount: &a A\nis_fraud: *a", "line 1: anchor &a; expected the value alone"),
    ("amount: !!python/name:os.system ''", "line 1: tag tag:yaml.org,2002:python/name:os.system"),
    ("amount: " + "[" * 5000, "line 1: nested more than 20 deep; expected less"),
])
def test_a_mapping_that_cannot_be_used_is_reported_in_one_line(
        tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(BadInput) as refused:
        Columns.read(mapping(tmp_path, text))
    told = str(refused.value)
    assert told.startswith("columns.yml, line ") and line in told and "\n" not in told


def test_a_missing_mapping_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{tmp_path}/none.yml: cannot be read: No such file"):
        Columns.read(tmp_path / "none.yml")
