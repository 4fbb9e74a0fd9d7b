"""Every table of the pipeline: what a row is, its key, its columns with type and meaning."""

from fraud_detection.tables.bronze import BRONZE_TRANSACTIONS, TRANSACTION_COLUMNS
from fraud_detection.tables.gold import DAILY_KPIS, FEATURES, MONITORING, SCORES
from fraud_detection.tables.silver import DUPLICATES, QUARANTINE, TRANSACTIONS

__all__ = ["BRONZE_TRANSACTIONS", "DAILY_KPIS", "DUPLICATES", "FEATURES", "MONITORING",
           "QUARANTINE", "SCORES", "TRANSACTIONS", "TRANSACTION_COLUMNS"]
