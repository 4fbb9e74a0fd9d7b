from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlflow
import pyarrow as pa
import pytest

from branchline import BadInput, Column, Job, Lakehouse, Pipeline, Settings, Step, Table
from branchline.errors import TablesBusy
from branchline.runs.shown_rows import newest_parameters, print_rows, rows_of
from branchline.runs.tracking import Tracking
from branchline.show import LONGEST, as_lines, command_for

THINGS = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Number"),
                                                    Column("name", "STRING", "Its name")))
OTHERS = Table("gold.others", "Others", ("id",), (Column("id", "BIGINT", "Number"),))
PIPELINE = Pipeline(Settings, (
    Step("make", lambda lakehouse, settings: {"rows": 0}, writes=(THINGS, OTHERS)),))


def test_every_pipeline_has_the_step_and_runs_it_on_request_only() -> None:
    assert PIPELINE.names == ("make", "show", "diff", "readers")
    assert PIPELINE.asked(Settings()) == PIPELINE.steps
    assert PIPELINE.asked(Settings(steps=("show",))) == (PIPELINE.show,)
    assert PIPELINE.show is PIPELINE.show
    assert PIPELINE.table_names == ("silver.things", "gold.others")


def test_values_of_every_type_are_text_or_null() -> None:
    moment = datetime(2024, 1, 1, 10, tzinfo=timezone.utc)
    rows = pa.table({
        "at": pa.array([moment], pa.timestamp("us", "Europe/Berlin")), "day": [date(1, 1, 1)],
        "price": [Decimal("1.50")], "amount": [1e300], "raw": [b"\xff"], "none": pa.nulls(1),
        "nested": [{"a": [1, None]}], "text": ["é\n" * LONGEST]})
    (shown,) = map(json.loads, as_lines(rows).splitlines())
    text = shown.pop("text")
    assert len(text) == LONGEST + 3 and text.startswith("é\né")
    assert shown == {"at": "2024-01-01 10:00:00.000000Z", "day": "0001-01-01", "price": "1.50",
                     "amount": "1e+300", "raw": "ff", "none": None, "nested": '{"a": [1, null]}'}
    assert as_lines(rows.slice(0, 0)) == ""


def test_rows_are_printed_safe_and_cut_on_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"id": "1", "name": "##vso[x]\x1b[2J [b]"}, {"id": None, "name": "é" * 60}], 7)
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert said == ["id  name", r"1   # #vso[x]\x1b[2J [b]", f"    {'é' * 45}...", "2 of 7 rows"]


def test_rows_wider_than_the_terminal_are_printed_as_blocks(
        capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{f"column_{at}": "x" * 30 for at in range(9)}], 1)
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["row", "1"] and said[9].split() == ["column_8", "x" * 30]
    assert said[-1] == "1 of 1 row"


def test_the_suggested_command_names_the_runs_project_and_target(run: Any) -> None:
    assert command_for(THINGS) == "branchline show PROJECT silver.things"
    mlflow.end_run()
    with mlflow.start_run(experiment_id=run.info.experiment_id, tags={
            "project": "parcels", "target": "dev", "branch": "a b"}):
        assert command_for(THINGS) == (
            "branchline show parcels silver.things --on dev --branch 'a b'")


@pytest.mark.spark
def test_show_logs_some_rows_of_a_table_to_the_run(
        run: Any, store: str, lakehouse: Lakehouse) -> None:
    lakehouse.create(THINGS)
    rows = lakehouse.spark.range(9).selectExpr("id", "nullif(id, 8) || '' AS name")
    lakehouse.merge(THINGS, rows)
    asked = Settings(table="silver.things", where="id > 5", limit=2)
    assert PIPELINE.show.run(lakehouse, asked) == {"rows": 3, "shown": 2}
    mlflow.log_metric("show/rows", 3)
    shown, count = rows_of(Tracking(store, None), run.info.run_id)
    assert count == 3 and [row["id"] for row in shown] <= ["6", "7", "8"]
    for wrong, line in (({"table": "things"}, "'things' is unknown; expected one of gold.others, "),
                        ({"table": "gold.others"}, "gold.others is not there yet; there are "
                                                   "silver.things in schema a_branch"),
                        ({"where": "id >"}, "parameter where is 'id >'; expected an SQL"),
                        ({"where": "name || 'x' > 1"}, "parameter where is .*; expected an SQL")):
        with pytest.raises(BadInput, match=line):
            PIPELINE.show.run(lakehouse, Settings(**{"table": "silver.things", **wrong}))


def test_show_does_not_wait_for_a_run_that_writes_the_tables(tmp_path: Path) -> None:
    here, too = (Lakehouse(None, f"{tmp_path}/tables", "a_branch")  # type: ignore[arg-type]
                 for _ in range(2))
    with here.writing():
        Job(PIPELINE, Settings(steps=("show",)), too)
        with pytest.raises(TablesBusy):
            Job(PIPELINE, Settings(steps=("make", "show")), too)


def test_the_newest_runs_parameters_select_the_tables(run: Any, store: str) -> None:
    mlflow.log_params({"data": "/landed", "steps": "ingest"})
    tracking = Tracking(store, None)
    name = mlflow.get_experiment(run.info.experiment_id).name
    assert newest_parameters(tracking, name) == {"data": "/landed", "steps": "ingest"}
    assert newest_parameters(tracking, "/none") == {}
