"""Prometheus' rules and Grafana's dashboard of the service: checked by promtool, by real names."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

from branchline.serving.metrics import Metrics
from branchline.streaming.progress import Progress, metrics_text
from support.clone import ROOT
from support.debian import program

FOLDER = ROOT / "deploy" / "fraud-scoring-service" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
         for rule in group["rules"]]
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ", re.MULTILINE)


def exported() -> dict[str, set[str]]:
    """The names of /metrics and of the worker's file, each with its labels."""
    metrics = Metrics(shared=False)
    for each, labels in ((metrics.requests, ("a", "200")), (metrics.rows, ("a",)),
                         (metrics.outcomes, ("scored",)), (metrics.guardrails, ("far",))):
        each.labels(*labels).inc()
    metrics.seconds.labels("a").observe(1)
    metrics.model.labels("m", "1").set(1)
    metrics.predicted("score", [0.5, True])
    progress = Progress()
    text = metrics.text().decode() + metrics_text(progress, 0, 0.0, progress.latencies)
    return {name: set(re.findall(r"(\w+)=", labels)) for name, labels in SAMPLE.findall(text)}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool", "prometheus"), *arguments], cwd=FOLDER,
                          capture_output=True, text=True)


def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", "rules.yml")
    assert done.returncode == 0 and f"{len(RULES)} rules found" in done.stdout, done.stderr


def test_each_rule_fires_when_it_should_and_none_in_a_quiet_hour() -> None:
    done = promtool("test", "rules", "rules-tests.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_shown_to_fire() -> None:
    tested = (FOLDER / "rules-tests.yml").read_text()
    alerts = [rule["alert"] for rule in RULES if "alert" in rule]
    assert alerts and [name for name in alerts if f'alertname="{name}"' not in tested] == []
    assert all(rule["annotations"]["runbook"] for rule in RULES if "alert" in rule)


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in RULES), *SHOWN])
def test_an_expression_uses_only_metrics_and_labels_that_are_exported(expression: str) -> None:
    names = exported()
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    used = set(re.findall(r"\bbranchline[_:]\w+", expression))
    assert used and used - names.keys() - recorded == set()
    labels = {label for name in used for label in names.get(name, ())}
    asked = re.findall(r"by \(([\w, ]+)\)|(\w+)=[~\"]", expression)
    assert {label for group, one in asked for label in re.split(", *", group or one)} <= labels


def test_the_dashboard_s_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels]
    assert len({each["id"] for each in panels}) == len(set(places)) == len(panels)
