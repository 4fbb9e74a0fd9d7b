"""The `retraining` block of deploy.yml: when a model is trained again, and what follows."""

from __future__ import annotations

from branchline.config.monitors_file import CONDITION_KEYS, read_condition
from branchline.config.yaml_file import YamlMapping
from branchline.monitoring.conditions import Condition
from branchline.monitoring.retraining import ACTIONS, Retraining

__all__ = ["read_retraining"]

MOST_DAYS = 3650


def read_retraining(mapping: YamlMapping) -> Retraining:
    """The policy; its conditions are those of monitors.yml.

    Raises:
        BadInput: a missing, unknown or invalid key; the text has its line.
    """
    mapping.check_keys("retraining", Retraining, without="")
    conditions = mapping.below("when")
    when = {name: _condition(name, conditions.below(name)) for name in conditions.values}
    alerts = mapping.values.get("alerts", False)
    if not isinstance(alerts, bool):
        raise mapping.unfit("alerts", "true or false")
    every, age = (_days(mapping, key) if key in mapping.values else None
                  for key in ("every_days", "model_age_days"))
    if not (when or alerts or every or age):
        raise mapping.wrong("retraining has no reason to train; expected every_days, "
                            "model_age_days, alerts or when.")
    action = mapping.values.get("action", ACTIONS[0])
    if action not in ACTIONS:
        raise mapping.unfit("action", f"one of {', '.join(ACTIONS)}; a policy never deploys")
    measures = mapping.text("measures") if "measures" in mapping.values else ""
    if when and not measures:
        raise mapping.wrong("retraining lacks measures; expected the project that measures, such "
                            "as fraud-monitoring.")
    return Retraining(when, every, age, alerts, str(action), measures,
                      mapping.texts("parameters"),
                      at_most_once_in_days=_days(mapping, "at_most_once_in_days"))


def _condition(name: str, mapping: YamlMapping) -> Condition:
    mapping.check_names(f"condition {name}", CONDITION_KEYS)
    return read_condition(f"condition {name}", mapping)


def _days(mapping: YamlMapping, key: str) -> int:
    found = mapping.values.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= MOST_DAYS:
        raise mapping.unfit(key, f"a whole number of days from 1 to {MOST_DAYS}")
    return found
