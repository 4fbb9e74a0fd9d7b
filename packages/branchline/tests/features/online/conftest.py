from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.features.online import SqliteStore, Store
from branchline.features.online.redis_store import RedisStore
from support.redis_server import redis_server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store is: a file, or a server's URL."""
    if request.param == "sqlite":
        return str(tmp_path / "store" / "events.db")
    return str(request.getfixturevalue("redis_url"))


@pytest.fixture
def opened(address: str, tmp_path: Path) -> Iterator[Store]:
    """The store at that address."""
    store: Store = (RedisStore(address, tmp_path.name) if "://" in address
                    else SqliteStore(Path(address)))
    yield store
    store.close()
