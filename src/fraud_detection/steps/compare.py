"""For the gate: the model and a champion on the same test rows, and how far they differ by chance.

Cards and days are resampled, together for both models: docs/gate.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np
import pandas as pd
from pyspark.sql import functions as F

from branchline import BadInput, BranchlineError, Lakehouse, Step, Table
from branchline.gate.comparison import (ARTIFACT, GUARDRAILS, OTHER_LIBRARIES, Comparison, Data,
                                        Measured, Model, Slice)
from branchline.gate.resampling import Floats, standard_errors
from branchline.runs.requirements import model_requirements, unmet
from branchline.text import collapsed
from fraud_detection.data.days import run_days
from fraud_detection.feature_versions import DEFINITIONS, require_same
from fraud_detection.model.metrics import (ALERTS_A_DAY, Weighted, average_precision,
                                           calibration_error, card_precision, net_saving)
from fraud_detection.scoring.guarded import fired
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.settings import Settings
from fraud_detection.steps.evaluate import AMOUNT_BANDS, test_rows
from fraud_detection.tables import BRONZE_TRANSACTIONS, FEATURES, TRANSACTIONS

__all__ = ["compared", "run", "slices_of", "step"]

MEASURES = ("average_precision", f"card_precision_{ALERTS_A_DAY}", "net_saving",
            "calibration_error")
NEW_DAYS = 30
Rows = tuple[str, str, np.ndarray]  # a slice: its kind and value, and the positions of its rows


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Log the comparison of the model with `champion_uri`; counts: `rows`, `frauds`, `days`."""
    import mlflow
    model = find_model(settings.model_uri)
    test = run_days(lakehouse.read(TRANSACTIONS), settings).test
    rows = test_rows(lakehouse, settings, test).reset_index(drop=True)
    rows["first_day"] = rows["customer_id"].map(_first_days(lakehouse))
    candidate = _scored(model, rows, settings.label_delay_days)
    others = _made_with_others(settings.champion_uri)
    champion, scored = _champion(settings.champion_uri, rows, others,
                                 settings.label_delay_days)
    measures, slices = compared(candidate, scored, settings)
    tables = {table.name: lakehouse.version(table) for table in (TRANSACTIONS, FEATURES)}
    found = Comparison(
        Model(settings.model_uri or f"models:/{model.version}", model.version), champion,
        measures, slices, _data(lakehouse, rows),
        {"days": str(test), "tables": tables, "draws": settings.draws, "seed": settings.seed,
         OTHER_LIBRARIES: others, GUARDRAILS: fired(model, rows)})
    mlflow.log_text(found.to_json(), ARTIFACT)
    return {"rows": len(rows), "frauds": int(rows["is_fraud"].sum()), "days": test.count}


def compared(candidate: pd.DataFrame, champion: pd.DataFrame | None, settings: Settings,
             ) -> tuple[tuple[Measured, ...], tuple[Slice, ...]]:
    """All metrics of both on all rows, and average precision on the slices.

    Args:
        candidate: `day`, `customer_id`, `amount`, `is_fraud`, `first_day`, `score`, `threshold`,
            one row per test transaction. champion: the same rows with its score and threshold; None
            without one.
    """
    parts = slices_of(candidate)
    ours = _measures(candidate, parts, settings.alert_cost)
    once = np.ones((1, len(candidate)))
    columns: list[Floats] = [np.concatenate([measure(once) for measure in ours])]
    if champion is not None:
        theirs = _measures(champion, parts, settings.alert_cost)
        columns += [np.concatenate([measure(once) for measure in theirs]), standard_errors(
            lambda weights: np.column_stack([
                one(weights) - other(weights) for one, other in zip(ours, theirs, strict=True)]),
            pd.factorize(candidate["customer_id"])[0], pd.factorize(candidate["day"])[0],
            settings.draws, settings.seed)]
    names = [*MEASURES, *(MEASURES[0] for _ in parts)]
    measured = [Measured(name, *map(float, values))
                for name, *values in zip(names, *columns, strict=True)]
    fraud = candidate["is_fraud"].to_numpy()
    return tuple(measured[:len(MEASURES)]), tuple(
        Slice(kind, value, len(positions), int(fraud[positions].sum()), each)
        for (kind, value, positions), each in zip(parts, measured[len(MEASURES):], strict=True))


