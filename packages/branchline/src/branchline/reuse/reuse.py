"""Decides which steps a run skips, and keeps each step's fingerprint in the branch's schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.notes import note, read_note, write_note
from branchline.lakehouse.table import NO_COMMIT
from branchline.reuse.code import code_of
from branchline.reuse.fingerprint import Fingerprint, settings_of

if TYPE_CHECKING:
    from branchline.steps import Step

__all__ = ["Decision", "Reuse", "commits_of", "fingerprint_file", "is_kept", "read"]


@dataclass(frozen=True)
class Decision:
    """Whether a step is skipped; whether its tables are first dropped; the reason, as one line."""

    skips: bool
    rebuilds: bool
    reason: str

    def __str__(self) -> str:
        return f"{'skipped' if self.skips else 'ran'}: {self.reason}"


class Reuse:
    """The fingerprints of one branch's tables, compared with the code and settings of this run."""

    def __init__(self, lakehouse: Lakehouse, settings: Any) -> None:
        self._lakehouse = lakehouse
        self._settings = settings

    def decide(self, step: Step) -> Decision | None:
        """Whether the step runs again; None if the run does not begin with main's tables.

        A step whose code, settings or libraries changed, or that reads a table that was dropped
        and made anew, makes its tables anew too. If they only have new rows, it goes on from there.
        """
        if not self._settings.base or step.on_request:
            return None
        if not step.reads:
            return Decision(False, False, self._taking(step))
        if not step.skippable:
            return Decision(False, False, "always, as it does more than write tables")
        now, before = self._now(step), self._known(step)
        if self._settings.rerun == "all":
            return Decision(False, True, "all steps were asked for")
        if now is None or before is None:
            return Decision(False, True, "no finished run of it made these tables")
        if reasons := now.differences(before):
            return Decision(False, True, "; ".join(reasons))
        return self._by_tables(step, before)

    def _by_tables(self, step: Step, before: Fingerprint) -> Decision:
        now = commits_of(self._lakehouse, step.reads + step.writes)
        moved = sorted(name for name in now if now[name] != before.tables.get(name))
        anew = [table.name for table in step.reads if table.name in moved
                and not self._continues(table, before.tables.get(table.name, NO_COMMIT))]
        if anew:
            return Decision(False, True, f"made anew: {', '.join(anew)}")
        if moved:
            return Decision(False, False, f"changed since: {', '.join(moved)}")
        inputs = ", ".join(table.name for table in step.reads)
        return Decision(True, False, f"code, settings and {inputs} as {self._origin(step)}")

    def _continues(self, table: Table, commit: str) -> bool:
        """Whether that commit is one of the table's, which was not dropped since."""
        return (self._lakehouse.exists(table) and commit != NO_COMMIT
                and self._lakehouse.has_commit(table, commit))

    def _taking(self, step: Step) -> str:
        now, before = self._now(step), self._known(step)
        found = now.differences(before) if now and before else []
        return "to look for new rows" + (
            f"; those that it took before stay, though its {'; '.join(found)}" if found else "")

    def start(self, step: Step) -> Mapping[str, str]:
        """Forget the step's last run; returns the commits of its inputs, for `finish`."""
        if not is_kept(step):
            return {}
        with suppress(OSError):
            fingerprint_file(self._lakehouse, step.name).unlink(missing_ok=True)
        return commits_of(self._lakehouse, step.reads)

    def finish(self, step: Step, inputs: Mapping[str, str]) -> None:
        """Keep the fingerprint of a step that ran.

        A schema without a folder for files keeps none: its steps are then never skipped.
        """
        if is_kept(step) and (now := self._now(step)):
            outputs = commits_of(self._lakehouse, step.writes if step.reads else ())
            found = replace(now, tables={**inputs, **outputs})
            with suppress(OSError):
                write_note(fingerprint_file(self._lakehouse, step.name), found.written())

    def _now(self, step: Step) -> Fingerprint | None:
        code = code_of(step.run.__module__)
        if code is None:
            return None
        settings = settings_of(self._settings, code) if step.reads else {}
        return Fingerprint(code.files, settings, code.libraries, {})

    def _known(self, step: Step) -> Fingerprint | None:
        return read(fingerprint_file(self._lakehouse, step.name))

    def _origin(self, step: Step) -> str:
        origin = (read_note(fingerprint_file(self._lakehouse, step.name)) or {}).get("of")
        return f"on {origin}" if origin else "in the branch's last run"


def is_kept(step: Step) -> bool:
    return step.skippable or not (step.reads or step.on_request)


def commits_of(lakehouse: Lakehouse, tables: Iterable[Table]) -> dict[str, str]:
    return {table.name: lakehouse.commit(table) for table in tables}


def read(file: Path) -> Fingerprint | None:
    """The fingerprint; None if there is none that this branchline can read: the step then runs."""
    content = read_note(file)
    try:
        return Fingerprint.read(content, str(file)) if content else None
    except BadInput:
        return None


def fingerprint_file(lakehouse: Lakehouse, step: str) -> Path:
    return note(lakehouse, "steps", step)
