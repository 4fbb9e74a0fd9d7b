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
    ("custmer_id: CARD", "column custmer_id is unknown; expected some of transaction_id"),
    ("event_time: {column: T, epoch: days}", "event_time.epoch is 'days'; expected one of seconds"),
    ("amount: 3", "column amount is 3; expected the column's name"),
    ("- amount", "holds a list; expected lines like"),
    ("a: [", "cannot be read as YAML"),
])
def test_a_mapping_that_cannot_be_used_is_reported_in_one_line(
        tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(BadInput) as refused:
        Columns.read(mapping(tmp_path, text))
    assert line in str(refused.value) and "\n" not in str(refused.value)
