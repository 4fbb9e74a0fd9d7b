"""`alerts.py` and `retrain.py` as a user calls them, on a small project that really trains."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pytest

from support.clone import ROOT, clone
from support.hook import open_hook
from support.measured import measure, write
from support.processes import trigger

MONITORS = """measures: sample-project
webhook: SAMPLE_HOOK
alerts:
  drift: {measure: psi, above: 0.25, for: 2 windows, to: [log, webhook, exit_code],
          severity: critical, runbook: look at it}
"""
DEPLOY = """jobs: {a: {}}
retraining:
  measures: sample-project
  when: {drift: {measure: psi, subject: score, above: 0.25, for: 3 windows}}
  at_most_once_in_days: 14
  parameters: {who: everybody}
"""
NAME = "sample-project"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository with a project without a model, with policies of its own."""
    root = clone(tmp_path_factory.mktemp("sample") / "clone")
    project = root / "mlflow-notebooks" / NAME
    shutil.copytree(ROOT / "tests" / NAME, project)
    (project / "gate.yml").write_text("metrics: {letters: {floor: 5}}\n")
    (project / "monitors.yml").write_text(MONITORS)
    (project / "deploy.yml").write_text(DEPLOY)
    return root


def records(root: Path, kind: str) -> dict[str, Any]:
    """What was recorded, by the files' names."""
    files = sorted(root.glob(f".local/**/{kind}/{NAME}/**/*.json"))
    return {file.name: json.loads(file.read_text()) for file in files}


def test_an_alert_is_told_once_and_a_webhook_that_failed_hears_of_it_later(
        store: str, sample: Path, tmp_path: Path) -> None:
    def alerts(*values: float, **variables: str) -> tuple[int, str, str]:
        file = write(tmp_path / "measures", (measure(*each) for each in enumerate(values)))
        done = trigger("alerts", NAME, "--measures", str(file), folder=sample,
                       MLFLOW_TRACKING_URI=store, **variables)
        return done.returncode, done.stdout, done.stderr

    assert alerts(0.1, 0.3) == (0, "0 open alerts\n", "")
    code, out, said = alerts(0.1, 0.3, 0.4)
    assert code == 4 and out.startswith("open     drift: psi of score, model 1 is 0.4 in 1,000")
    assert "look at it\n1 open alert\n" in out
    assert said.splitlines() == [
        "alerts: webhook: the environment variable SAMPLE_HOOK has nothing; expected the URL, "
        "https://...", "alerts.py: drift: open; see the runbook above."]
    with open_hook() as hook:
        for _ in range(2):
            code, out, said = alerts(0.1, 0.3, 0.4, SAMPLE_HOOK=hook.url)
            assert code == 4 and not out.startswith("open") and hook.url not in out + said
        assert alerts(0.1, 0.3, 0.4, 0.1, SAMPLE_HOOK=hook.url)[0] == 0
    assert [each["status"] for each in hook.got] == ["open", "closed"]
    assert hook.got[0]["id"] == hook.got[1]["id"] and hook.got[0]["runbook"] == "look at it"
    kept = records(sample, "alerts")
    assert [each["format"] for each in kept.values()] == ["alerts/1"] * 3


def test_a_drift_trains_once_and_each_decision_is_recorded_with_its_reasons(
        store: str, sample: Path, tmp_path: Path) -> None:
    quiet = write(tmp_path / "quiet", (measure(number, 0.1) for number in range(5)))
    moved = write(tmp_path / "moved", (measure(number, 0.5) for number in range(5)))

    def retrain(file: Path, *arguments: str) -> str:
        done = trigger("retrain", NAME, "--branch", "main", "--measures", str(file), *arguments,
                       folder=sample, MLFLOW_TRACKING_URI=store)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert retrain(quiet).startswith("retrain   no\n  as no condition of the policy holds\n")
    assert "recorded" not in retrain(moved, "--dry-run")
    said = retrain(moved)
    assert said.startswith("retrain   yes\n  because drift: psi of score, model 1 is 0.5 in 1,000")
    assert "passed" in said
    assert retrain(moved).startswith("retrain   no")
    kept = records(sample, "retraining")
    assert [kept[f"00000{number}.json"]["decision"] for number in (1, 2, 3)] == ["no", "yes", "no"]
    assert kept["000002.json"]["reasons"][0].startswith("drift: psi of score")
    outcome = kept["000002.outcome.json"]
    mlflow.set_tracking_uri(store)
    run = mlflow.get_run(outcome["run"])
    assert (outcome["outcome"], run.data.tags["gate"]) == ("passed", "passed")
    assert run.data.params["who"] == "everybody" and run.data.tags["branch"] == "main"


def test_a_project_without_a_policy_is_told_where_to_write_it(store: str, sample: Path) -> None:
    done = trigger("retrain", "terminal-watch", folder=sample, MLFLOW_TRACKING_URI=store)
    assert done.returncode == 2
    assert "its deploy.yml has no `retraining`; expected a policy there" in done.stderr


@pytest.mark.parametrize(("line", "said"), [
    ("no json", "measures, line 1: is not a JSON object; expected one JSON object per line"),
    ("{}", "measures, line 1: is not a measure (KeyError: 'low')"),
])
def test_a_line_that_is_no_measure_is_named(store: str, sample: Path, tmp_path: Path, line: str,
                                            said: str) -> None:
    (tmp_path / "measures").write_text(line)
    done = trigger("alerts", NAME, "--measures", str(tmp_path / "measures"), folder=sample,
                   MLFLOW_TRACKING_URI=store)
    assert done.returncode == 2 and said in done.stderr
