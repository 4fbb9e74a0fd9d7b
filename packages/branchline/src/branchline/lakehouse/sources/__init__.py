"""Where rows come from: files of any kind, or Kafka topics; each source appends exactly once."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from branchline.lakehouse.sources.files import FileSource
    from branchline.lakehouse.sources.kafka import KAFKA, KafkaSource
    from branchline.lakehouse.sources.layout import Layout, shortened
    from branchline.lakehouse.sources.pieces import Piece
    from branchline.lakehouse.sources.source import Source, Taken
    from branchline.lakehouse.sources.taken import FILES

__all__ = ["FILES", "KAFKA", "FileSource", "KafkaSource", "Layout", "Piece", "Source", "Taken",
           "shortened"]

_MODULES = {"FILES": "taken", "KAFKA": "kafka", "FileSource": "files", "KafkaSource": "kafka",
            "Layout": "layout", "Piece": "pieces", "Source": "source", "Taken": "source",
            "shortened": "layout"}


def __getattr__(name: str) -> Any:
    """Import a public name's module when the name is first asked for: some import Spark."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
