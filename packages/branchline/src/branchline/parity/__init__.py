"""Compares what a stream logged, features and scores, with what batch computes from the tables."""

from branchline.parity.compare import Recomputed, compare
from branchline.parity.logged import Logged, read_log
from branchline.parity.result import PARITY, ColumnParity, Example, Parity, log_parity

__all__ = ["PARITY", "ColumnParity", "Example", "Logged", "Parity", "Recomputed", "compare",
           "log_parity", "read_log"]
