from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from branchline.errors import BadInput
from branchline.platforms.databricks.runtimes import (Runtime, added, for_spark_version, runtimes,
                                                      unmet)
from branchline.wheels.distributions import distributions
from branchline.wheels.pyproject import Distribution
from branchline.wheels.required import requirements
from support.clone import ROOT
from workspace_server.runtime_environments import built

SUPPORTED = ["17.3-lts", "18-lts", "serverless-4", "serverless-5"]
KEYS = [key for runtime in runtimes() for key in runtime.spark_versions]


NEEDED = requirements(ROOT)  # of the repository's wheels together


def runtime_of(key: str) -> Runtime:
    found = for_spark_version(key)
    assert found is not None
    return found


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_runtime_s_versions_are_versions(name: str) -> None:
    runtime = Runtime.read(name)
    assert Version(runtime.spark) >= Version("4") and Version(runtime.delta) >= Version("4")
    assert Version(runtime.python) == Version("3.12")
    libraries = {**runtime.libraries, **runtime.ml_libraries}
    assert {"numpy", "pandas", "pyarrow", "mlflow-skinny", "databricks-sdk"} <= libraries.keys()
    for library, version in libraries.items():
        assert canonicalize_name(library) == library and str(Version(version)) == version


def test_exactly_these_runtimes_are_supported() -> None:
    assert [runtime.name for runtime in runtimes()] == SUPPORTED


def test_an_lts_runtime_says_until_when_it_is_supported() -> None:
    assert Runtime.read("17.3-lts").support_ends == date(2028, 10, 22)
    assert Runtime.read("serverless-5").support_ends is None


def test_an_unknown_runtime_is_bad_input() -> None:
    with pytest.raises(BadInput, match="runtime '16.4-lts' is unknown; expected one of 17.3-lts, "):
        Runtime.read("16.4-lts")


def test_a_key_belongs_to_one_runtime() -> None:
    assert len(set(KEYS)) == len(KEYS)
    assert runtime_of("18.x-cpu-ml-scala2.13").name == "18-lts"
    assert runtime_of("17.3.x-scala2.13").name == "17.3-lts"
    assert for_spark_version("18.2.x-scala2.13") is None


def test_only_an_ml_key_has_all_of_mlflow() -> None:
    assert runtime_of("18.x-cpu-ml-scala2.13").libraries["mlflow"] == "3.8.1"
    assert "mlflow" not in runtime_of("18.x-scala2.13").libraries


@pytest.mark.parametrize("key", KEYS)
def test_the_wheels_install_on_the_lts_runtimes_as_they_are(key: str) -> None:
    runtime = runtime_of(key)
    for one in distributions(ROOT):
        assert unmet(NEEDED, runtime, str(one.table["requires-python"])) == []
    assert added(NEEDED, runtime) == []


def test_on_serverless_only_version_4_has_an_older_mlflow() -> None:
    assert unmet(NEEDED, Runtime.read("serverless-5")) == []
    assert set(unmet(NEEDED, Runtime.read("serverless-4"))) == {
        "mlflow-skinny>=3.0 (serverless-4 has 2.22.0)"}


@pytest.mark.parametrize(("requirement", "found"), [
    ("pandas>=3", ["pandas>=3 (18-lts has 2.2.3)"]),
    ("Scikit_Learn==1.9.*", ["Scikit_Learn==1.9.* (18-lts has 1.6.1)"]),
    ("numpy", []),
    ("numpy>=2.1,<3", []),
    ("lightgbm>=9", []),
    ("pandas>=3; python_version < '3.12'", []),
    ("pandas>=3; extra == 'local'", []),
])
def test_a_requirement_is_unmet_if_pip_would_replace_the_library(
        requirement: str, found: list[str]) -> None:
    assert unmet([requirement], Runtime.read("18-lts")) == found


def test_a_library_that_the_runtime_lacks_is_added_not_unmet() -> None:
    requirements = ["lightgbm>=4", "duckdb", "pyspark; extra == 'local'"]
    assert added(requirements, Runtime.read("18-lts")) == ["lightgbm>=4", "duckdb"]
    assert added(requirements, runtime_of("18.x-cpu-ml-scala2.13")) == ["duckdb"]


