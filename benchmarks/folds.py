"""The published folds: published figures and ours side by side, with the spread over seeds."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score, roc_auc_score

from branchline.lakehouse import Lakehouse
from fraud_detection.data.days import run_days
from fraud_detection.model.calibration import uncalibrated
from fraud_detection.model.estimators import estimator, inputs
from fraud_detection.model.metrics import calibration, ranking
from fraud_detection.model.training import fit
from fraud_detection.settings import Settings
from fraud_detection.steps import featurize
from fraud_detection.steps.evaluate import test_rows
from fraud_detection.steps.train import labelled
from fraud_detection.tables import FEATURES, TRANSACTIONS

FOLDS = tuple(date(2018, 8, 8) + timedelta(days=7 * fold) for fold in range(4))
SEEDS = (0, 1, 2)
RESAMPLES = 200
MEASURES = ("AUC", "AP", "CP@100")
PUBLISHED_FIRST = {"logistic_regression": (.871, .606, .291), "random_forest": (.867, .658, .287)}
PUBLISHED_MEAN = (.879, .694, .305)  # the best published model, mean of the four folds


def measures(rows: pd.DataFrame) -> tuple[float, ...]:
    return tuple(ranking(rows).values())


def published_fold(lakehouse: Lakehouse, settings: Settings) -> pd.DataFrame:
    """The fold's test rows, scored as published: one estimator, without calibration."""
    days = run_days(lakehouse.read(TRANSACTIONS), settings)
    rows = labelled(lakehouse.read(FEATURES), days.train)
    columns = inputs(settings.model, settings.features)
    model = estimator(settings.model, columns, settings.class_weight, settings.seed)
    model.fit(rows[columns], rows["is_fraud"])
    test = test_rows(lakehouse, settings, days.test)
    return test.assign(score=model.predict_proba(test[columns])[:, 1])


def scored_fold(lakehouse: Lakehouse, settings: Settings) -> pd.DataFrame:
    """The fold's test rows with the `score` of what train fits, and `before` calibration."""
    days = run_days(lakehouse.read(TRANSACTIONS), settings)
    model, _ = fit(labelled(lakehouse.read(FEATURES), days.train), settings)
    test = test_rows(lakehouse, settings, days.test)
    columns = list(model.feature_names_in_)
    return test.assign(score=model.predict_proba(test[columns])[:, 1],
                       before=uncalibrated(model, test[columns]))


def card_bootstrap(folds: list[pd.DataFrame]) -> np.ndarray:
    """Standard deviation of the mean measures when cards are drawn with replacement."""
    rng, means = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        drawn = []
        for rows in folds:
            cards = rows["customer_id"].unique()
            weight = pd.Series(rng.multinomial(len(cards), np.full(len(cards), 1 / len(cards))),
                               index=cards)
            times = rows["customer_id"].map(weight).to_numpy()
            drawn.append((roc_auc_score(rows["is_fraud"], rows["score"], sample_weight=times),
                          average_precision_score(rows["is_fraud"], rows["score"],
                                                  sample_weight=times)))
        means.append(np.mean(drawn, axis=0))
    return np.std(means, axis=0)


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    first, last = date(2018, 4, 1), FOLDS[-1] + timedelta(days=6)
    featurize.run(lakehouse, replace(settings, first_day=first, last_day=last))
    table = Table("model", "fold", *MEASURES, "published", "fit + score s", box=None)
    short = replace(settings, features="published", train_days=7, class_weight="none",
                    test_start=FOLDS[0])
    for name, published in PUBLISHED_FIRST.items():
        began = time.perf_counter()
        ours = measures(published_fold(lakehouse, replace(short, model=name)))
        table.add_row(f"{name}, 15, 7 days", str(FOLDS[0]), *_text(ours),
                      " ".join(_text(published)), f"{time.perf_counter() - began:.1f}")
    found, all_rows = [], []
    for fold in FOLDS:
        began = time.perf_counter()
        seeds = [scored_fold(lakehouse, replace(settings, test_start=fold, seed=seed))
                 for seed in SEEDS]
        found.append([measures(rows) for rows in seeds])
        all_rows.append(seeds[0])
        table.add_row(f"default, {settings.train_days} days", str(fold),
                      *_text(np.mean(found[-1], axis=0)), "",
                      f"{(time.perf_counter() - began) / len(SEEDS):.1f}")
    by_seed = np.mean(found, axis=0)
    table.add_row("default, mean", "all four", *_text(by_seed.mean(axis=0)),
                  " ".join(_text(PUBLISHED_MEAN)) + " (best)", "")
    table.add_row("  spread over seeds", "", *_text(by_seed.std(axis=0)), "", "")
    table.add_row("  card bootstrap", "", *_text(card_bootstrap(all_rows)), "", "")
    Console(width=120, highlight=False).print(table)
    Console(width=120, highlight=False).print(_calibrations(all_rows))


def _calibrations(folds: list[pd.DataFrame]) -> Table:
    table = Table("default, mean of four", "Brier score", "calibration error", box=None)
    for name, column in (("calibrated", "score"), ("before", "before")):
        found = [list(calibration(rows.assign(score=rows[column])).values()) for rows in folds]
        table.add_row(name, *(f"{number:.5f}" for number in np.mean(found, axis=0)))
    return table


def _text(numbers: np.ndarray | tuple[float, ...]) -> list[str]:
    return [f"{number:.4f}" for number in numbers]
