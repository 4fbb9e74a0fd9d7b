from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.gate_file import read_policy
from branchline.config.gate_policy import MetricRule, Policy, Replay, Tolerance
from branchline.errors import BadInput
from support.processes import PROJECT

METRIC = "metrics:\n  ap: {floor: 0.3, tolerance: 0.02}\n"


def policy(tmp_path: Path, text: str) -> Policy:
    (tmp_path / "gate.yml").write_text(text)
    return read_policy(tmp_path / "gate.yml")


def test_the_repositorys_gate_asks_for_something_of_every_kind() -> None:
    found = read_policy(PROJECT / "gate.yml")
    assert [rule.name for rule in found.metrics] == [
        "average_precision", "card_precision_100", "net_saving", "calibration_error"]
    assert all(rule.floor is not None and rule.tolerance for rule in found.metrics)
    assert {rule.kind for rule in found.slices} == {"amount", "new_customers"}
    assert found.sanity.min_rows > 1 and found.sanity.ingested_within_days
    assert found.broken_champion == "fail"


def test_a_policy_needs_one_metric_and_the_rest_has_defaults(tmp_path: Path) -> None:
    assert policy(tmp_path, METRIC) == Policy((MetricRule("ap", "higher", 0.3, Tolerance(0.02)),))


def test_a_tolerance_may_be_a_share_of_the_champions_value(tmp_path: Path) -> None:
    tolerance = policy(tmp_path, METRIC.replace("0.02", "5%")).metrics[0].tolerance
    assert tolerance is not None
    assert tolerance.of(200.) == tolerance.of(-200.) == 10 and str(tolerance) == "5%"


def test_a_policy_may_name_what_the_deployed_version_runs_and_what_judges_both(
        tmp_path: Path) -> None:
    found = policy(tmp_path, METRIC + "replay: {run: watch, judge: measure}\n")
    assert found.replay == Replay("watch", "measure")


@pytest.mark.parametrize(("text", "line"), [
    (METRIC + "replay: {run: watch}\n", "line 3: replay lacks judge."),
    (METRIC + "replay: {run: watch, judge: 1}\n", "line 3: judge is 1; expected text"),
    ("", "line 1: the policy lacks metrics."),
    ("metrics: {}\n", "line 1: metrics is empty; expected at least one metric."),
    ("metrics: {ap: 0.3}\n", "line 1: ap is 0.3; expected lines such as"),
    ("metrics:\n  ap:\n    direction: up\n    floor: 1\n",
     "line 3: direction is 'up'; expected one of higher, lower."),
    ("metrics:\n  ap: {direction: lower}\n", "line 2: metric ap has neither floor nor tolerance"),
    ("metrics:\n  ap:\n    flor: 1\n", "line 3: metric ap has an unknown key flor; expected"),
    (METRIC.replace("0.3", ".nan"), "line 2: floor is .nan; expected a finite number"),
    (METRIC.replace("0.3", "high"), "line 2: floor is 'high'; expected a number."),
    (METRIC.replace("0.02", "-1"), "line 2: tolerance is -1; expected a number of at least 0"),
    (METRIC.replace("0.02", "some%"), "line 2: tolerance is 'some%'; expected"),
    (METRIC + "level: 0.9\n", "line 3: level is 0.9; expected a number from 1e-06 to 0.5."),
    (METRIC + "undecided: maybe\n", "line 3: undecided is 'maybe'; expected one of pass, fail."),
    (METRIC + "broken_champion: pass\n", "line 3: broken_champion is 'pass'; expected one of fail"),
    (METRIC + "draws: 10\n", "line 3: draws is 10; expected a whole number from 100 to 100000."),
    (METRIC + "draws: 500.5\n", "line 3: draws is 500.5; expected a whole number from"),
    (METRIC + "draws: yes\n", "line 3: draws is yes; expected a whole number"),
    (METRIC.replace("0.02", "1_0%"),
     "line 2: tolerance is '1_0%'; expected a number of at least 0"),
    (METRIC.replace("0.02", "true"), "line 2: tolerance is true; expected a number of at least 0"),
    (METRIC.replace("0.3", "null"), "line 2: floor is null; expected a number."),
    (METRIC + "slices:\n  amount: {min_rows: 5}\n", "line 4: slice amount lacks tolerance."),
    (METRIC + "slices:\n  amount: {tolerance: 1, min_rows: 0}\n", "line 4: min_rows is 0"),
    (METRIC + "sanity:\n  label_rate: [0.2, 0.1]\n", "line 4: label_rate is [0.2, 0.1]; expected"),
    (METRIC + "sanity:\n  label_rate: 0.1\n", "line 4: label_rate is 0.1; expected [LOWEST, HIG"),
    (METRIC + "sanity:\n  ingested_within_days: soon\n", "line 4: ingested_within_days is 'soon'"),
    (METRIC + "sanety: {}\n", "line 3: the policy has an unknown key sanety; expected"),
])
def test_what_is_wrong_with_a_policy_is_reported_in_one_line_with_its_line_number(
        tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(BadInput) as refused:
        policy(tmp_path, text)
    assert str(refused.value).startswith("gate.yml, ") and line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none.yml: cannot be read"):
        read_policy(tmp_path / "none.yml")