def test_a_wheel_for_another_python_is_unmet() -> None:
    runtime = Runtime.read("17.3-lts")
    assert unmet([], runtime, ">=3.11,<3.12") == ["python>=3.11,<3.12 (17.3-lts has 3.12)"]
    assert unmet([], runtime, ">=3.11") == unmet([], runtime) == []


@pytest.mark.parametrize("one", distributions(ROOT), ids=lambda one: str(one.name))
def test_everything_that_the_sources_import_is_required(one: Distribution) -> None:
    optional = one.table.get("optional-dependencies", {}).values()
    required = {canonicalize_name(Requirement(text).name)
                for texts in [one.table["dependencies"], *optional] for text in texts}
    of_cluster = {"branchline", "fraud_detection", "terminal_watch", "pyspark", "delta"}
    installed = packages_distributions()
    for name in imported(ROOT / one.folder / "src") - of_cluster - sys.stdlib_module_names:
        assert required & {canonicalize_name(each) for each in installed[name]}, name


@pytest.mark.parametrize("one", distributions(ROOT), ids=lambda one: str(one.name))
def test_a_module_imports_without_an_extra_that_a_local_run_lacks(one: Distribution) -> None:
    tables = {str(each.table["name"]): each.table for each in distributions(ROOT)}
    there = required(tables, str(one.table["name"]), "local")
    further = required(tables, str(one.table["name"]), *one.table["optional-dependencies"]) - there
    installed = packages_distributions()
    for name in imported(ROOT / one.folder / "src", when_used=False) - sys.stdlib_module_names:
        assert not further & {canonicalize_name(each) for each in installed.get(name, [])}, name


def required(tables: Mapping[str, Any], name: str, *extras: str) -> set[str]:
    """All that a distribution needs with these extras, through the others of the workspace."""
    table, found = tables[name], set[str]()
    texts = [*table["dependencies"], *(text for extra in extras
                                       for text in table["optional-dependencies"][extra])]
    for requirement in map(Requirement, texts):
        found |= (required(tables, requirement.name, *requirement.extras)
                  if requirement.name in tables else {canonicalize_name(requirement.name)})
    return found


def imported(sources: Path, when_used: bool = True) -> set[str]:
    """The packages that the modules of a distribution import, with those imported when used."""
    trees = [ast.parse(file.read_text()) for file in sources.rglob("*.py")]
    nodes = [node for tree in trees for node in (ast.walk(tree) if when_used else tree.body)]
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import)
                for alias in node.names]
    return {module.partition(".")[0] for module in modules}


def version_in(python: Path) -> str:
    code = "import packaging; print(packaging.__version__)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True,
                          check=True).stdout.strip()


def test_an_environment_is_built_once_and_kept(tmp_path: Path) -> None:
    python = built(tmp_path, "a", sys.executable, ["packaging==24.2"])
    (python.parents[1] / "kept").touch()
    assert built(tmp_path, "a", sys.executable, ["packaging==24.2"]) == python
    assert (python.parents[1] / "kept").exists() and version_in(python) == "24.2"


def test_an_environment_of_other_libraries_is_another_one(tmp_path: Path) -> None:
    one, other = (built(tmp_path, "a", sys.executable, [f"packaging=={version}"])
                  for version in ("24.1", "24.2"))
    assert (version_in(one), version_in(other)) == ("24.1", "24.2")


def test_an_interrupted_build_of_an_environment_is_repeated(tmp_path: Path) -> None:
    python = built(tmp_path, "a", sys.executable, ["packaging==24.2"])
    (python.parents[1] / ".whole").unlink()
    next(python.parents[1].rglob("packaging/__init__.py")).unlink()
    assert version_in(built(tmp_path, "a", sys.executable, ["packaging==24.2"])) == "24.2"


def test_two_processes_that_want_an_environment_at_once_get_the_same_whole_one(
        tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; "
            "from workspace_server.runtime_environments import built; "
            "print(built(Path(sys.argv[1]), 'a', sys.executable, ['packaging==24.2']))")
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, text=True,
                             stdout=subprocess.PIPE) for _ in range(2)]
    one, other = (Path(process.communicate()[0].strip()) for process in both)
    assert one == other and version_in(one) == "24.2"
