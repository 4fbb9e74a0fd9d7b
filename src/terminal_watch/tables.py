"""The project's table: what a row is, its key, its columns with type and meaning."""

from __future__ import annotations

from branchline import Column, Table

__all__ = ["WATCHED_TERMINALS"]

WATCHED_TERMINALS = Table(
    "gold.watched_terminals", "Terminals that are probably compromised, as known when a day begins",
    key=("day", "terminal_id"), versioned=True,
    columns=(
        Column("day", "DATE", "The day (UTC); the list uses what is known at its first second",
               True),
        Column("rank", "INT", "Place on the day's list, 1 first", True),
        Column("terminal_id", "STRING", "The terminal", True),
        Column("score", "DOUBLE", "CUSUM of log likelihood ratios: compromised versus unchanged",
               True),
        Column("frauds", "INT", "Frauds that became known in the recent days", True),
        Column("transactions", "INT", "Labels that became known in the recent days", True),
        Column("expected_frauds", "DOUBLE", "Frauds expected among them from the history",
               True),
        Column("lost", "DOUBLE", "Amount of the frauds", True),
        Column("first_fraud", "DATE", "Day of the first of the frauds", True),
        Column("last_fraud", "DATE", "Day of the last of the frauds", True),
        Column("since", "DATE", "Day from which the terminal is listed without a break", True),
        Column("evidence", "STRING", "The evidence as a sentence", True)))
