"""monitors.yml: reads a project's alerts, and checks every key of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.config.yaml_values import is_number
from branchline.monitoring.alerts import RECEIVERS, SEVERITIES, AlertRule, Monitors
from branchline.monitoring.conditions import ANY, VERDICTS, Condition

__all__ = ["CONDITION_KEYS", "read_condition", "read_monitors"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONDITION_KEYS = ("measure", "subject", "slice", "above", "below", "verdict", "for")
RULE_KEYS = (*CONDITION_KEYS, "severity", "to", "runbook")
MOST_WINDOWS = 1000


def read_monitors(path: Path) -> Monitors:
    """The alerts in a YAML file, by name, and the variable of the webhook's URL.

    Raises:
        BadInput: no such file, an unknown or missing key, or an invalid value; the text has its
            line.
    """
    mapping = read_yaml(path)
    mapping.check_names("the file", ("alerts", "measures", "webhook"), ("alerts", "measures"))
    webhook = mapping.text("webhook") if "webhook" in mapping.values else ""
    if webhook and not VARIABLE.fullmatch(webhook):
        raise mapping.wrong("webhook is not the name of an environment variable; expected one, "
                            "such as ALERTS_WEBHOOK, that has the URL.", "webhook")
    alerts = mapping.below("alerts")
    rules = tuple(_rule(name, alerts) for name in alerts.values)
    for rule in rules:
        if "webhook" in rule.to and not webhook:
            raise alerts.wrong(f"alert {rule.name} goes to the webhook, but the file has no "
                               "webhook; expected `webhook: VARIABLE`.", rule.name)
    return Monitors(rules, mapping.text("measures"), webhook)


def read_condition(what: str, mapping: YamlMapping) -> Condition:
    """The condition in a mapping, which may have other keys, too.

    Raises:
        BadInput: no measure, not exactly one of bounds and verdict, or an invalid value.
    """
    if "measure" not in mapping.values:
        raise mapping.wrong(f"{what} lacks measure.")
    bounds = [key for key in ("above", "below") if key in mapping.values]
    if bool(bounds) == ("verdict" in mapping.values):
        raise mapping.wrong(f"{what}: expected above or below, or verdict.")
    for key in bounds:
        if not is_number(mapping.values[key]):
            raise mapping.unfit(key, "a number")
    if mapping.values.get("verdict", VERDICTS[0]) not in VERDICTS:
        raise mapping.unfit("verdict", f"one of {', '.join(VERDICTS)}")
    above, below = (float(mapping.values[key]) if key in bounds else None
                    for key in ("above", "below"))
    return Condition(mapping.text("measure"), _text(mapping, "subject", ANY),
                     _text(mapping, "slice", ""), above, below, mapping.values.get("verdict"),
                     _windows(mapping))


def _rule(name: str, alerts: YamlMapping) -> AlertRule:
    if not NAME.fullmatch(name):
        raise alerts.wrong(f"alert {name!r}: expected a name of letters, digits, - and _.", name)
    mapping, what = alerts.below(name), f"alert {name}"
    mapping.check_names(what, RULE_KEYS, ("to", "runbook"))
    severity = mapping.values.get("severity", "warning")
    if severity not in SEVERITIES:
        raise mapping.unfit("severity", f"one of {', '.join(SEVERITIES)}")
    runbook = mapping.text("runbook")
    if len(runbook.splitlines()) > 1:
        raise mapping.unfit("runbook", "one line")
    return AlertRule(name, read_condition(what, mapping), str(severity), _to(mapping), runbook)


def _to(mapping: YamlMapping) -> tuple[str, ...]:
    found: Any = mapping.values["to"]
    if not isinstance(found, list) or not found or len(set(map(str, found))) < len(found) or any(
            each not in RECEIVERS for each in found):
        raise mapping.unfit("to", f"a list of some of {', '.join(RECEIVERS)}")
    return tuple(found)


def _windows(mapping: YamlMapping) -> int:
    """`for: 3` or, as one may say it, `for: 3 windows`."""
    found = re.fullmatch(r"([0-9]{1,4})( windows?)?", str(mapping.values.get("for", 1)))
    if not found or not 1 <= int(found[1]) <= MOST_WINDOWS:
        raise mapping.unfit("for", f"1 to {MOST_WINDOWS} windows, as in `for: 3 windows`")
    return int(found[1])


def _text(mapping: YamlMapping, key: str, default: str) -> str:
    return mapping.text(key, may_be_empty=True) if key in mapping.values else default
