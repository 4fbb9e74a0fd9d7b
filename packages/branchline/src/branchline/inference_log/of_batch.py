"""Rows that batch scored, as rows of gold.inference_log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from branchline.inference_log.line import Origin, hashed
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.lakehouse import Lakehouse

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = ["log_batch"]


def log_batch(lakehouse: Lakehouse, rows: DataFrame, origin: Origin, record_id: str,
              entities: Sequence[str], inputs: Sequence[str], where: str,
              key: bytes | None = None) -> None:
    """Replace the log's rows of this model and `where` (a condition on `event_time`) by `rows`.

    Args:
        rows: with the columns `record_id`, `event_time`, `entities`, `inputs`, `score`, `is_alert`,
            `outcome`, `guardrails`.
        key: hashes the entities' ids, as the service does.
    """
    hash_id = F.udf(lambda text: None if text is None or key is None else hashed(text, key))

    def entity(name: str) -> Column:
        found = F.col(name) if key is None else hash_id(name)
        return found.alias(name)

    line = {
        "line_id": F.concat_ws("/", F.lit(origin.model_version), F.col(record_id)),
        "time": F.current_timestamp(), "request_id": F.lit(origin.model_version),
        "source": F.lit("batch"), "model": F.lit(origin.model),
        "model_version": F.lit(origin.model_version),
        "features_version": F.lit(origin.features_version), "record_id": F.col(record_id),
        "entities": F.to_json(F.struct(*map(entity, entities))),
        "inputs": F.to_json(F.struct(*inputs), {"ignoreNullFields": "false"})}
    kept = ("event_time", "score", "is_alert", "outcome", "guardrails", "is_outlier",
            "outlier_score", "labelled")
    columns = [line[column.name].alias(column.name) if column.name in line else
               F.col(column.name) if column.name in kept and column.name in rows.columns else
               F.lit(None).cast(column.type).alias(column.name)
               for column in INFERENCE_LOG.columns]
    condition = f"source = 'batch' AND model_version = '{origin.model_version}' AND {where}"
    lakehouse.overwrite(INFERENCE_LOG, rows.select(*columns), condition)
