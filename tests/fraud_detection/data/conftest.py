"""A file that lands, as its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fraud_detection.settings import Columns
from tests.fraud_detection.landed import Land, rows_of


@pytest.fixture
def landed(tmp_path: Path) -> Land:
    def land(name: str, content: bytes | str, columns: Columns | None = None,
             ) -> list[dict[str, Any]]:
        return rows_of(tmp_path / name, content, columns)
    return land
