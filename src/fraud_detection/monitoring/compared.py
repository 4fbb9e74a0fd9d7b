"""Compares the columns of each window with those of the training of the model that scored it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import TypeAlias

from pyspark.sql import DataFrame

from branchline import BadInput
from branchline.monitoring.drift import Compared, compare
from branchline.monitoring.reference import Column
from branchline.monitoring.windows import Key, summaries
from fraud_detection.scoring.logged import find_model

__all__ = ["Columns", "compared"]

log = logging.getLogger(__name__)
References: TypeAlias = Mapping[str, Mapping[str, Column]]  # by model version and column
Columns: TypeAlias = Mapping[Key, Mapping[str, Compared]]


def compared(rows: DataFrame, by_the_clock: Collection[str]) -> Columns:
    """The columns of each window beside those of its model's training.

    Models without a reference, and the columns `by_the_clock`, are left out.
    """
    references = _references(rows, by_the_clock)
    found = summaries(rows, {
        version: {name: column.edges for name, column in each.items()}
        for version, each in references.items()})
    return {key: compare(references[key.model_version], columns) for key, columns in found.items()}


def _references(rows: DataFrame, by_the_clock: Collection[str]) -> References:
    """The drift reference of each model version, without inputs that follow the calendar."""
    versions = [row[0] for row in rows.select("model_version").distinct().collect()]
    found = {version: _reference(version) for version in versions}
    return {version: {name: column for name, column in reference.items()
                      if name not in by_the_clock}
            for version, reference in found.items() if reference}


def _reference(version: str) -> Mapping[str, Column]:
    """The reference of a model version; empty, with a warning, if it cannot be had."""
    try:
        reference = find_model(f"models:/{version}").parts.reference
    except BadInput as problem:
        log.warning("%s Its columns are not compared.", problem)
        return {}
    if not reference:
        log.warning("model %s: has no drift reference (an older train made it): its columns are "
                    "not compared.", version)
    return reference
