"""Finds ids that occur more than once, by their hashes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    Hashes = NDArray[np.int64]

__all__ = ["id_hash", "repeated_hashes"]

SHARD_BITS = 6  # 64 shards: of a thousand million ids, 125 MB in the worker of each
PACKED = "shard INT, is_new BOOLEAN, hashes BINARY"
AT_ONCE = 4 << 20  # hashes that a worker collects before it returns them


def id_hash(identifier: Column) -> Column:
    """The hash of an id."""
    from pyspark.sql import functions as F
    return F.xxhash64(identifier)


def repeated_hashes(new: DataFrame, old: DataFrame) -> DataFrame:
    """Column `hash`: hashes that are twice in `new`, or in both `new` and `old`.

    Both have one column, the `id_hash` of the ids. All repeated ids are among them; others only by
    chance, one in 2^64 pairs. They are packed and sorted in vectors, 8 bytes per id.
    """
    packed = new.mapInArrow(_packer(True), PACKED).unionAll(
        old.mapInArrow(_packer(False), PACKED))
    return packed.groupBy("shard").applyInArrow(_repeated, "hash BIGINT")


def _packer(is_new: bool) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[Hashes] = []
        for batch in batches:
            held.append(batch.column(0).to_numpy())
            if sum(map(len, held)) >= AT_ONCE:
                yield _packed(np.concatenate(held), is_new)
                held = []
        if held:
            yield _packed(np.concatenate(held), is_new)
    return pack


def _packed(hashes: Hashes, is_new: bool) -> pa.RecordBatch:
    """One row per shard, with its hashes; the shard is their first bits."""
    half = 1 << SHARD_BITS - 1
    limits = np.arange(-half + 1, half, dtype=np.int64) << 64 - SHARD_BITS
    ordered = np.sort(hashes)
    shards = np.split(ordered, np.searchsorted(ordered, limits))
    return pa.RecordBatch.from_pydict({
        "shard": pa.array(range(len(shards)), pa.int32()),
        "is_new": pa.repeat(is_new, len(shards)),
        "hashes": pa.array([shard.tobytes() for shard in shards], pa.binary())})


def _repeated(shard: pa.Table) -> pa.Table:
    new, old = (_unpacked(shard, is_new) for is_new in (True, False))
    found = np.union1d(new[1:][new[1:] == new[:-1]], np.intersect1d(new, old))
    return pa.table({"hash": pa.array(found, pa.int64())})


def _unpacked(shard: pa.Table, is_new: bool) -> Hashes:
    """All hashes of one kind, in order."""
    packed = [np.frombuffer(row["hashes"], np.int64) for row in shard.to_pylist()
              if row["is_new"] == is_new]
    return np.sort(np.concatenate([np.empty(0, np.int64), *packed]))
