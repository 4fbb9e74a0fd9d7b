from __future__ import annotations

import json

import pytest

from branchline.lakehouse.difference import ColumnFound, Moved, Sample, TableFound
from branchline.lakehouse.difference.output import print_parts, to_markdown
from branchline.lakehouse.difference.page import page

SAME = TableFound("bronze.raw", (3, 10), (4, 10), ("id",), (ColumnFound("id", "int", "int"),),
                  removed=0, added=0, common=10, changed=0)
CHANGED = TableFound(
    "gold.days", (3, 1500), (4, 1501), ("day",),
    (ColumnFound("day", "date", "date"), ColumnFound("alerts", "bigint", "bigint", 30_000),
     ColumnFound("share", "double", "double", 30_001), ColumnFound("old", "int", None),
     ColumnFound("new", None, "int")),
    removed=0, added=1, common=30_001, changed=1, varying=("model",),
    moves=(Moved({"day": "2024-01-01"}, "alerts", 100.0, 90.0),
           Moved({"day": "2024-01-02"}, "alerts", 0.0, 5.0)),
    samples=(Sample("added", {"day": "2024-01-09", "alerts": None}, {}),
             Sample("changed", {"day": "2024-01-01"}, {"alerts": ("100", None)})))
MISSING = TableFound("gold.none", None, (0, 5), not_matched="the table exists on one side only")
ODD = TableFound("gold.|odd\n", (0, 2), (0, 2), ("id",), not_matched="the key id is not unique")
ALL = [SAME, CHANGED, MISSING, ODD]


def test_a_comparison_survives_json() -> None:
    for table in ALL:
        text = json.dumps(table.to_json())
        back = TableFound.from_json(json.loads(text))
        assert json.dumps(back.to_json()) == text
        assert (back.differs_in, back.columns, back.moves) == (
            table.differs_in, table.columns, table.moves)


def test_the_terminal_shows_each_table_and_the_details_of_those_that_differ(
        capsys: pytest.CaptureFixture[str]) -> None:
    print_parts(page(ALL, "main", "feature/x"))
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "3 of 4 tables differ from main to feature/x." in said
    assert "bronze.raw 10 10 0 0 0 same" in said
    assert "gold.days 1,500 1,501 0 1 1 1 added, 1 removed" in said
    assert "gold.none 5 only feature/x" in said
    assert "Versions 3 and 4, matched by day." in said
    assert "Not compared, another value in each run: model." in said
    assert "alerts 99.99% same" in said and "new added, int" in said
    assert not any(line.startswith("share ") for line in said)
    assert "2024-01-01 alerts 100 90 -10.0%" in said and "2024-01-02 alerts 0 5" in said
    assert "2024-01-01 alerts 100 NULL" in said
    assert "Versions 0 and 0, rows not compared: the key id is not unique." in said


def test_markdown_shows_the_same_and_escapes_foreign_markup() -> None:
    text = to_markdown("a project", page(ALL, "main", "feature/x"))
    lines = text.splitlines()
    assert lines[0] == "## a project"
    assert "| gold.days | 1,500 | 1,501 | 0 | 1 | 1 | 1 added, 1 removed |" in lines
    assert r"### gold.\|odd" in text and "| gold.none |  | 5 |  |  |  | only feature/x |" in lines
    assert "| alerts | 99.99% | same |" in lines


def test_a_branch_without_tables_is_told_in_one_line() -> None:
    new = TableFound("gold.days", None, (4, 1), ("day",))
    text = to_markdown("x", page([new], "main", "feature/x"))
    assert "main has none of these tables yet: there is nothing to compare with." in text
    assert "differ" not in text


def test_without_samples_no_value_of_a_row_is_shown() -> None:
    table = TableFound("gold.days", (3, 1), (4, 1), ("day",), CHANGED.columns, removed=0, added=0,
                       common=1, changed=1)
    assert "2024" not in to_markdown("x", page([table], "main", "feature/x"))
