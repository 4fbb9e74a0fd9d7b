"""Lands the transactions of a simulated world as files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from branchline import BadInput
from fraud_detection.data.world import World, simulate

__all__ = ["main", "write"]


def write(world: World, folder: Path, *, files: int = 4) -> list[Path]:
    """Land the world's transactions as Parquet files of consecutive days, named by their dates.

    A file appears whole or not at all and is never replaced: a rerun adds only what is missing.
    Returns the `files` paths in time order, fewer if there are fewer days.

    Raises BadInput, with nothing written, if the folder holds any other visible file: readers of a
    landing folder take each file once.
    """
    if files < 1:
        raise BadInput(f"files is {files}; give 1 or more")
    parts = {folder / name: part for name, part in _split(world, min(files, world.days))}
    folder.mkdir(parents=True, exist_ok=True)
    landed = {path for path in folder.iterdir() if not path.name.startswith((".", "_"))}
    for path in sorted(landed):
        if path not in parts or not _holds(path, parts[path]):
            raise BadInput(f"{path}: does not belong to this world and is never replaced; choose "
                           "an empty folder, or the arguments that wrote this one")
    for path in (path for path in parts if path not in landed):
        _write_whole(path, parts[path])
    return list(parts)


def _split(world: World, files: int) -> list[tuple[str, pa.Table]]:
    """Names and tables of `files` runs of whole days, in time order."""
    table = simulate(world)
    begin = [world.start + timedelta(world.days * i // files) for i in range(files + 1)]
    times = table["TX_DATETIME"].to_numpy()
    row = [int(i) for i in np.searchsorted(times, np.array(begin, "datetime64[us]"))]
    return [(f"transactions_{begin[i]}_{begin[i + 1] - timedelta(1)}.parquet",
             table.slice(row[i], row[i + 1] - row[i])) for i in range(files)]


def _holds(path: Path, part: pa.Table) -> bool:
    # Rows are compared, not bytes, which change with the Parquet writer's version.
    try:
        return bool(pq.ParquetFile(path).read().equals(part))
    except (pa.ArrowInvalid, OSError):
        return False


def _write_whole(path: Path, part: pa.Table) -> None:
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(part, hidden)
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--customers", default=World.customers, show_default=True)
@click.option("--terminals", default=World.terminals, show_default=True)
@click.option("--days", default=World.days, show_default=True)
@click.option("--start", default=str(World.start), show_default=True,
              type=click.DateTime(["%Y-%m-%d"]), metavar="DATE")
@click.option("--seed", default=World.seed, show_default=True)
def _command(folder: Path, start: datetime, **numbers: int) -> None:
    """Simulate card transactions with known fraud and write them to FOLDER as Parquet files."""
    began = time.perf_counter()
    world = World(start=start.date(), **numbers)
    paths = write(world, folder)
    fraud = np.concatenate([pq.ParquetFile(path).read(["TX_FRAUD"])["TX_FRAUD"] for path in paths])
    share = fraud.mean() if fraud.size else 0
    click.echo(f"{fraud.size:,} transactions, {share:.2%} fraud, {world.days} days from "
               f"{world.start}, in {folder} ({len(paths)} files), "
               f"{time.perf_counter() - began:.1f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; bad input is one line on stderr and exit code 2."""
    try:
        _command.main(arguments, prog_name="simulator", standalone_mode=False)
    except (BadInput, OSError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else error
        click.echo(f"simulator: {text}", err=True)
        sys.exit(BadInput.exit_code)


if __name__ == "__main__":
    main()
