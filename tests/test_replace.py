"""README's way to a pipeline of one's own: a second, tiny project by its steps, at work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.clone import README, ROOT, a_persons_shell, clone

pytestmark = pytest.mark.spark

FILES = {
    "src/parcels/__init__.py": '"""Parcels and what they weigh."""\n',
    "src/parcels/tables.py": '''
from branchline import Column, Table

PARCELS = Table("bronze.parcels", "Parcels as they came", key=("id",), columns=(
    Column("id", "BIGINT", "The parcel", required=True), Column("grams", "BIGINT", "Its weight")))
WEIGHTS = Table("gold.weights", "Parcels by weight", key=("kilograms",), columns=(
    Column("kilograms", "BIGINT", "Whole kilograms", required=True),
    Column("parcels", "BIGINT", "How many")))
''',
    "src/parcels/settings.py": '''
from dataclasses import dataclass

import branchline
from branchline import parameter


@dataclass(frozen=True)
class Settings(branchline.Settings):
    parcels: int = parameter(10, "how many parcels come", minimum=1, maximum=1000)
''',
    "src/parcels/steps/__init__.py": '"""The steps."""\n',
    "src/parcels/steps/receive.py": '''
import logging

from branchline import Lakehouse, Step
from parcels.settings import Settings
from parcels.tables import PARCELS


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    rows = lakehouse.spark.range(settings.parcels).selectExpr("id", "500 * id AS grams")
    lakehouse.overwrite(PARCELS, rows, "true")
    logging.getLogger(__name__).warning("the scales are old")
    return {"rows": settings.parcels}


step = Step("receive", run, writes=(PARCELS,))
''',
    "src/parcels/steps/weigh.py": '''
from pyspark.sql import DataFrame

from branchline import Lakehouse, Step
from parcels.settings import Settings
from parcels.tables import PARCELS, WEIGHTS


def by_weight(parcels: DataFrame) -> DataFrame:
    return (parcels.groupBy((parcels.grams / 1000).cast("bigint").alias("kilograms")).count()
            .withColumnRenamed("count", "parcels"))


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    lakehouse.overwrite(WEIGHTS, by_weight(lakehouse.read(PARCELS)), "true")
    return {"rows": lakehouse.read(WEIGHTS).count()}


step = Step("weigh", run, reads=(PARCELS,), writes=(WEIGHTS,))
''',
    "src/parcels/pipeline.py": '''
from branchline import Pipeline
from parcels.settings import Settings
from parcels.steps import receive, weigh

PIPELINE = Pipeline(Settings, (receive.step, weigh.step))
''',
    "mlflow-notebooks/parcel-weights/main.py": '''
# %% The job
from branchline import start
from parcels.pipeline import PIPELINE
from parcels.steps import receive, weigh

job = start(PIPELINE)

# %% What came
job.run(receive.step)

# %% By weight
job.run(weigh.step)

# %%
job.finish()
''',
    "mlflow-notebooks/parcel-weights/MLproject":
        "name: parcel-weights\npython_env: python_env.yaml\npipeline: parcels.pipeline:PIPELINE\n",
}
COPIED = "mlflow-notebooks/parcel-weights/python_env.yaml"
EDITED = "pyproject.toml"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which `parcels` stands instead of both examples, by README's steps."""
    root = clone(tmp_path_factory.mktemp("replace") / "clone")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.move(root / "mlflow-notebooks" / "fraud-training" / "python_env.yaml", root / COPIED)
    project = (root / EDITED).read_text().replace('"fraud-detection"', '"parcel-works"')
    assert project.count("fraud_detection") == project.count("terminal_watch") == 2
    for second in (', "src/terminal_watch"', ', "terminal_watch"'):
        project = project.replace(second, "")
    (root / EDITED).write_text(project.replace("fraud_detection", "parcels"))
    for package, folder in (("fraud_detection", "fraud-training"),
                            ("terminal_watch", "terminal-watch")):
        shutil.rmtree(root / "src" / package)
        shutil.rmtree(root / "mlflow-notebooks" / folder)
    for further in ("fraud-scoring", "fraud-monitoring"):
        shutil.rmtree(root / "mlflow-notebooks" / further)
    assert called(root, "-m", "branchline.cli.main", "mlproject", "parcel-weights",
                  "--write").stdout == "parcel-weights: 5 steps, 16 parameters\n"
    return root


def called(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the clone, which finds its package as an installed one."""
    return subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True,
                          env={**a_persons_shell(), "PYTHONPATH": str(root / "src"),
                               "PATH": os.environ["PATH"]})


def ran(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return called(root, "mlflow-triggers/run.py", "parcel-weights", *arguments)


def test_readme_names_every_file_that_the_second_project_touches() -> None:
    section = README.partition("## Replace `fraud_detection`")[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:src|mlflow-notebooks)/\S+|pyproject\.toml)`", section))
    ours = {name.replace("parcels", "NAME").replace("parcel-weights", "PROJECT")
            for name in (*FILES, COPIED, EDITED)}
    assert named == {re.sub(r"steps/(receive|weigh)\.py", "steps/STEP.py", name) for name in ours}


def test_the_second_project_runs(repository: Path) -> None:
    done = ran(repository, "-P", "parcels=20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"  receive +20 rows +[\d.]+ s   \n            the scales are old\n",
                     done.stdout)
    assert re.search(r"  weigh +10 rows ", done.stdout)
    assert "experiment  /branchline/parcel-weights/a-feature" in done.stdout


def test_a_single_step_on_a_new_branch_says_what_to_run_first(repository: Path) -> None:
    done = ran(repository, "-e", "weigh", "--branch", "feature/new")
    assert done.returncode == 2
    assert "step weigh reads bronze.parcels, which schema feature_new" in done.stderr
    assert "run step receive first, or all steps (without -e)" in done.stderr


@pytest.mark.parametrize(("given", "line"), [
    ("steps=foo", "parameter steps is 'foo'; expected some of receive, weigh, show, diff, "
                  "readers, separated by"),
    ("parcels=0", "parameter parcels is '0'; expected a whole number from 1 to 1,000."),
    ("parcel=3", "parameter parcel is unknown to entry point main; accepted: steps, data"),
])
def test_bad_arguments_are_refused_before_a_run_exists(
        repository: Path, given: str, line: str) -> None:
    done = ran(repository, "-P", given)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr and done.stderr.count("\n") == 1


def test_a_parameter_that_mlproject_lacks_is_reported_with_what_to_add(repository: Path) -> None:
    settings = repository / "src" / "parcels" / "settings.py"
    before = settings.read_text()
    settings.write_text(before + '    heavy: int = parameter(5, "kilograms", minimum=1)\n')
    done = called(repository, "-m", "branchline.cli.main", "mlproject", "parcel-weights")
    settings.write_text(before)
    assert done.returncode == 2
    assert "mlflow-notebooks/parcel-weights/MLproject, line " in done.stderr
    assert ("parameter heavy of entry point main is missing; add `heavy: {type: integer, minimum: "
            "1, default: 5, help: kilograms}`") in done.stderr


def test_the_kept_code_never_names_the_replaced_package() -> None:
    kept = [ROOT / "packages" / "branchline" / "src", ROOT / "mlflow-triggers"]
    assert [file for folder in kept for file in folder.rglob("*.py")
            if "fraud_detection" in file.read_text()] == []
