"""What `branchline serve` refuses before it serves anything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.clone import ROOT


@pytest.mark.parametrize(("service", "line"), [
    ("terminal-watch", "mlflow-notebooks/terminal-watch/MLproject: has no line `service: "
                       "MODULE:NAME`; expected the module and the name of the service in it."),
    ("terminal-wach", "project terminal-wach is not in mlflow-notebooks/; found "),
    ("nothing.there:open", "service 'nothing.there:open': cannot be imported (No module named "
                           "'nothing'); expected MODULE:FUNCTION."),
])
def test_a_service_that_cannot_be_opened_is_refused_in_one_line(service: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "branchline.cli.main", "serve", service, "--model", "nowhere"],
        cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr and len(done.stderr.splitlines()) == 1