def slices_of(rows: pd.DataFrame) -> list[Rows]:
    """The slices by amount, and the customers first seen less than NEW_DAYS ago."""
    bands = pd.cut(rows["amount"], AMOUNT_BANDS, right=False)
    found = [("amount", _name(band), np.flatnonzero(bands == band))
             for band in bands.cat.categories]
    known = (rows["day"] - rows["first_day"]).dt.days
    return [*found, ("new_customers", f"under {NEW_DAYS} days", np.flatnonzero(known < NEW_DAYS))]


def _name(band: pd.Interval) -> str:
    return f"{band.left:g} to {band.right:g}" if np.isfinite(band.right) else f"from {band.left:g}"


def _measures(rows: pd.DataFrame, parts: Sequence[Rows], alert_cost: float) -> list[Weighted]:
    threshold = float(rows["threshold"].iloc[0])
    return [average_precision(rows), card_precision(rows), net_saving(rows, threshold, alert_cost),
            calibration_error(rows), *(_on_part(rows, positions) for _, _, positions in parts)]


def _on_part(rows: pd.DataFrame, positions: np.ndarray) -> Weighted:
    measure = average_precision(rows.iloc[positions])
    return lambda weights: measure(weights[:, positions])


def _made_with_others(uri: str | None) -> list[str]:
    """The libraries of the champion that have other versions here.

    Checked before loading: a model of another scikit-learn may not load, or score differently.
    """
    if uri is None:
        return []
    try:
        found = unmet(model_requirements(uri))
    except (BranchlineError, OSError):  # the champion itself is missing; loading it will say so
        return []
    if found:
        print(f"champion {uri}: was logged with {', '.join(found)}; it may not load, or score as "
              "it does in production", flush=True)
    return found


def _champion(uri: str | None, rows: pd.DataFrame, others: Sequence[str], label_delay: int,
              ) -> tuple[Model | None, pd.DataFrame | None]:
    """The champion, with the reason if it cannot score, else with its scored rows."""
    if uri is None:
        return None, None
    try:
        model = find_model(uri)
        scored = _scored(model, rows, label_delay)
    except Exception as problem:  # code of another day may raise anything
        text = collapsed(problem)[:500] or "no text"
        kind = "" if isinstance(problem, BadInput) else f"{type(problem).__name__}: "
        made_with = f" It was logged with {', '.join(others)}." if others else ""
        return Model(uri, problem=kind + text + made_with), None
    return Model(uri, model.version), scored


def _scored(model: LoggedModel, rows: pd.DataFrame, label_delay: int) -> pd.DataFrame:
    """The rows with the model's score and threshold.

    Raises:
        BadInput: the model needs a column that no longer exists or is defined otherwise, or was
            trained on these days.
    """
    lacking = [name for name in model.inputs if name not in rows]
    if lacking:
        raise BadInput(f"model {model.version} needs {', '.join(lacking)}, which gold.features no "
                       "longer has.")
    require_same(model.version, model.notes, set(rows[DEFINITIONS]), label_delay,
                 "gold.features on the test days")
    seen, first = model.notes["train_last"], f"{rows['day'].min():%Y-%m-%d}"
    if seen >= first:
        raise BadInput(f"model {model.version} was trained on days up to {seen}; expected none "
                       f"from the first test day on, {first}.")
    return rows.assign(score=model.score(rows), threshold=model.threshold)


def _first_days(lakehouse: Lakehouse) -> pd.Series:
    """The day of each customer's first transaction."""
    first = (lakehouse.read(TRANSACTIONS).groupBy("customer_id")
             .agg(F.min(F.unix_millis("event_time")).alias("first")).toArrow().to_pandas())
    times = first.set_index("customer_id")["first"]
    days: pd.Series = pd.to_datetime(times, unit="ms").dt.floor("D")
    return days


def _data(lakehouse: Lakehouse, rows: pd.DataFrame) -> Data:
    arrived = (_last(lakehouse, BRONZE_TRANSACTIONS, "ingested_at")
               if lakehouse.exists(BRONZE_TRANSACTIONS) else None)
    return Data(len(rows), int(rows["is_fraud"].sum()),
                _last(lakehouse, TRANSACTIONS, "event_time"), arrived)


def _last(lakehouse: Lakehouse, table: Table, column: str) -> datetime | None:
    found = lakehouse.read(table).agg(F.max(F.unix_millis(column)).alias("last")).first()
    if found is None or found["last"] is None:
        return None
    return datetime.fromtimestamp(found["last"] / 1000, timezone.utc)


step = Step("compare", run, reads=(BRONZE_TRANSACTIONS, TRANSACTIONS, FEATURES),
            on_request=True)
