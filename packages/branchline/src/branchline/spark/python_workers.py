"""Starts Spark's Python workers, with no zip file on the path that they find modules by."""

from __future__ import annotations

import sys

__all__ = ["start"]


def start() -> None:
    """What Spark's setting `spark.python.daemon.module` asks of a module that is run.

    Spark puts its own sources, zipped, and a jar ahead of the environment that has pyspark anyway;
    each task then reads their indexes anew, which takes it a tenth of a second.
    """
    sys.path[:] = [path for path in sys.path if not path.endswith((".zip", ".jar"))]
    from pyspark import daemon
    daemon.manager()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    start()
