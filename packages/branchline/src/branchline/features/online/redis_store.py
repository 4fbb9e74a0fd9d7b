"""A store in a Redis-compatible server, for several processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from branchline.errors import NotInstalled, Unreachable
from branchline.features.online.store import Change

__all__ = ["RedisStore"]


class RedisStore:
    """Records under `prefix` in a Redis server, by its URL.

    Raises:
        NotInstalled: the extra `redis` of branchline is missing.
        Unreachable: the server does not answer, or refuses; raised by every method.
    """

    def __init__(self, url: str, prefix: str = "branchline") -> None:
        try:
            from redis import Redis
        except ImportError:
            raise NotInstalled("redis: not installed in this environment; a store in a Redis "
                               "server needs the extra `redis` of branchline.") from None
        self._client = Redis.from_url(url)
        self._prefix = prefix + ":"

    def _named(self, keys: Sequence[str]) -> list[str]:
        return [self._prefix + key for key in keys]

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        with _answering():
            return cast(list[bytes | None], self._client.mget(self._named(keys)))

    def update(self, keys: Sequence[str], change: Change) -> None:
        named = self._named(keys)
        with _answering():
            while named and not self._updated(named, change):
                pass  # another process wrote one of them: try again with the new records

    def _updated(self, named: list[str], change: Change) -> bool:
        from redis import WatchError
        with self._client.pipeline() as pipe:
            pipe.watch(*named)  # type: ignore[no-untyped-call]
            records = change(cast(list[bytes | None], pipe.mget(named)))
            pipe.multi()
            for key, record in zip(named, records, strict=True):
                if record is None:
                    pipe.delete(key)
                else:
                    pipe.set(key, record)
            try:
                pipe.execute()
            except WatchError:
                return False
        return True

    def version(self) -> None:
        return None

    def replace(self, records: Mapping[str, bytes | None], version: int) -> bool:
        return False

    def keys(self) -> Iterator[str]:
        with _answering():
            for key in self._client.scan_iter(match=f"{self._prefix}*", count=1000):
                yield key.decode().removeprefix(self._prefix)

    def close(self) -> None:
        self._client.close()


@contextmanager
def _answering() -> Iterator[None]:
    """In the block, errors of the server become Unreachable."""
    from redis import RedisError
    try:
        yield
    except RedisError as problem:
        raise Unreachable(f"online store: the Redis server failed: {problem}. Check that it runs "
                          "and has memory left; a replay of the stream is safe.") from None
