"""Opens the online store that an address names."""

from __future__ import annotations

from pathlib import Path

from branchline.features.online.redis_store import RedisStore
from branchline.features.online.store import SqliteStore, Store

__all__ = ["open_store"]


def open_store(address: str) -> Store:
    """The store of a file, which is created if missing, or of redis://HOST.

    Raises:
        NotInstalled: redis:// without the extra `redis` of branchline.
        Unreachable: the file cannot be used; a server is first asked when it is read.
    """
    return RedisStore(address) if "://" in address else SqliteStore(Path(address))
