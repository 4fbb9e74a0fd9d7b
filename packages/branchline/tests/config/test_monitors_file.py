"""monitors.yml: what it may say, and one line for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.monitors_file import read_monitors
from branchline.errors import BadInput
from branchline.monitoring.conditions import Condition
from support.clone import ROOT

GOOD = """
measures: watching
webhook: ALERTS_WEBHOOK
alerts:
  drift: {measure: psi, subject: score, above: 0.25, for: 3 windows, to: [log, webhook],
          severity: critical, runbook: look at the amounts}
  odd: {measure: js_distance, slice: "*", verdict: changed, to: [exit_code], runbook: look}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "monitors.yml"
    file.write_text(text)
    return file


def rule(text: str) -> str:
    return "measures: m\nalerts: {a: {" + text + ", to: [log], runbook: look}}"


def test_alerts_are_read_in_order(tmp_path: Path) -> None:
    found = read_monitors(write(tmp_path, GOOD))
    drift, odd = found.rules
    assert (found.measures, found.webhook) == ("watching", "ALERTS_WEBHOOK")
    assert drift.condition == Condition("psi", "score", above=0.25, windows=3)
    assert (drift.severity, drift.to) == ("critical", ("log", "webhook"))
    assert odd.condition == Condition("js_distance", "*", "*", verdict="changed")
    assert odd.severity == "warning"


@pytest.mark.parametrize(("text", "said"), [
    ("alarms: {}", "line 1: the file has an unknown key alarms; expected some of alerts, measures"),
    ("webhook: X", "the file lacks alerts"), ("alerts: {}", "the file lacks measures"),
    ("measures: m\nalerts: {a b: {}}", "alert 'a b': expected a name"),
    ("measures: m\nalerts: {a: {measure: psi, above: 1, to: [log]}}", "alert a lacks runbook"),
    ("measures: m\nalerts: {a: {measure: psi, above: 1, runbook: x}}", "alert a lacks to"),
    (rule("above: 1"), "line 2: alert a lacks measure"),
    (rule("measure: psi"), "alert a: expected above or below, or verdict"),
    (rule("measure: psi, above: 1, verdict: ok"), "alert a: expected above or below, or verdict"),
    (rule("measure: psi, above: much"), "above is 'much'; expected a number"),
    (rule("measure: psi, verdict: bad"), "verdict is 'bad'; expected one of ok, changed"),
    (rule("measure: psi, above: 1, for: 0"), "for is 0; expected 1 to 1000 windows"),
    (rule("measure: psi, above: 1, for: 2 days"), "for is '2 days'; expected 1 to"),
    (rule("measure: psi, above: 1, severity: high"), "severity is 'high'; expected one of info"),
    (rule("measure: psi, above: 1, until: 3"), "alert a has an unknown key until"),
    ("measures: m\nalerts: {a: {measure: psi, above: 1, to: [mail], runbook: x}}",
     "to is ['mail']; expected"),
    ("measures: m\nalerts: {a: {measure: psi, above: 1, to: [webhook], runbook: x}}",
     "alert a goes to the webhook, but the file has no webhook"),
    ("measures: m\nwebhook: https://hooks.example.com/secret\nalerts: {}",
     "webhook is not the name of an environment variable"),
])
def test_what_it_may_not_say_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as problem:
        read_monitors(write(tmp_path, text))
    assert said in str(problem.value) and "secret" not in str(problem.value)


def test_the_example_s_file_is_good() -> None:
    assert read_monitors(ROOT / "mlflow-notebooks" / "fraud-training" / "monitors.yml").rules
