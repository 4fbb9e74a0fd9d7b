"""Where the inference log is written, when a file is complete, and whether ids are hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from branchline.errors import BadInput

__all__ = ["HashKey", "LogSettings"]

SHORTEST_KEY = 16


@dataclass(frozen=True)
class HashKey:
    """The key that hashes entities' ids, and the environment variable that has it."""

    variable: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, variable: str, environment: Mapping[str, str]) -> HashKey:
        """
        Raises:
            BadInput: the variable is not set, or its value is too short for a key.
        """
        key = environment.get(variable, "")
        if len(key) < SHORTEST_KEY:
            raise BadInput(f"environment variable {variable}: found {len(key)} characters, "
                           f"expected a key of at least {SHORTEST_KEY}, such as the output of "
                           "`openssl rand -hex 32`.")
        return cls(variable, key.encode())


@dataclass(frozen=True)
class LogSettings:
    """A file is complete, and may be shipped, after so many bytes or seconds.

    With `hash_key`, entities' ids are hashed with it (HMAC-SHA256), so that nobody without the key
    can try out all ids.
    """

    folder: Path
    hash_key: bytes | None = field(default=None, repr=False)
    file_bytes: int = 64 * 2**20
    seconds: float = 300.0

    @classmethod
    def of(cls, folder: Path, variable: str | None, environment: Mapping[str, str]) -> LogSettings:
        """The settings; the key is the value of the environment variable with that name.

        Raises:
            BadInput: the variable is not set, or its value is too short for a key.
        """
        if variable is None:
            return cls(folder)
        return cls(folder, HashKey.of(variable, environment).key)
