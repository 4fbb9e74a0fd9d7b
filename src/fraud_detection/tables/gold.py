"""The gold tables: what models and the business read."""

from __future__ import annotations

from branchline import Column, Table
from fraud_detection.feature_versions import DEFINITIONS
from fraud_detection.features import meanings

__all__ = ["DAILY_KPIS", "FEATURES", "MONITORING", "SCORES"]

FEATURES = Table(
    "gold.features", "Model input: what was known about a transaction when it was made",
    key=("transaction_id",), time="event_time", filtered_by=("event_time",), versioned=True,
    columns=(
        Column("transaction_id", "STRING", "The transaction", True),
        Column("event_time", "TIMESTAMP", "When it happened (UTC)", True),
        Column("customer_id", "STRING", "The card's holder", True),
        Column("terminal_id", "STRING", "The terminal it was made at", True),
        Column("is_fraud", "INT", "The label; not an input", delayed=True),
        *(Column(name, "DOUBLE", meaning, True) for name, meaning in meanings().items()),
        Column(DEFINITIONS, "STRING", "The version of the definitions it was computed by",
               varies=True)))

SCORES = Table(
    "gold.scores", "A model's score of a transaction", key=("transaction_id", "model_version"),
    versioned=True,
    columns=(
        Column("transaction_id", "STRING", "The transaction", True),
        Column("model_version", "STRING", "The logged model (its MLflow id) or name/version", True,
               varies=True),
        Column("event_time", "TIMESTAMP", "When the transaction happened (UTC)", True),
        Column("customer_id", "STRING", "The card's holder", True),
        Column("score", "DOUBLE", "The probability of fraud, calibrated", True),
        Column("is_alert", "BOOLEAN", "Whether the score reaches the model's threshold", True),
        Column("outlier_score", "DOUBLE", "How unusual the model's inputs are, 0 to 1"),
        Column("is_outlier", "BOOLEAN", "Whether that reaches the model's outlier threshold"),
        Column("guardrails", "STRING", "The guardrails that fired, separated by commas")))

DAILY_KPIS = Table(
    "gold.daily_kpis", "Daily KPIs, one row per day", key=("day",), kpis=True, versioned=True,
    columns=(
        Column("day", "DATE", "The day (UTC)", True),
        Column("transactions", "BIGINT", "Transactions of the day", True),
        Column("amount", "DOUBLE", "Their amount", True),
        Column("frauds", "BIGINT", "Transactions labelled as fraud", True),
        Column("fraud_amount", "DOUBLE", "Their amount", True),
        Column("alerts", "BIGINT", "Transactions that raised an alert"),
        Column("saved_amount", "DOUBLE", "Amount of the frauds among the alerts"),
        Column("mean_score", "DOUBLE", "Mean score of the day's transactions"),
        Column("model_version", "STRING", "The model that scored the day", varies=True)))

MONITORING = Table(
    "gold.monitoring", "How far each feature and the score moved from the training span",
    key=("column", "start", "days", "model_version"), kpis=True, versioned=True,
    columns=(
        Column("column", "STRING", "The feature, or `score`", True),
        Column("start", "DATE", "First day of the monitored span", True),
        Column("days", "INT", "Its length", True),
        Column("model_version", "STRING", "The model whose training span is the reference", True,
               varies=True),
        Column("psi", "DOUBLE", "Population stability index over the reference's deciles", True),
        Column("reference_mean", "DOUBLE", "Mean over the training span", True),
        Column("mean", "DOUBLE", "Mean over the span", True)))
