"""A lakehouse that reads some tables from another schema, as of a version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["PinnedLakehouse"]

PIN = re.compile(r"(?P<table>[a-z0-9_.]+)=(?P<schema>[A-Za-z0-9_]+)@(?P<version>[0-9]{1,18})")


class PinnedLakehouse(Lakehouse):
    """The tables of one branch, except those in `pins`, which can only be read.

    Args:
        pins: texts such as `silver.transactions=main@12`; the others are as for Lakehouse.

    Raises:
        BadInput: a text of `pins` has another form.
    """

    def __init__(self, spark: SparkSession, root: str, schema: str, files: str | None = None,
                 pins: Iterable[str] = ()) -> None:
        super().__init__(spark, root, schema, files)
        self._pins: dict[str, tuple[Lakehouse, int]] = {}
        for text in pins:
            found = PIN.fullmatch(text)
            if found is None:
                raise BadInput(f"parameter pins is {text!r}; expected TABLE=SCHEMA@VERSION, such "
                               "as silver.transactions=main@12.")
            elsewhere = Lakehouse(spark, root, found["schema"], files)
            self._pins[found["table"]] = (elsewhere, int(found["version"]))

    def exists(self, table: Table) -> bool:
        return table.name in self._pins or super().exists(table)

    def create(self, table: Table) -> None:
        if table.name in self._pins:
            raise BadInput(f"table {table.name}: is pinned to {self.snapshot(table)} by the "
                           "parameter pins; expected a run that does not write it.")
        super().create(table)

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        if table.name not in self._pins:
            return super().read(table, version)
        elsewhere, pinned = self._pins[table.name]
        return elsewhere.read(table, pinned if version is None else version)

    def version(self, table: Table) -> int:
        return self._pins[table.name][1] if table.name in self._pins else super().version(table)

    def snapshot(self, table: Table) -> str:
        if table.name not in self._pins:
            return super().snapshot(table)
        elsewhere, version = self._pins[table.name]
        return f"{elsewhere.schema}@{version}"
