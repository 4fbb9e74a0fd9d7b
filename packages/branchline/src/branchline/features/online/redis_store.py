"""A store in a server that speaks Redis' protocol, for processes that share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import redis

from branchline.errors import Unreachable
from branchline.features.online.store import Change

__all__ = ["RedisStore"]


class RedisStore:
    """Records under `prefix` in a Redis server, by its URL; needs the extra `redis`.

    Raises:
        Unreachable: the server does not answer, or refuses; raised by every method.
    """

    def __init__(self, url: str, prefix: str = "branchline") -> None:
        self._client = redis.Redis.from_url(url)
        self._prefix = prefix + ":"

    def _named(self, keys: Sequence[str]) -> list[str]:
        return [self._prefix + key for key in keys]

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        try:
            return cast(list[bytes | None], self._client.mget(self._named(keys)))
        except redis.RedisError as problem:
            raise _unreachable(problem) from None

    def update(self, keys: Sequence[str], change: Change) -> None:
        named = self._named(keys)
        try:
            while named and not self._updated(named, change):
                pass  # another process wrote one of them: once more, on what it wrote
        except redis.RedisError as problem:
            raise _unreachable(problem) from None

    def _updated(self, named: list[str], change: Change) -> bool:
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
            except redis.WatchError:
                return False
        return True

    def keys(self) -> Iterator[str]:
        try:
            for key in self._client.scan_iter(match=f"{self._prefix}*", count=1000):
                yield key.decode().removeprefix(self._prefix)
        except redis.RedisError as problem:
            raise _unreachable(problem) from None

    def close(self) -> None:
        self._client.close()


def _unreachable(problem: redis.RedisError) -> Unreachable:
    return Unreachable(f"online store: the Redis server does not do what it was asked: {problem}. "
                       "Check that it runs and has memory left; a replay of the stream is safe.")
