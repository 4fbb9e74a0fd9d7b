"""guardrails.yml: reads the rules of a project's model, and checks every key of them."""

from __future__ import annotations

from pathlib import Path

from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.config.yaml_values import is_number
from branchline.guardrails.rules import ABOUT_INPUTS, ACTIONS, KINDS, Guardrails, Rule

__all__ = ["read_guardrails"]

# What a rule of a kind may say beside `when` and `action`; the required ones first.
KEYS = {"outside_range": ("inputs",), "missing": ("inputs",),
        "unknown_category": ("known", "inputs"), "outlier": (),
        "uncertain": ("between",), "alert_rate": ("above", "over")}
REQUIRED = {"unknown_category": ("known", "inputs"), "uncertain": ("between",),
            "alert_rate": ("above",)}
MOST_ROWS = 1_000_000


def read_guardrails(path: Path) -> Guardrails:
    """The rules in a YAML file, by name: `far: {when: outside_range, inputs: [amount]}`.

    Raises:
        BadInput: no such file, an unknown or missing key, or an invalid value; the text has its
            line.
    """
    mapping = read_yaml(path)
    return Guardrails(tuple(_rule(name, mapping.below(name)) for name in mapping.values),
                      where=mapping.where)


def _rule(name: str, mapping: YamlMapping) -> Rule:
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise mapping.wrong(f"rule {name!r}: expected a name of letters, digits and _.")
    if mapping.values.get("when") not in KINDS:
        raise mapping.unfit("when", f"one of {', '.join(KINDS)}")
    kind = mapping.text("when")
    action = mapping.values.get("action", ACTIONS[0])
    allowed = ACTIONS[:1] if kind == "alert_rate" else ACTIONS
    if action not in allowed:
        raise mapping.unfit("action", "flag: a rate is about many rows, and refusing them would "
                            "hide an attack" if kind == "alert_rate" else
                            f"one of {', '.join(allowed)}")
    score = ("score",) if action == "override" else ()
    mapping.check_names(f"rule {name}", ("when", "action", *KEYS[kind], *score),
                        (*REQUIRED.get(kind, ()), *score))
    return Rule(name, kind, str(action), _inputs(mapping) if kind in ABOUT_INPUTS else (),
                _known(mapping), _between(mapping), _share(mapping, "above", 1.0), _over(mapping),
                _share(mapping, "score", 0.0) if "score" in mapping.values else None, mapping.line)


def _inputs(mapping: YamlMapping) -> tuple[str, ...]:
    found = mapping.values.get("inputs", [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found) or (
            "inputs" in mapping.values and not found):
        raise mapping.unfit("inputs", "a list of the model's inputs, such as [amount]")
    return tuple(found)


def _known(mapping: YamlMapping) -> tuple[float, ...]:
    found = mapping.values.get("known", [])
    if not isinstance(found, list) or not all(map(is_number, found)) or (
            "known" in mapping.values and not found):
        raise mapping.unfit("known", "a list of numbers, such as [0, 1]")
    return tuple(map(float, found))


def _between(mapping: YamlMapping) -> tuple[float, float]:
    found = mapping.values.get("between", [0.0, 0.0])
    if not (isinstance(found, list) and len(found) == 2 and all(map(is_number, found))
            and 0 <= found[0] <= found[1] <= 1):
        raise mapping.unfit("between", "[LOWEST, HIGHEST] score, from 0 to 1")
    return float(found[0]), float(found[1])


def _share(mapping: YamlMapping, key: str, default: float) -> float:
    found = mapping.values.get(key, default)
    if not is_number(found) or not 0 <= found <= 1:
        raise mapping.unfit(key, "a number from 0 to 1")
    return float(found)


def _over(mapping: YamlMapping) -> int:
    found = mapping.values.get("over", 1000)
    if not isinstance(found, int) or isinstance(found, bool) or not 10 <= found <= MOST_ROWS:
        raise mapping.unfit("over", f"a whole number of rows from 10 to {MOST_ROWS:,}")
    return found
