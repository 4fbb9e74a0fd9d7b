from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Column, Job, Lakehouse, Pipeline, Settings, Step, Table

RAW = Table("bronze.raw", "Rows", key=("id",), columns=(Column("id", "INT", "The row"),))
MODELS = Table("gold.models", "Models", key=("id",), columns=(Column("id", "INT", "The model"),))


def step(name: str, run: Callable[..., dict[str, int]] | None = None, **about: Any) -> Step:
    return Step(name, run or (lambda lakehouse, settings: {"rows": 1234, "files": 2}), **about)


LOAD = step("load", writes=(RAW,))
FIT = step("fit", reads=(RAW,), writes=(MODELS,))
COMPARE = step("compare", reads=(MODELS,), on_request=True)
PIPELINE = Pipeline(Settings, (LOAD, FIT, COMPARE))


def job(folder: Path, pipeline: Pipeline = PIPELINE, *steps: str) -> Job:
    tables = Lakehouse(None, f"{folder}/tables", "a_branch")  # type: ignore[arg-type]
    return Job(pipeline, Settings(steps=steps), tables)


def test_a_run_may_name_the_pipelines_steps_only() -> None:
    steps = PIPELINE.parameters[0]
    assert (steps.name, steps.type, steps.default) == ("steps", "list", "load,fit")
    assert steps.choices == PIPELINE.names == (
        "load", "fit", "compare", "show", "diff", "readers")


def test_without_names_all_steps_run_but_those_on_request() -> None:
    assert PIPELINE.asked(Settings()) == (LOAD, FIT)
    assert PIPELINE.asked(PIPELINE.read(["--steps", "compare, load"])) == (LOAD, COMPARE)
    with pytest.raises(BadInput, match="steps is 'foo'; expected some of load, fit, compare, "
                       "show, diff, readers"):
        PIPELINE.read(["--steps", "foo"])


def test_the_error_for_a_missing_table_names_the_step_that_writes_it(
        tmp_path: Path) -> None:
    lakehouse = Lakehouse(None, f"{tmp_path}/tables", "a_branch")  # type: ignore[arg-type]
    PIPELINE.check_tables(lakehouse, Settings())
    with pytest.raises(BadInput) as refused:
        PIPELINE.check_tables(lakehouse, Settings(steps=("fit",)))
    assert str(refused.value) == (
        f"step fit reads bronze.raw, which schema a_branch of {tmp_path}/tables does not have "
        "yet; with the same parameters, run step load first, or all steps (without -e).")
    Path(lakehouse.root, "a_branch", "bronze", "raw", "_delta_log").mkdir(parents=True)
    PIPELINE.check_tables(lakehouse, Settings(steps=("fit",)))


def test_a_requested_step_runs_and_logs_counts_and_seconds(
        run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import mlflow
    running = job(tmp_path, PIPELINE, "load")
    assert running.run(LOAD) == {"rows": 1234, "files": 2}
    assert running.run(FIT) is None
    line = capsys.readouterr().out
    assert re.fullmatch(r" +load +1,234 rows +\d+\.\d s +files 2\n", line)
    logged = mlflow.get_run(run.info.run_id)
    assert logged.data.metrics.keys() == {"load/rows", "load/files", "load/seconds"}
    assert logged.data.tags["step"] == "load"
    running.finish()


def test_only_warnings_of_a_steps_package_are_printed_below_its_line(
        run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def warn(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
        logging.getLogger(__name__).warning("kept out: %s", "column x")
        logging.getLogger(__name__).info("not so important")
        logging.getLogger("another").warning("of a library")
        return {"rows": 1}

    handlers = list(logging.getLogger().handlers)
    warning = step("warn", warn)
    job(tmp_path, Pipeline(Settings, (warning,))).run(warning)
    assert capsys.readouterr().out.endswith("s   \n            kept out: column x\n")
    assert logging.getLogger().handlers == handlers


def test_the_error_for_an_unknown_step_says_where_to_add_it(tmp_path: Path) -> None:
    running = job(tmp_path)
    with pytest.raises(BadInput, match="step new is not in the pipeline's .load, fit, compare, "
                                       "show, diff, readers.; add it to the Pipeline"):
        running.run(step("new"))


def test_the_error_for_a_step_without_a_cell_says_where_to_add_one(
        run: Any, tmp_path: Path) -> None:
    running = job(tmp_path)
    running.run(LOAD)
    with pytest.raises(BadInput, match=r"step fit was requested, but has no cell in main.py; add "
                                       r"job.run\(...\)"):
        running.finish()


def test_invalid_settings_are_the_reason_in_the_failed_run(
        store: str) -> None:
    import mlflow
    client = mlflow.MlflowClient(store)
    run_id = client.create_run("0").info.run_id
    code = ("from branchline import Pipeline, Settings, start\n"
            "start(Pipeline(Settings, ()), ['--days', '7'])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={
        **os.environ, "MLFLOW_TRACKING_URI": store, "MLFLOW_RUN_ID": run_id})
    assert done.returncode == 1 and "argument --days is unknown" in done.stderr
    found = client.get_run(run_id)
    assert found.info.status == "FAILED"
    assert found.data.tags["error"].startswith("argument --days is unknown; expected --steps")
