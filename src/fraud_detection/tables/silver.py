"""The silver tables: transactions that are typed and valid, and the rows that are not."""

from __future__ import annotations

from branchline import Column, Table
from fraud_detection.tables.bronze import ARRIVED, AS_LANDED, FILE, INGESTED, ROW

__all__ = ["DUPLICATES", "QUARANTINE", "TRANSACTIONS"]

TRANSACTIONS = Table(
    "silver.transactions", "Card transactions: typed, valid, one row per transaction_id",
    key=("transaction_id",), filtered_by=("event_time",),
    columns=(
        Column("transaction_id", "STRING", "The transaction; the first that landed wins", True),
        Column("event_time", "TIMESTAMP", "When it happened (UTC, to the millisecond)", True),
        Column("customer_id", "STRING", "The card's holder", True),
        Column("terminal_id", "STRING", "The terminal it was made at", True),
        Column("amount", "DOUBLE", "Its amount in the currency of the data, 0 or more", True),
        Column("is_fraud", "INT", "1 fraud, 0 genuine, NULL if no label is known"),
        FILE, ROW))

QUARANTINE = Table(
    "silver.quarantine", "Rows that were rejected, with the reason",
    key=("source_file", "source_row"),
    columns=(FILE, ROW, Column("reason", "STRING", "Everything that is wrong with the row", True),
             *AS_LANDED, ARRIVED, INGESTED))

DUPLICATES = Table(
    "silver.duplicates", "Valid rows whose transaction_id had landed before",
    key=("source_file", "source_row"),
    columns=(FILE, ROW, *AS_LANDED, ARRIVED, INGESTED))
