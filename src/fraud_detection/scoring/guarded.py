"""The guardrails that train logged with a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from branchline.guardrails import Guardrails, Judge

if TYPE_CHECKING:
    from fraud_detection.model.estimators import LoggedModel

__all__ = ["fired", "judge_of", "noted"]

NOTE = "guardrails"


def noted(guardrails: Guardrails, inputs: pd.DataFrame) -> dict[str, Any]:
    """The note for a model trained on these rows: the rules, and the inputs' ranges.

    Raises:
        BadInput: a rule looks at something that the model does not take.
    """
    names = [str(name) for name in inputs]
    guardrails.check(names)
    lows, highs = inputs.min().tolist(), inputs.max().tolist()
    ranges = {name: (low, high) for name, low, high in zip(names, lows, highs, strict=True)}
    return {NOTE: replace(guardrails, ranges=ranges).to_json()}


def judge_of(notes: Mapping[str, Any], inputs: Sequence[str], version: str) -> Judge:
    """The rules of a model; none of one that an older version trained."""
    given = notes.get(NOTE)
    where = f"model {version}, guardrails"
    return Judge(Guardrails.from_json(given, where) if given else Guardrails(), inputs)


def fired(model: LoggedModel, rows: pd.DataFrame) -> dict[str, tuple[int, int, float | None]]:
    """For the gate: by rule, for how many of all rows it fires, and its bound, if it has one."""
    judge = judge_of(model.notes, model.inputs, model.version)
    scores = model.score(rows)
    judged = judge.judge(rows[model.inputs].to_numpy(np.float64), scores, model.threshold)
    found: dict[str, tuple[int, int, float | None]] = {}
    for rule in judge.guardrails.rules:
        count = sum(rule.name in names for names in judged.fired)
        found[rule.name] = ((int(judged.alerts.sum()), len(rows), rule.above)
                            if rule.when == "alert_rate" else (count, len(rows), None))
    return found
