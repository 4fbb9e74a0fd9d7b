"""A service that starts at once: a model of two numbers in model.json, for tests of deployments."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from branchline.serving import Golden, Service

__all__ = ["open_service", "save_light"]

ROWS = [[1.0, 2.0], [3.0, 0.5]]
Floats = NDArray[np.float64]


def save_light(folder: Path, version: str, **differs: Any) -> Path:
    """A model's folder. `shift` moves scores, `seconds` delays them, `answers_as` is the version
    that it says it is, `golden` what it predicted when it was built."""
    folder.mkdir(parents=True)
    (folder / "MLmodel").touch()  # what the command looks for
    (folder / "model.json").write_text(json.dumps({"version": version, **differs}))
    return folder


def open_service(folder: str, store: str | None, degraded: bool = False) -> Service:
    about = json.loads((Path(folder) / "model.json").read_text())

    def predict(rows: Floats) -> Floats:
        time.sleep(about.get("seconds", 0))
        found: Floats = 1 / (1 + np.exp(-(rows @ np.array([0.3, -0.4]) + about.get("shift", 0))))
        return found

    golden = about.get("golden", predict(np.array(ROWS)).tolist())
    return Service(
        "light", about["version"], ("one", "other"), False, predict,
        lambda _, found: {"score": found.tolist(), "is_alert": (found >= 0.5).tolist()},
        {"score": "FP64", "is_alert": "BOOL"}, ROWS[0], Golden(np.array(ROWS), np.array(golden)))
