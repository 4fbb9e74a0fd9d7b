from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.platforms.databricks import start

SCRIPT = """
import json, os, sys, beside
print(json.dumps({"argv": sys.argv, "cwd": os.getcwd(), "name": __name__, "file": __file__,
                  "run": os.environ.get("MLFLOW_RUN_ID"), "beside": beside.__file__}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "main.py").write_text(SCRIPT)
    (tmp_path / "project" / "beside.py").write_text("")
    return tmp_path / "project"


def started(*arguments: str, where: Path) -> dict[str, object]:
    done = subprocess.run([sys.executable, start.__file__ or "", *arguments], cwd=where,
                          capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_a_script_sees_the_same_as_if_started_in_its_folder(
        project: Path, tmp_path: Path) -> None:
    script = str(project / "main.py")
    found = started("MLFLOW_RUN_ID=r=1", "--", script, "--days", "7", "--", "x", where=tmp_path)
    assert found == {"argv": [script, "--days", "7", "--", "x"], "cwd": str(project),
                     "name": "__main__", "file": script, "run": "r=1",
                     "beside": str(project / "beside.py")}


def test_modules_of_pythonpath_come_first_except_for_the_projects_own(
        project: Path, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "json.py").write_text("dumps = lambda value: '{\"mine\": true}'")
    found = started(f"PYTHONPATH={tmp_path / 'src'}", "--", str(project / "main.py"),
                    where=tmp_path)
    assert found == {"mine": True}


def test_a_scripts_excepthook_is_called_although_the_platform_catches_exceptions(
        project: Path, tmp_path: Path) -> None:
    (project / "main.py").write_text(
        "import sys\nsys.excepthook = lambda *error: print('hook', error[1])\nraise ValueError(7)")
    caller = ("import runpy, sys\nsys.argv = sys.argv[1:]\n"
              "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
              "except ValueError as error:\n    print('caught', error)")
    done = subprocess.run(
        [sys.executable, "-c", caller, start.__file__ or "", "--", str(project / "main.py")],
        cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "hook 7\ncaught 7\n"
