"""How two versions of a table differ: in columns, in rows by key, in values by column."""

from branchline.lakehouse.difference.compare import Comparison, Side, compare
from branchline.lakehouse.difference.found import ColumnFound, Moved, Sample, TableFound
from branchline.lakehouse.difference.moves import largest_moves

__all__ = ["ColumnFound", "Comparison", "Moved", "Sample", "Side", "TableFound", "compare",
           "largest_moves"]
