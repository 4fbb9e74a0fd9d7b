"""A model of simulated transactions in a folder, and the service that answers with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from support.web_service import WebService
from tests.served import LIVE, SERVICE, batch_features, fill_store, save_model, silver


@pytest.fixture(scope="module")
def transactions() -> pa.Table:
    return silver()


@pytest.fixture(scope="module")
def rows(transactions: pa.Table) -> pd.DataFrame:
    return batch_features(transactions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame) -> Path:
    return save_model(tmp_path_factory.mktemp("served") / "model", rows)


@pytest.fixture(scope="module")
def service(folder: Path, transactions: pa.Table) -> Iterator[WebService]:
    store = fill_store(folder.parent / "events.db", transactions, LIVE)
    with WebService(SERVICE, "--model", str(folder), "--store", str(store)) as started:
        yield started
