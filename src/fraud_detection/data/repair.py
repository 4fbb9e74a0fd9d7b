"""Repairs tables that do not fit together: drops the derived ones, which the next run rebuilds."""

from __future__ import annotations

from branchline import Lakehouse
from branchline.lakehouse.appends import count_rows
from branchline.lakehouse.sources import FILES
from branchline.lakehouse.stream import checkpoints, forget
from fraud_detection.data.bronze_to_silver import PLACES
from fraud_detection.data.moves import moved_by_hand
from fraud_detection.tables import BRONZE_TRANSACTIONS

__all__ = ["repair"]


def repair(lakehouse: Lakehouse) -> list[str]:
    """Drop what cannot be kept; returns one line for each drop, none if all tables fit.

    Without bronze, the notes of its files go, so that the next run takes the files again; silver is
    dropped with its checkpoints if it does not match bronze. Bronze itself is never touched.
    """
    said = []
    if not lakehouse.exists(BRONZE_TRANSACTIONS) and lakehouse.exists(FILES):
        lakehouse.drop(FILES)
        said.append(f"{FILES.name}: dropped, because {BRONZE_TRANSACTIONS.name} is gone; the "
                    "next run takes all files again")
    if not _adds_up(lakehouse):
        by_hand = moved_by_hand(lakehouse)
        for table in PLACES:
            lakehouse.drop(table)
        for stream in checkpoints(lakehouse, "prepare"):
            forget(lakehouse, stream)
        said.append(f"{', '.join(table.name for table in PLACES)}: dropped; the next run "
                    "rebuilds them from bronze")
        if by_hand:
            said.append(f"{by_hand:,} rows that were moved to quarantine by hand will be in "
                        "silver again; move them again after the next run (`-e reject`)")
    return said


def _adds_up(lakehouse: Lakehouse) -> bool:
    there = [table for table in (BRONZE_TRANSACTIONS, *PLACES) if lakehouse.exists(table)]
    if len(there) <= len(PLACES):
        return not any(table in there for table in PLACES)
    bronze, *places = count_rows(lakehouse, *there)
    return bronze == sum(places)
