"""The options for starting a workspace."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Where a workspace keeps everything, and how it behaves.

    `environment` is what runs find besides their wheel: "current" the libraries of the test's
    interpreter, "runtime" those of the Databricks runtime in the request. A cluster's start and the
    installation of libraries take `phase_seconds` each, at least. `spark_remote`, such as
    sc://127.0.0.1:15002, is a Spark Connect server that serverless runs use instead of starting a
    Spark each; tables and settings are then that server's.
    """

    folder: Path
    environment: str = "current"
    phase_seconds: float = 0.3
    dbfs_root: bool = True
    spark_remote: str = ""

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "folder": str(self.folder)})

    @classmethod
    def from_json(cls, text: str) -> Options:
        values = json.loads(text)
        return cls(**{**values, "folder": Path(values["folder"])})
