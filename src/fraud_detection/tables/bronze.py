"""The bronze table: transactions as they landed."""

from __future__ import annotations

from branchline import Column, Table

__all__ = ["ARRIVED", "AS_LANDED", "BRONZE_TRANSACTIONS", "FILE", "INGESTED", "ROW",
           "TRANSACTION_COLUMNS"]

FILE = Column("source_file", "STRING", "The file that the row landed in", required=True)
ROW = Column("source_row", "BIGINT", "Its position in that file, from 1; 0 stands for the whole "
                                     "file",
             required=True)
ARRIVED = Column("arrived_at", "TIMESTAMP", "When the file arrived (its modification time)")
INGESTED = Column("ingested_at", "TIMESTAMP", "When this pipeline took the file", varies=True)

TRANSACTION_COLUMNS = ("transaction_id", "event_time", "customer_id", "terminal_id", "amount",
                       "is_fraud")

AS_LANDED = (
    Column("transaction_id", "STRING", "As landed; made from file and row where the file has none"),
    Column("event_time", "STRING", "As landed"),
    Column("customer_id", "STRING", "As landed"),
    Column("terminal_id", "STRING", "As landed"),
    Column("amount", "STRING", "As landed"),
    Column("is_fraud", "STRING", "As landed"),
)

BRONZE_TRANSACTIONS = Table(
    "bronze.transactions", "Card transactions as they landed, every value as text; append-only",
    key=("source_file", "source_row"), filtered_by=("source_file",),
    columns=(FILE, ROW, *AS_LANDED,
             Column("problem", "STRING", "Why the row, or the file, could not be read"),
             Column("ignored_columns", "STRING", "The file's columns that were kept out"),
             ARRIVED, INGESTED))
