"""A model's folder as MLflow writes it, read without MLflow, which would import Spark.

Source: MLflow, "MLflow Models: model format" (MLmodel, flavour sklearn).
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from branchline.errors import BadInput, RunFailed
from branchline.text import one_line

__all__ = ["NEWEST", "Logged", "fetched", "read_logged", "version_of"]

NUMBERS = {"double", "float", "integer", "long"}
NEWEST = "newest"


@dataclass(frozen=True)
class Logged:
    """A model of MLflow's flavour sklearn: its id, inputs by its signature, metadata."""

    version: str
    inputs: tuple[str, ...]
    metadata: dict[str, Any]
    model: Any


def fetched(address: str, tracking: str, folder: Path) -> Path:
    """The folder of the model at an MLflow address, copied below `folder`; or a folder, as it is.

    The address `newest` is the last model that a run logged in the tracking store. MLflow runs in
    a process of its own: it imports Spark, which a service has no room for.

    Raises:
        BadInput: there is no such model.
    """
    if Path(address, "MLmodel").is_file():
        return Path(address)
    if ":" not in address and address != NEWEST:
        raise BadInput(f"model {address}: is no folder with a file MLmodel; expected one, "
                       "or an address such as models:/NAME@champion.")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([sys.executable, "-m", "branchline.serving.fetch", address, tracking,
                           str(folder)], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no text"])[-1]
        raise BadInput(f"model {address}: cannot be fetched: {one_line(last)}")
    return Path(done.stdout.strip().splitlines()[-1])


def version_of(folder: Path) -> str:
    """The version of the model in a folder, without loading it.

    Raises:
        BadInput: there is no model.
    """
    try:
        about = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        return str(about.get("model_id") or folder.name)
    except (OSError, AttributeError, yaml.YAMLError) as problem:
        raise BadInput(f"{folder / 'MLmodel'}: cannot be read ({type(problem).__name__})."
                       ) from None


def read_logged(folder: Path) -> Logged:
    """The model in a folder. Its pickle is code: serve only models that your own runs logged.

    Raises:
        BadInput: it is no scikit-learn model with a signature of numbers.
        RunFailed: it cannot be loaded with the packages that are here.
    """
    try:
        about = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavour = about["flavors"]["sklearn"]
        columns = json.loads(about["signature"]["inputs"])
        inputs = tuple(str(column["name"]) for column in columns)
        kinds = {str(column["type"]) for column in columns}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as problem:
        raise BadInput(f"{folder / 'MLmodel'}: cannot be read ({type(problem).__name__}); expected "
                       "a scikit-learn model with a signature, as the train step logs it."
                       ) from None
    if not kinds <= NUMBERS:
        raise BadInput(f"{folder / 'MLmodel'}: has inputs of type {', '.join(sorted(kinds))}; "
                       f"expected {', '.join(sorted(NUMBERS))}.")
    version = str(about.get("model_id") or folder.name)
    return Logged(version, inputs, about.get("metadata") or {},
                  _unpickled(folder / flavour["pickled_model"]))


def _unpickled(file: Path) -> Any:
    try:
        with file.open("rb") as source:
            return pickle.load(source)
    except Exception as problem:
        raise RunFailed(f"{file}: cannot be loaded with the packages that are here: "
                        f"{one_line(str(problem))}; install those of its requirements.txt."
                        ) from None
