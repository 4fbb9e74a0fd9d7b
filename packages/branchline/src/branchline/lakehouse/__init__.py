"""Delta tables in a folder or a catalog."""

from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Column, Migration, Table

__all__ = ["Column", "Lakehouse", "Migration", "Table"]
