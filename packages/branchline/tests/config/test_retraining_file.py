"""`retraining` in deploy.yml: what it may say, and one line for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.deploy_file import read_deploy_file
from branchline.errors import BadInput
from branchline.monitoring.conditions import Condition
from branchline.monitoring.retraining import Retraining
from support.clone import ROOT


def read(folder: Path, text: str) -> Retraining | None:
    file = folder / "deploy.yml"
    file.write_text("jobs: {a: {}}\n" + text)
    return read_deploy_file(file).retraining


def test_a_policy_has_reasons_a_pause_and_an_action(tmp_path: Path) -> None:
    found = read(tmp_path, """retraining:
  measures: watching
  when:
    drift: {measure: psi, subject: score, above: 0.25, for: 3 windows}
  every_days: 30
  model_age_days: 90
  alerts: true
  at_most_once_in_days: 7
  action: release
  parameters: {train_days: 14}
""")
    assert found == Retraining(
        {"drift": Condition("psi", "score", above=0.25, windows=3)}, 30, 90, True, "release",
        "watching", {"train_days": "14"}, at_most_once_in_days=7)


def test_without_it_there_is_no_policy_and_the_usual_action_is_to_compare(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None
    found = read(tmp_path, "retraining: {every_days: 30, at_most_once_in_days: 7}")
    assert found and found.action == "compare"


def test_the_example_has_a_policy() -> None:
    file = read_deploy_file(ROOT / "mlflow-notebooks" / "fraud-training" / "deploy.yml")
    assert file.retraining


@pytest.mark.parametrize(("text", "said"), [
    ("every_days: 30", "line 2: retraining lacks at_most_once_in_days"),
    ("at_most_once_in_days: 7", "retraining has no reason to train; expected every_days"),
    ("at_most_once_in_days: 0, every_days: 1", "at_most_once_in_days is 0; expected a whole"),
    ("at_most_once_in_days: 7, every_days: 1, action: deploy",
     "action is 'deploy'; expected one of compare, release; a policy never deploys"),
    ("at_most_once_in_days: 7, when: {drift: {measure: psi, above: 1}}",
     "retraining lacks measures; expected the project"),
    ("at_most_once_in_days: 7, alerts: 3", "alerts is 3; expected true or false"),
    ("at_most_once_in_days: 7, weekly: 3", "retraining has an unknown key weekly"),
    ("at_most_once_in_days: 7, measures: m, when: {drift: {measure: psi}}",
     "condition drift: expected above or below, or verdict"),
    ("at_most_once_in_days: 7, measures: m, when: {drift: {measure: psi, above: 1, to: [log]}}",
     "condition drift has an unknown key to"),
])
def test_what_it_may_not_say_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as problem:
        read(tmp_path, "retraining: {" + text + "}")
    assert said in str(problem.value)
