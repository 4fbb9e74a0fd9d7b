"""The SQL that names, creates and describes a table."""

from __future__ import annotations

from collections.abc import Mapping

from branchline.lakehouse.table import Column, Table

__all__ = ["assignments", "create_table", "defined", "quoted", "text"]


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def defined(column: Column) -> str:
    """The column as CREATE TABLE and ADD COLUMNS take it."""
    return (f"{quoted(column.name)} {column.type}{' NOT NULL' if column.required else ''} "
            f"COMMENT {text(column.meaning)}")


def assignments(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{text(name)} = {text(value)}" for name, value in properties.items())


def create_table(table: Table, reference: str, properties: Mapping[str, str]) -> str:
    columns = ", ".join(defined(column) for column in table.columns)
    return (f"CREATE TABLE IF NOT EXISTS {reference} ({columns}) USING DELTA "
            f"COMMENT {text(table.meaning)} TBLPROPERTIES ({assignments(properties)})")
