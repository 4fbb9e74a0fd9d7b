"""Compares the KPIs of two versions of a pipeline, and how far they differ by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from branchline.errors import BadInput
from branchline.gate.comparison import FEWEST_UNITS, Measured
from branchline.gate.outcomes import Kpi, Outcomes
from branchline.gate.resampling import Floats, standard_errors

__all__ = ["paired"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Side:
    """One version's sums by pair of units: `columns` has one array of pairs for each name."""

    outcomes: Outcomes
    columns: Mapping[str, Floats]

    def kpis(self, weights: Floats) -> Floats:
        """The KPIs under weights, draws x pairs; one that is not defined is NaN."""
        sums: dict[str, Floats] = {name: weights @ each for name, each in self.columns.items()}
        once = np.ones(len(weights))
        sums |= {name: value * once for name, value in self.outcomes.constants.items()}
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.column_stack([each.of(sums) for each in self.outcomes.kpis.values()])
        return np.where(np.isfinite(found), found, np.nan)

    def judged(self, first: Ints) -> Floats:
        """How many of the first units each KPI is about: those in its denominator, if any are."""
        units = self._by_unit(first)
        counted = ((each.denominator if each.denominator in units else each.numerator)
                   for each in self.outcomes.kpis.values())
        return np.array([np.count_nonzero(units[name]) for name in counted], dtype=np.float64)

    def influence(self, first: Ints) -> Floats:
        """By how much each first unit moves each KPI, units x KPIs."""
        units = self._by_unit(first)
        totals = {**{name: float(each.sum()) for name, each in self.columns.items()},
                  **self.outcomes.constants}
        return np.column_stack([_influence(each, units, totals, int(first.max()) + 1)
                                for each in self.outcomes.kpis.values()])

    def _by_unit(self, first: Ints) -> dict[str, Floats]:
        return {name: np.bincount(first, each).astype(np.float64)
                for name, each in self.columns.items()}


def _influence(kpi: Kpi, units: Mapping[str, Floats], totals: Mapping[str, float],
               count: int) -> Floats:
    none = np.zeros(count)
    above = units.get(kpi.numerator, none)
    if kpi.denominator is None:
        return above
    below = totals[kpi.denominator]
    if below == 0:
        return none
    found: Floats = (above - kpi.of(totals) * units.get(kpi.denominator, none)) / below
    return found


def paired(candidate: Outcomes, champion: Outcomes | None, draws: int,
           seed: int) -> tuple[Measured, ...]:
    """Every KPI of both, with the standard error of candidate minus champion.

    Both kinds of units are resampled, together for both versions: docs/gate.md.

    Raises:
        BadInput: the two were not made from the same input and measured in the same way, or all
            rows are of one unit.
    """
    if champion is None:
        once, (ours,) = _sides(candidate)[:2]
        return tuple(Measured(name, _known(value)) for name, value in zip(
            candidate.kpis, ours.kpis(once)[0], strict=True))
    _require_alike(candidate, champion)
    once, (ours, theirs), first, second = _sides(candidate, champion)
    values = (ours.kpis(once)[0], theirs.kpis(once)[0])
    if first.max() == 0:
        raise BadInput(f"outcomes: all rows are of one {candidate.units[0]}; expected at least "
                       "two, to tell how far they differ by chance.")
    errors = standard_errors(lambda weights: ours.kpis(weights) - theirs.kpis(weights), first,
                             second, draws, seed)
    units = np.where(
        (fewest := np.minimum(ours.judged(first), theirs.judged(first))) < FEWEST_UNITS, fewest,
        np.maximum(_effective(ours.influence(first) - theirs.influence(first)), FEWEST_UNITS))
    return tuple(
        Measured(name, _known(one), _known(other), _known(error), _known(count))
        for name, one, other, error, count in zip(candidate.kpis, *values, errors, units,
                                                  strict=True))


def _effective(influence: Floats) -> Floats:
    """How many units of equal influence would be as certain (Kish), by KPI; NaN if none has any."""
    with np.errstate(invalid="ignore"):
        found: Floats = (influence ** 2).sum(axis=0) ** 2 / (influence ** 4).sum(axis=0)
    return found


def _require_alike(candidate: Outcomes, champion: Outcomes) -> None:
    for what in ("inputs", "units", "kpis"):
        one, other = getattr(candidate, what), getattr(champion, what)
        if one != other:
            raise BadInput(f"outcomes: {what} of the candidate are {one}, of the champion {other}; "
                           "expected the same for both.")


def _sides(*both: Outcomes) -> tuple[Floats, list[_Side], Ints, Ints]:
    """Weights of one for all pairs of units, the versions' sums, and each pair's two units."""
    units = [np.concatenate([each.rows[each.units[kind]].to_numpy(zero_copy_only=False)
                             for each in both]) for kind in (0, 1)]
    first, second = (np.unique(each, return_inverse=True)[1] for each in units)
    pairs, pair = np.unique(first * (second.max() + 1) + second, return_inverse=True)
    begins = np.cumsum([0, *(each.rows.num_rows for each in both)])
    sides = [_Side(each, _sums(each, pair[begins[at]:begins[at + 1]], len(pairs)))
             for at, each in enumerate(both)]
    return np.ones((1, len(pairs))), sides, *np.divmod(pairs, second.max() + 1)


def _sums(outcomes: Outcomes, pair: Ints, count: int) -> dict[str, Floats]:
    names = [name for name in outcomes.rows.column_names if name not in outcomes.units]
    columns = [outcomes.rows[name].to_numpy().astype(np.float64) for name in names]
    return {name: np.bincount(pair, column, count).astype(np.float64)
            for name, column in zip(names, columns, strict=True)}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
