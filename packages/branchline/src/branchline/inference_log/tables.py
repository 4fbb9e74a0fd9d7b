"""The tables of the inference log: as shipped, typed, and the lines that cannot be used."""

from __future__ import annotations

from branchline.lakehouse.sources.taken import FILES
from branchline.lakehouse.table import Column, Table

__all__ = ["BRONZE_INFERENCE_LOG", "INFERENCE_LOG", "LOG_FILES", "LOG_QUARANTINE", "LOG_TABLES"]

FIELDS = (
    Column("line_id", "STRING", "The line", True, varies=True),
    Column("time", "TIMESTAMP", "When the row was scored (UTC)", True, varies=True),
    Column("request_id", "STRING", "The request, or the batch of a stream", True, varies=True),
    Column("source", "STRING", "What scored it: service, stream or batch", True),
    Column("model", "STRING", "The model's name", True),
    Column("model_version", "STRING", "The logged model (its MLflow id) or name/version", True,
           varies=True),
    Column("features_version", "STRING", "Differs when a feature's definition differs"),
    Column("store_filled", "BIGINT", "When the online store was last filled, in microseconds since "
                                     "1970; 0: never"),
    Column("latency_ms", "DOUBLE", "From the request to its scores, in milliseconds"),
    Column("record_id", "STRING", "The transaction; null where only features were given"),
    Column("event_time", "TIMESTAMP", "When it happened (UTC)"),
    Column("entities", "STRING", "Its entities' ids, perhaps hashed, as a JSON object"),
    Column("inputs", "STRING", "The features, as a JSON object"),
    Column("score", "DOUBLE", "The score, after guardrails; null if refused or late"),
    Column("is_alert", "BOOLEAN", "Whether the score reaches the model's threshold"),
    Column("is_outlier", "BOOLEAN", "Whether the inputs are unlike those of training"),
    Column("outlier_score", "DOUBLE", "How unlike they are"),
    Column("outcome", "STRING", "scored, flagged, overridden, refused, late or degraded", True),
    Column("guardrails", "STRING", "The rules that fired, separated by commas"),
    Column("labelled", "BOOLEAN", "Whether its label came with it"),
    Column("trace_id", "STRING", "The request's OpenTelemetry trace; null: none was sent"))

FILE = Column("source_file", "STRING", "The file of lines; null for a row of batch")
ROW = Column("source_row", "BIGINT", "The line's position in it, from 1; 0: the whole file")

BRONZE_INFERENCE_LOG = Table(
    "bronze.inference_log", "Lines of the inference log as shipped, every value as text",
    key=("source_file", "source_row"), filtered_by=("source_file",),
    columns=(FILE, ROW, Column("format", "STRING", "The lines' format and its version"),
             *(Column(each.name, "STRING", each.meaning) for each in FIELDS),
             Column("problem", "STRING", "Why the line could not be read"),
             Column("ignored_columns", "STRING", "The file's columns that were kept out"),
             Column("arrived_at", "TIMESTAMP", "When the file was complete"),
             Column("ingested_at", "TIMESTAMP", "When it was shipped", varies=True)))

INFERENCE_LOG = Table(
    "gold.inference_log", "What service, stream and batch scored: inputs, scores, guardrails",
    key=("line_id",), filtered_by=("time", "event_time", "source"), columns=(*FIELDS, FILE, ROW))

LOG_QUARANTINE = Table(
    "silver.inference_quarantine", "Lines of the inference log that cannot be used, and why",
    key=("source_file", "source_row"),
    columns=(FILE, ROW, Column("reason", "STRING", "What is wrong with the line", True),
             Column("line_id", "STRING", "The line, if it says so"),
             Column("arrived_at", "TIMESTAMP", "When the file was complete")))

LOG_FILES = Table("bronze.inference_files", "Files of the inference log that were shipped",
                  key=FILES.key, columns=FILES.columns)

LOG_TABLES = (BRONZE_INFERENCE_LOG, LOG_QUARANTINE, INFERENCE_LOG, LOG_FILES)
