"""Small JSON files beside a schema's tables; each is written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from branchline.lakehouse.lakehouse import Lakehouse
from branchline.records import encoded

__all__ = ["note", "read_note", "write_note"]


def note(lakehouse: Lakehouse, area: str, name: str) -> Path:
    return Path(lakehouse.area(area), f"{name}.json")


def read_note(file: Path) -> dict[str, Any] | None:
    """The note; None if there is none, or it cannot be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_note(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_bytes(encoded(content))
    os.replace(scratch, file)
