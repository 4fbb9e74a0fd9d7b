from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Job, Lakehouse, Settings
from branchline.errors import RunFailed
from branchline.lakehouse.clones import base_of
from branchline.reuse.begin import begin
from branchline.reuse.code import code_of
from branchline.reuse.reuse import Reuse

NAME = "a_team_s_steps"
FILES = {
    "tables": """
from branchline import Column, Table
RAW, CLEAN, TOTAL = (Table(name, "Numbers", ("id",), (Column("id", "BIGINT", "It", True),))
                     for name in ("bronze.raw", "silver.clean", "gold.total"))
""",
    "take": """
from branchline import Step
from a_team_s_steps.tables import RAW
def run(lakehouse, settings):
    lakehouse.merge(RAW, lakehouse.spark.range(settings.limit))
    return {"rows": 0}
step = Step("take", run, writes=(RAW,))
""",
    "clean": """
from branchline import Step
from a_team_s_steps.tables import CLEAN, RAW
FROM = 1
def run(lakehouse, settings):
    lakehouse.merge(CLEAN, lakehouse.read(RAW).where(f"id >= {FROM}"))
    return {"rows": 0}
step = Step("clean", run, reads=(RAW,), writes=(CLEAN,), skippable=True)
""",
    "total": """
from branchline import Step
from a_team_s_steps.tables import CLEAN, TOTAL
TIMES = 1
def run(lakehouse, settings):
    lakehouse.overwrite(TOTAL, lakehouse.read(CLEAN).selectExpr(f"sum(id) * {TIMES} AS id"), "true")
    return {"rows": 0}
step = Step("total", run, reads=(CLEAN,), writes=(TOTAL,), skippable=True)
""",
    "report": """
from branchline import Step
from a_team_s_steps.tables import TOTAL
def run(lakehouse, settings):
    return {"rows": lakehouse.read(TOTAL).collect()[0]["id"]}
step = Step("report", run, reads=(TOTAL,))
""",
    "pipeline": """
from branchline import Pipeline, Settings
from a_team_s_steps import clean, report, take, total
PIPELINE = Pipeline(Settings, (take.step, clean.step, total.step, report.step))
"""}
Edit = Callable[..., Any]


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """The team's pipeline, after `old` was replaced by `new` in one of its modules."""
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def edit(module: str = "tables", old: str = "", new: str = "") -> Any:
        file = folder / f"{module}.py"
        file.write_text(file.read_text().replace(old, new) if old else file.read_text())
        forget()
        return import_module(f"{NAME}.pipeline").PIPELINE

    def forget() -> None:
        code_of.cache_clear()
        invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]

    yield edit
    forget()


def reasons(pipeline: Any, lakehouse: Lakehouse, capsys: pytest.CaptureFixture[str],
            **settings: Any) -> tuple[int, dict[str, str]]:
    """Run all steps from main's tables; what report found, and why each step ran or did not."""
    asked = Settings(schema=lakehouse.schema, limit=settings.pop("limit", 4), **settings)
    if asked.base:
        begin(pipeline, asked, lakehouse)
    job = Job(pipeline, asked, lakehouse)
    capsys.readouterr()
    counts = [job.run(step) for step in pipeline.steps]
    job._held.close()
    lines = capsys.readouterr().out.splitlines()
    found = {step.name: next((line.strip() for line in lines[at:at + 2]
                              if ": " in line), "").removeprefix(step.name).strip()
             for step in pipeline.steps
             for at, line in enumerate(lines) if line.startswith(f"  {step.name} ")}
    assert counts[-1]
    return counts[-1]["rows"], found


@pytest.mark.spark
def test_only_what_changed_runs_and_the_result_is_that_of_a_whole_run(
        run: Any, lakehouse: Lakehouse, edited: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    main = Lakehouse(lakehouse.spark, lakehouse.root, "main")
    assert reasons(edited(), main, capsys)[0] == 6

    changed = edited("total", "TIMES = 1", "TIMES = 10")
    looks, always = "ran: to look for new rows", (
        "ran: always, as it does more than write tables")
    assert reasons(changed, lakehouse, capsys, base="main") == (60, {
        "take": looks, "clean": "skipped: code, settings and bronze.raw as on main",
        "total": f"ran: code changed: {NAME}/total.py", "report": always})

    assert reasons(changed, lakehouse, capsys, base="main", limit=5) == (100, {
        "take": looks, "clean": "ran: changed since: bronze.raw",
        "total": "ran: changed since: silver.clean", "report": always})

    changed = edited("clean", "FROM = 1", "FROM = 4")
    assert reasons(changed, lakehouse, capsys, base="main", limit=5) == (40, {
        "take": looks, "clean": f"ran: code changed: {NAME}/clean.py",
        "total": "ran: made anew: silver.clean", "report": always})
    assert main.read(edited().tables[-1]).collect()[0]["id"] == 6


def test_a_step_whose_last_run_was_killed_makes_its_tables_anew(
        tmp_path: Path, edited: Edit) -> None:
    reuse = Reuse(Lakehouse(None, f"{tmp_path}/tables", "a"),  # type: ignore[arg-type]
                  Settings(base="main"))
    decision = reuse.decide(edited().steps[1])
    assert decision and decision.rebuilds
    assert str(decision) == "ran: no finished run of it made these tables"


def test_with_all_no_step_is_skipped_and_without_main_s_tables_nothing_is_decided(
        tmp_path: Path, edited: Edit) -> None:
    tables = Lakehouse(None, f"{tmp_path}/tables", "a")  # type: ignore[arg-type]
    asked, step = Settings(base="main", rerun="all"), edited().steps[1]
    decision = Reuse(tables, asked).decide(step)
    assert decision and decision.rebuilds and str(decision) == "ran: all steps were asked for"
    assert Reuse(tables, replace(asked, base="")).decide(step) is None


def test_tables_cannot_begin_as_their_own(tmp_path: Path, edited: Edit) -> None:
    tables = Lakehouse(None, f"{tmp_path}/tables", "main")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="base is main, the schema of the run's own tables"):
        begin(edited(), Settings(schema="main", base="main"), tables)


def test_a_run_that_needs_a_file_that_main_no_longer_has_fails_in_one_line(
        run: Any, tmp_path: Path, edited: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
        raise OSError("java.io.FileNotFoundException: /tables/main/bronze/raw/1.parquet is not "
                      "there\n\tat java.base")

    pipeline = edited()
    report = replace(pipeline.steps[-1], run=failing)
    note = tmp_path / "tables" / "a" / "_base" / "versions.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"format": "clones/1", "from": "main", "commits": {"bronze.raw": "0/1"}, '
                    '"until": "2018-04-01T00:00:00+00:00", "missing": []}')
    tables = Lakehouse(None, f"{tmp_path}/tables", "a")  # type: ignore[arg-type]
    base = base_of(tables)
    assert base and not base.is_kept
    job = Job(replace(pipeline, steps=(report,)), Settings(steps=("report",)), tables)
    with pytest.raises(RunFailed, match=r"file /tables/main/bronze/raw/1.parquet of those is gone"):
        job.run(report)
