"""Every table of the pipeline: what a row is, its key, its columns with type and meaning."""

from __future__ import annotations

from branchline import Column, Table
from fraud_detection.features import meanings

__all__ = ["BRONZE_TRANSACTIONS", "DAILY_KPIS", "DUPLICATES", "FEATURES", "MONITORING",
           "QUARANTINE", "SCORES", "TRANSACTIONS", "TRANSACTION_COLUMNS"]

_FILE = Column("source_file", "STRING", "The file that the row landed in", required=True)
_ROW = Column("source_row", "BIGINT", "Its place in that file from 1; 0 stands for the whole file",
              required=True)
_ARRIVED = Column("arrived_at", "TIMESTAMP", "When the file arrived (its modification time)")
_INGESTED = Column("ingested_at", "TIMESTAMP", "When this pipeline took the file")

TRANSACTION_COLUMNS = ("transaction_id", "event_time", "customer_id", "terminal_id", "amount",
                       "is_fraud")

_AS_LANDED = (
    Column("transaction_id", "STRING", "As landed; made from file and row where the file has none"),
    Column("event_time", "STRING", "As landed"),
    Column("customer_id", "STRING", "As landed"),
    Column("terminal_id", "STRING", "As landed"),
    Column("amount", "STRING", "As landed"),
    Column("is_fraud", "STRING", "As landed"),
)

BRONZE_TRANSACTIONS = Table(
    "bronze.transactions", "Card transactions as they landed, every value as text; append-only",
    key=("source_file", "source_row"),
    columns=(_FILE, _ROW, *_AS_LANDED,
             Column("problem", "STRING", "Why the row, or the file, could not be read"),
             Column("ignored_columns", "STRING", "The file's columns that were kept out"),
             _ARRIVED, _INGESTED))

TRANSACTIONS = Table(
    "silver.transactions", "Card transactions: typed, valid, one row a transaction_id",
    key=("transaction_id",),
    columns=(
        Column("transaction_id", "STRING", "The transaction; the first that landed wins", True),
        Column("event_time", "TIMESTAMP", "When it happened (UTC, to the millisecond)", True),
        Column("customer_id", "STRING", "The card's holder", True),
        Column("terminal_id", "STRING", "The terminal it was made at", True),
        Column("amount", "DOUBLE", "Its amount in the currency of the data, 0 or more", True),
        Column("is_fraud", "INT", "1 fraud, 0 genuine, NULL where no label is known"),
        _FILE, _ROW))

QUARANTINE = Table(
    "silver.quarantine", "Rows that were rejected, with the reason",
    key=("source_file", "source_row"),
    columns=(_FILE, _ROW, Column("reason", "STRING", "Everything that is wrong with the row", True),
             *_AS_LANDED, _ARRIVED, _INGESTED))

DUPLICATES = Table(
    "silver.duplicates", "Valid rows whose transaction_id had landed before",
    key=("source_file", "source_row"),
    columns=(_FILE, _ROW, *_AS_LANDED, _ARRIVED, _INGESTED))

FEATURES = Table(
    "gold.features", "Model input: what was known of a transaction when it was made",
    key=("transaction_id",), filtered_by=("event_time",),
    columns=(
        Column("transaction_id", "STRING", "The transaction", True),
        Column("event_time", "TIMESTAMP", "When it happened (UTC)", True),
        Column("customer_id", "STRING", "The card's holder", True),
        Column("terminal_id", "STRING", "The terminal it was made at", True),
        Column("is_fraud", "INT", "The label; not an input"),
        *(Column(name, "DOUBLE", meaning, True) for name, meaning in meanings().items())))

SCORES = Table(
    "gold.scores", "What a model said of a transaction", key=("transaction_id", "model_version"),
    columns=(
        Column("transaction_id", "STRING", "The transaction", True),
        Column("model_version", "STRING", "The logged model (its MLflow id) or name/version", True),
        Column("event_time", "TIMESTAMP", "When the transaction happened (UTC)", True),
        Column("customer_id", "STRING", "The card's holder", True),
        Column("score", "DOUBLE", "The model's fraud score, 0 to 1", True),
        Column("is_alert", "BOOLEAN", "Whether the score reaches the model's threshold", True)))

DAILY_KPIS = Table(
    "gold.daily_kpis", "What the business reads, a row a day", key=("day",),
    columns=(
        Column("day", "DATE", "The day (UTC)", True),
        Column("transactions", "BIGINT", "Transactions of the day", True),
        Column("amount", "DOUBLE", "Their amount", True),
        Column("frauds", "BIGINT", "Transactions labelled as fraud", True),
        Column("fraud_amount", "DOUBLE", "Their amount", True),
        Column("alerts", "BIGINT", "Transactions that the model raised an alert for"),
        Column("saved_amount", "DOUBLE", "Amount of the frauds among the alerts"),
        Column("mean_score", "DOUBLE", "Mean score of the day's transactions"),
        Column("model_version", "STRING", "The model that scored the day")))

MONITORING = Table(
    "gold.monitoring", "How far each feature and the score moved from the training span",
    key=("column", "start", "days", "model_version"),
    columns=(
        Column("column", "STRING", "The feature, or `score`", True),
        Column("start", "DATE", "First day of the span that is looked at", True),
        Column("days", "INT", "Its length", True),
        Column("model_version", "STRING", "The model whose training span is the reference", True),
        Column("psi", "DOUBLE", "Population stability index over the reference's deciles", True),
        Column("reference_mean", "DOUBLE", "Mean over the training span", True),
        Column("mean", "DOUBLE", "Mean over the span", True)))
