"""Compares what stream or service logged, features and scores, with what batch computes."""

from branchline.parity.compare import Recomputed, compare
from branchline.parity.logged import Logged, read_log
from branchline.parity.lines import of_lines
from branchline.parity.result import PARITY, ColumnParity, Example, Parity, log_parity

__all__ = ["PARITY", "ColumnParity", "Example", "Logged", "Parity", "Recomputed", "compare",
           "log_parity", "of_lines", "read_log"]
