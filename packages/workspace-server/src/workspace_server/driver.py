"""Runs a job's Python file as a cluster does; started by the run's own interpreter, in its sandbox.

`driver.py REPORT FILE [PARAMETER ...]`: an exception is written to REPORT as JSON. It needs nothing
but Python: the run's environment has only the runtime and the request's wheel.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import re
import signal
import sys
import traceback
import types
from collections.abc import Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
VIEW = re.compile(r"\s*(CREATE(?: OR REPLACE)?|DROP) VIEW (?:IF EXISTS )?"
                  r"`?spark_catalog`?\.`?(\w+)`?\.`?(\w+)`?(?:\s|$)", re.IGNORECASE)
FILE = "path STRING, modificationTime TIMESTAMP, length LONG, content BINARY"


def main(report: str, file: str, parameters: list[str]) -> int:
    """Execute the file as `__main__`; as on a cluster, it has no `__file__`. The exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    sys.meta_path.insert(0, WhenSparkIsImported())
    sys.argv = [file, *parameters]
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        exec(compile(Path(file).read_bytes(), file, "exec"), module.__dict__)
    except SystemExit as ending:
        return _failed(report, ending) if ending.code not in (None, 0) else 0
    except BaseException as problem:
        return _failed(report, problem)
    return 0


def _failed(report: str, problem: BaseException) -> int:
    trace = problem.__traceback__
    # The first entry is this file's own.
    text = "".join(traceback.format_exception(type(problem), problem, trace and trace.tb_next))
    error = traceback.format_exception_only(problem)[-1].strip()
    Path(report).write_text(json.dumps({"error": error, "error_trace": text}))
    print(text, file=sys.stderr, flush=True)
    return 1


class WhenSparkIsImported(MetaPathFinder):
    """Registers the workspace's tables and views in the first session; nothing without Spark."""

    def find_spec(self, name: str, path: Sequence[str] | None,
                  target: types.ModuleType | None = None) -> ModuleSpec | None:
        if name != "pyspark.sql.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def and_change(module: types.ModuleType) -> None:
                execute(module)
                _change(module.SparkSession.Builder)

            spec.loader.exec_module = and_change  # type: ignore[method-assign]
        return spec


def _change(builder: Any) -> None:
    original, known = builder.getOrCreate, set[str]()

    def get_or_create(self: Any) -> Any:
        session = original(self)
        if not known and hasattr(session, "_jsparkSession"):
            known.add("all")
            _register(session)
            _keep_views(type(session))
            _stand_in_for_auto_loader(type(session.readStream))
        return session

    builder.getOrCreate = get_or_create


def _stand_in_for_auto_loader(reader: Any) -> None:
    """Auto Loader is not open source: Spark's own source of whole files replaces it."""
    original = reader.format

    def format_(self: Any, source: str) -> Any:
        if source != "cloudFiles":
            return original(self, source)
        return (original(self, "binaryFile").schema(FILE).option("recursiveFileLookup", "true")
                .option("maxFileAge", "36500d"))

    reader.format = format_


def _register(session: Any) -> None:
    """Spark's catalog is in memory: register the schemas, Delta tables and views on disk."""
    warehouse = Path(session.conf.get("spark.sql.warehouse.dir").removeprefix("file:"))
    folders = {"default": warehouse, **{folder.stem: folder for folder in warehouse.glob("*.db")}}
    for schema, folder in folders.items():
        session.sql(f"CREATE SCHEMA IF NOT EXISTS spark_catalog.`{schema}`")
        for log in folder.glob("*/_delta_log"):
            _register_table(session, schema, log.parent)
    for folder in folders.values():
        for file in folder.glob("*.view"):
            with suppress(Exception):  # its table is gone
                session.sql(file.read_text())


def _keep_views(session: Any) -> None:
    """Write views to disk, beside the tables, as the statements that made them."""
    original = session.sql

    def sql(self: Any, query: str, *arguments: Any, **named: Any) -> Any:
        done = original(self, query, *arguments, **named)
        if view := VIEW.match(query):
            warehouse = Path(self.conf.get("spark.sql.warehouse.dir").removeprefix("file:"))
            file = warehouse / f"{view[2]}.db" / f"{view[3]}.view"
            if view[1].upper() == "DROP":
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(exist_ok=True)
                file.write_text(query)
        return done

    session.sql = sql


def _register_table(session: Any, schema: str, folder: Path) -> None:
    session.sql(f"CREATE TABLE spark_catalog.`{schema}`.`{folder.name}` USING DELTA "
                f"LOCATION '{folder}'")
    # A table with a location is external, and dropping it would leave its files: make it managed.
    spark = session._jvm.org.apache.spark.sql.catalyst
    catalog = session._jsparkSession.sessionState().catalog()
    table = catalog.getTableMetadata(
        spark.TableIdentifier(folder.name, session._jvm.scala.Option.apply(schema)))
    fields = [table.productElement(number) for number in range(table.productArity())]
    fields[1] = spark.catalog.CatalogTableType.MANAGED()
    catalog.alterTable(table.copy(*fields))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
