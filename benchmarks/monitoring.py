"""How monitoring tells quiet days from changed ones, on simulated days with known changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import process_time
from zlib import crc32

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from branchline.monitoring.drift import Policy, compare
from branchline.monitoring.family import Unjudged, judged
from branchline.monitoring.judged import column_measures, row_measures, with_levels
from branchline.monitoring.measures import CHANGED, OK, Measure
from branchline.monitoring.performance import Outcome
from branchline.monitoring.ranking import Ranked, place
from branchline.monitoring.reference import Column
from branchline.monitoring.summary import summary
from branchline.monitoring.window_rows import Rows
from branchline.monitoring.windows import Key
from fraud_detection.data.world import World
from fraud_detection.model.training import train
from fraud_detection.scoring.logged import LoggedModel
from fraud_detection.settings import Settings
from tests.served import batch_features, silver

DAY, DELAY = 86_400, 7
HISTORY, TRAINED, QUIET, CHANGED_DAYS = 45, 75, 60, 14
WORLD = World(customers=550, terminals=1_100, days=HISTORY + TRAINED + DELAY + QUIET)
BY_THE_CLOCK = ("weekend",)
FIRST = QUIET - CHANGED_DAYS  # the changes' first day, of the quiet ones
NO_LATENCY = (None, None, None)
Change = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Watched:
    """A model with its reference, and the transactions up to the last day that it scores."""

    model: LoggedModel
    reference: dict[str, Column]
    transactions: pd.DataFrame

    def features(self, transactions: pd.DataFrame) -> pd.DataFrame:
        """Those of the scored days."""
        found = all_features(transactions)
        return found[found["day"] >= 0].reset_index(drop=True)


def all_features(transactions: pd.DataFrame) -> pd.DataFrame:
    """Their features by the kernel; `truth` is the label, whenever it is known."""
    plain = transactions.drop(columns=["day", "truth"])
    rows = batch_features(pa.Table.from_pandas(plain, preserve_index=False))
    return rows.merge(transactions[["transaction_id", "day", "truth"]], on="transaction_id")


def prepared() -> Watched:
    landed = silver(WORLD).to_pandas()
    since = (landed["event_time"] - landed["event_time"].min().normalize()).dt.days
    landed = landed.assign(day=since - HISTORY, truth=landed["is_fraud"])
    watched = Watched(LoggedModel("", None, [], {}), {}, landed)
    rows = watched.features(landed)
    scored = landed.assign(day=landed["day"] - TRAINED - DELAY)
    return fitted("m-1", rows[rows["day"] < TRAINED], scored)


def fitted(version: str, rows: pd.DataFrame, transactions: pd.DataFrame) -> Watched:
    """A model of these rows with their features and labels, and what it will score."""
    trained = train(rows, Settings())
    model = LoggedModel(version, trained.classifier, list(trained.classifier.feature_names_in_),
                        trained.notes, trained.parts)
    reference = {name: each for name, each in (trained.parts.reference or {}).items()
                 if name not in BY_THE_CLOCK}
    return Watched(model, reference, transactions)


def measured(watched: Watched, rows: pd.DataFrame) -> list[Measure]:
    """All measures of the rows' days and of two slices, labels known, judged as by `watch`.

    A slice is any third of the transactions, and the rest.
    """
    scored = rows.assign(slice=np.where(rows["transaction_id"].map(crc32_of) % 3 == 0,
                                        "source=batch", "source=service"))
    return judged(with_levels([each for day, some in scored.groupby("day")
                               for each in _day(watched, int(day), some)], []),
                  Policy().alarm_rate)


def crc32_of(text: str) -> int:
    return crc32(text.encode())


def _day(watched: Watched, day: int, rows: pd.DataFrame) -> Iterator[Unjudged]:
    for name, some in (("", rows), *rows.groupby("slice")):
        yield from _part(watched, Key(day * DAY, watched.model.version, str(name)), some)


def _part(watched: Watched, key: Key, rows: pd.DataFrame) -> Iterator[Unjudged]:
    found = watched.model(rows)
    factor = rows["factor"].to_numpy() if "factor" in rows else 1.0
    score = np.minimum(found.score * factor, 1.0)
    values = {**{name: rows[name].to_numpy(np.float64) for name in watched.model.inputs},
              "score": score, "outlier_score": np.asarray(found.outlier_score, np.float64)}
    columns = {name: summary(values[name], each.edges) for name, each in watched.reference.items()}
    yield from column_measures(key, DAY, compare(watched.reference, columns), Policy())
    alert = score >= watched.model.threshold
    outcome = _outcome(score, alert, rows["truth"].to_numpy() == 1)
    labelled = int(rows["is_fraud"].notna().sum())
    counts = Rows(len(rows), int(alert.sum()), int(np.sum(found.outlier)), 0, 0, 0, 0, labelled,
                  NO_LATENCY, outcome)
    yield from row_measures(key, DAY, counts, Policy(), labels_known=True)


def _outcome(score: np.ndarray, alert: np.ndarray, fraud: np.ndarray) -> Outcome:
    spread = score * (1 - score)
    _, bins = np.unique(place(score), return_inverse=True)
    ranked = Ranked(*(tuple(np.bincount(bins, weights=each).tolist()) for each in (
        np.ones(len(score)), score, fraud, ~fraud)))
    return Outcome(int(alert.sum()), int((~alert).sum()), score[alert].sum(), score[~alert].sum(),
                   spread[alert].sum(), spread[~alert].sum(), int(alert.sum()),
                   int((alert & fraud).sum()), int((~alert & fraud).sum()), ranked)


def changes() -> dict[str, Change]:
    """Each changes the transactions from the day FIRST on."""
    return {
        "amounts in another currency (x 2)": lambda rows: _scaled(rows, 2.0),
        "amounts 10 % higher": lambda rows: _scaled(rows, 1.1),
        "half of the terminals silent": lambda rows: _silent(rows, 2),
        "one of ten terminals silent": lambda rows: _silent(rows, 10),
        "traffic doubled": _doubled,
        "clock 12 hours off": lambda rows: _later(rows, 12),
        "clock 1 hour off": lambda rows: _later(rows, 1),
        "labels no longer come": _unlabelled,
        "fraud on any transaction, not as learned": _moved_fraud}


def _since(rows: pd.DataFrame) -> pd.Series:
    return rows["day"] >= FIRST


def _scaled(rows: pd.DataFrame, factor: float) -> pd.DataFrame:
    return rows.assign(amount=rows["amount"].where(~_since(rows), rows["amount"] * factor))


def _silent(rows: pd.DataFrame, one_of: int) -> pd.DataFrame:
    return rows[~(_since(rows) & (rows["terminal_id"].astype(int) % one_of == 0))]


def _doubled(rows: pd.DataFrame) -> pd.DataFrame:
    """As many other cards with the same habits."""
    more = rows[_since(rows)]
    return pd.concat([rows, more.assign(transaction_id=more["transaction_id"] + "b",
                                        customer_id=more["customer_id"] + "b")])


def _later(rows: pd.DataFrame, hours: int) -> pd.DataFrame:
    moved = rows["event_time"] + pd.to_timedelta(_since(rows) * hours, unit="h")
    day = (moved - rows["event_time"].min().normalize()).dt.days + rows["day"].min()
    return rows.assign(event_time=moved, day=day)[day < QUIET]


def _unlabelled(rows: pd.DataFrame) -> pd.DataFrame:
    """The last labels that came are those of the transactions DELAY days before."""
    known = rows["day"] < FIRST - DELAY
    return rows.assign(is_fraud=rows["is_fraud"].astype("float64").where(known))


def _moved_fraud(rows: pd.DataFrame) -> pd.DataFrame:
    """As many frauds as there were, on transactions of any card that look like others."""
    since = _since(rows).to_numpy()
    moved = np.random.default_rng(0).permutation(rows["truth"].to_numpy()[since])
    label = rows["truth"].to_numpy().copy()
    label[since] = moved
    return rows.assign(truth=label, is_fraud=label)


def after_features() -> dict[str, Change]:
    """Each changes features or scores of the days from FIRST on."""
    return {"terminal features missing": _without_terminals,
            "model swapped, its scores not calibrated (x 4)": _swapped}


def _without_terminals(rows: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in rows if str(name).startswith("terminal_") and name != "terminal_id"]
    return rows.assign(**{str(name): rows[name].where(~_since(rows)) for name in names})


def _swapped(rows: pd.DataFrame) -> pd.DataFrame:
    factor = np.where(_since(rows), 4.0, 1.0)
    return rows.assign(factor=factor)


def run() -> None:
    watched = prepared()
    rows = watched.features(watched.transactions)
    start = process_time()
    quiet = measured(watched, rows)
    print(f"{len(rows):,} rows of {QUIET} days, {process_time() - start:.1f} CPU s with scoring; "
          f"{_tests(quiet):,} tests in all, and in slices")
    table = Table("change from day 0 on", "first found", "windows", "by", box=None)
    table.add_row(f"none, {QUIET} days", *_found(quiet, 0))
    for name, change in changes().items():
        table.add_row(name, *_found(measured(watched, watched.features(
            change(watched.transactions))), FIRST))
    for name, change in after_features().items():
        table.add_row(name, *_found(measured(watched, change(rows)), FIRST))
    Console(width=150).print(table)


def _tests(measures: list[Measure]) -> int:
    return sum(each.verdict in (OK, CHANGED) for each in measures)


def _found(measures: list[Measure], first: int) -> tuple[str, str, str]:
    """The first window with a change, how many windows have one, and in what."""
    by_day: dict[int, set[str]] = {}
    for each in measures:
        if each.verdict == CHANGED:
            day = int(each.window_start.timestamp()) // DAY - first
            by_day.setdefault(day, set()).add(f"{each.subject} {each.name}")
    after = {day: names for day, names in by_day.items() if day >= 0}
    if not after:
        return "never", f"0 of {QUIET - first}", ""
    common = Counter(name for names in after.values() for name in names).most_common(4)
    return f"window {min(after) + 1}", f"{len(after)} of {QUIET - first}", ", ".join(
        f"{name} ({count})" for name, count in common)
