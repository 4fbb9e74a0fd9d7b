"""Step 6: the model against the test days, by the published protocol, in numbers and pictures."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import functions as F
from sklearn.calibration import CalibratedClassifierCV
from sklearn.inspection import permutation_importance

from branchline import BadInput, Lakehouse, Step
from fraud_detection.data.days import Span, between, day_of, run_days
from fraud_detection.feature_versions import DEFINITIONS, require_same
from fraud_detection.model import metrics
from fraud_detection.model.calibration import uncalibrated
from fraud_detection.model.known_cards import without_known_cards
from fraud_detection.plots import parts, ranking
from fraud_detection.plots.calibration import calibration
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTIONS

__all__ = ["run", "slice_metrics", "step", "test_rows"]

KNOWN_DAYS_BEFORE_DELAY = 7
IMPORTANCE_ROWS = 10_000
AMOUNT_BANDS = (0, 25, 50, 100, 200, np.inf)
FRAUD_BANDS = (1, 2, 3, 5, np.inf)


def test_rows(lakehouse: Lakehouse, settings: Settings, test: Span) -> pd.DataFrame:
    """The labelled features of the test days, without cards known as compromised.

    Raises:
        BadInput: gold.features lacks the test days, or has only one kind of label for them.
    """
    rows = (lakehouse.read(FEATURES).where(between(test.first, test.last))
            .where("is_fraud IS NOT NULL").withColumn("day", F.expr(day_of()))
            .toArrow().to_pandas())
    if rows["is_fraud"].nunique() < 2:
        raise BadInput(f"gold.features has {len(rows):,} labelled rows on the test days {test}; "
                       "expected fraud and genuine ones; run featurize for these days or choose "
                       "others.")
    known_days = settings.label_delay_days + KNOWN_DAYS_BEFORE_DELAY
    frauds = (lakehouse.read(TRANSACTIONS).where("is_fraud = 1")
              .where(between(test.first - timedelta(days=known_days), test.last))
              .select("customer_id", F.expr(day_of()).alias("day")).toArrow().to_pandas())
    rows["day"], frauds["day"] = pd.to_datetime(rows["day"]), pd.to_datetime(frauds["day"])
    return without_known_cards(rows, frauds, settings.label_delay_days, known_days)


def slice_metrics(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """How well the frauds of each slice are found, to show weak slices.

    A slice by the number of a card's frauds holds these frauds and all genuine transactions.

    Args:
        rows: `day`, `customer_id`, `amount`, `score`, `is_fraud`, one row per test transaction.
            Returns: One row per slice: `slice` (its kind), `value`, `rows`, `frauds`,
            `average_precision` and
        `recall` at the threshold (both NaN for a slice without fraud).
    """
    volume = rows.groupby("customer_id")["is_fraud"].transform("sum")
    found = [("amount", str(band), part) for band, part in rows.groupby(
        pd.cut(rows["amount"], AMOUNT_BANDS, right=False), observed=True)]
    found += [("frauds_of_card", str(band), rows.loc[part.index.union(
        rows.index[rows["is_fraud"] == 0])]) for band, part in rows[rows["is_fraud"] == 1].groupby(
            pd.cut(volume, FRAUD_BANDS, right=False), observed=True)]
    found += [("day", f"{day:%Y-%m-%d}", part) for day, part in rows.groupby("day")]
    return pd.DataFrame([{"slice": kind, "value": value, **_slice(part, threshold)}
                         for kind, value, part in found])


def _slice(part: pd.DataFrame, threshold: float) -> dict[str, float]:
    frauds = part[part["is_fraud"] == 1]
    known = len(frauds) > 0
    return {"rows": len(part), "frauds": len(frauds),
            "average_precision": metrics.plain(metrics.average_precision(part), part),
            "recall": float((frauds["score"] >= threshold).mean()) if known else float("nan")}


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Log the model's metrics, slices and pictures; counts: `rows` tested, `frauds`, `days`."""
    import mlflow
    model = find_model(settings.model_uri)
    test = run_days(lakehouse.read(TRANSACTIONS), settings).test
    rows = test_rows(lakehouse, settings, test)
    require_same(model.version, model.notes, set(rows[DEFINITIONS]), settings.label_delay_days,
                 f"gold.features on {test}")
    rows["score"] = model.score(rows)
    before = _uncalibrated(model, rows)
    slices = slice_metrics(rows, model.threshold)
    mlflow.log_metrics({**metrics.headline(rows, model.threshold, settings.alert_cost),
                        **_metrics_before(rows, before), **_slice_names(slices)})
    mlflow.log_text(slices.to_csv(index=False), "evaluate/slices.csv")
    _log_pictures(rows, before, slices, model, settings)
    return {"rows": len(rows), "frauds": int(rows["is_fraud"].sum()), "days": test.count}


def _uncalibrated(model: LoggedModel, rows: pd.DataFrame) -> NDArray[np.float64] | None:
    """The scores as they would be without calibration; None for a model of an older train."""
    if not isinstance(model.pipeline, CalibratedClassifierCV):
        return None
    return uncalibrated(model.pipeline, rows[model.inputs])


def _metrics_before(rows: pd.DataFrame, before: NDArray[np.float64] | None) -> dict[str, float]:
    found = {} if before is None else metrics.calibration(rows.assign(score=before))
    return {f"uncalibrated/{name}": value for name, value in found.items()}


def _slice_names(slices: pd.DataFrame) -> dict[str, float]:
    """Metrics under names that MLflow allows, such as `slice/amount/25.0-50.0`."""
    known = slices.dropna(subset="average_precision")
    names = known["slice"] + "/" + known["value"].str.strip("[)").str.replace(", ", "-")
    return {f"slice/{name}": value for name, value in zip(names, known["average_precision"])}


def _log_pictures(rows: pd.DataFrame, before: NDArray[np.float64] | None, slices: pd.DataFrame,
                  model: LoggedModel, settings: Settings) -> None:
    import mlflow
    label, score = rows["is_fraud"].to_numpy(), rows["score"].to_numpy()
    sample = rows.sample(min(len(rows), IMPORTANCE_ROWS), random_state=settings.seed)
    weight = permutation_importance(
        model.pipeline, sample[model.inputs], sample["is_fraud"], scoring="average_precision",
        n_repeats=3, random_state=settings.seed)
    pictures = {
        "curves": ranking.roc_and_precision_recall(label, score, model.threshold),
        "threshold": ranking.threshold_picture(label, score, rows["amount"].to_numpy(),
                                               model.threshold, settings.alert_cost),
        "calibration": calibration(label, score, before),
        "slices": parts.slices(slices),
        "importance": parts.importance(model.inputs, weight["importances_mean"],
                                       weight["importances_std"]),
    }
    for name, figure in pictures.items():
        mlflow.log_figure(figure, f"evaluate/{name}.png")


step = Step("evaluate", run, reads=(TRANSACTIONS, FEATURES))
