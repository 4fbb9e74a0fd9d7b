"""A project's code as one value: its parameters, and its steps in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from branchline.diff import diff_step
from branchline.errors import BadInput
from branchline.lakehouse import Lakehouse, Table
from branchline.parameters import Parameter
from branchline.readers import readers_step
from branchline.settings import Settings, parameters_of
from branchline.show import show_step
from branchline.steps import Step

__all__ = ["Pipeline"]


@dataclass(frozen=True)
class Pipeline:
    """A project's code: the class of its settings, and its steps in the order of a run.

    main.py runs `steps`. Every pipeline also has the steps `show` and `diff`, which only read
    tables, and `readers`; the job runs those itself.
    """

    settings: type[Settings]
    steps: tuple[Step, ...]

    @cached_property
    def show(self) -> Step:
        return show_step(self.tables)

    @cached_property
    def diff(self) -> Step:
        return diff_step(self.tables)

    @cached_property
    def built_in(self) -> tuple[Step, ...]:
        """The steps that every pipeline has, and that the job runs itself."""
        return (self.show, self.diff, readers_step())

    @property
    def every(self) -> tuple[Step, ...]:
        """All steps that a run can be asked for."""
        return (*self.steps, *self.built_in)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the steps read or write."""
        named = {table.name: table for step in self.steps for table in step.reads + step.writes}
        return tuple(named.values())

    @property
    def reusable_tables(self) -> tuple[Table, ...]:
        """The tables that a branch can take over: new rows', skippable steps', or written by none.

        The others are written again by every run.
        """
        taken = {table.name for step in self.steps if step.skippable or not step.reads
                 for table in step.writes}
        written = {table.name for step in self.steps for table in step.writes}
        return tuple(table for table in self.tables
                     if table.name in taken or table.name not in written)

    @property
    def table_names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    @property
    def table_records(self) -> list[dict[str, Any]]:
        """The tables as a release records them."""
        return [{"name": table.name, "key": list(table.key), "format": table.format,
                 "versioned": table.versioned,
                 "columns": {column.name: column.type for column in table.columns}}
                for table in self.tables]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all steps that a run can be asked for."""
        return tuple(step.name for step in self.every)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters; `steps` takes the names of these steps."""
        by_default = ",".join(step.name for step in self.steps if not step.on_request)
        return tuple(replace(each, default=by_default, choices=self.names)
                     if each.name == "steps" else each for each in parameters_of(self.settings))

    def read(self, arguments: Sequence[str]) -> Any:
        """The settings in `--name text` arguments; see `Settings.from_arguments`."""
        return self.settings.from_arguments(arguments, self.parameters)

    def asked(self, settings: Settings) -> tuple[Step, ...]:
        """The steps that a run with these settings runs."""
        return tuple(step for step in self.every if step.name in settings.steps
                     or not (settings.steps or step.on_request))

    def writes(self, settings: Settings) -> bool:
        """Whether a run with these settings writes tables: the built-in steps do not."""
        return any(step in self.steps for step in self.asked(settings))

    def check_tables(self, lakehouse: Lakehouse, settings: Settings) -> None:
        """Check that each table that a step reads exists, or is written by an earlier step.

        Raises:
            BadInput: a table is missing; the text names the step that writes it.
        """
        written: set[str] = set()
        for step in self.asked(settings):
            for table in step.reads:
                if table.name not in written and not lakehouse.exists(table):
                    writers = [each.name for each in self.steps if table in each.writes]
                    raise BadInput(
                        f"step {step.name} reads {table.name}, which schema {lakehouse.schema} of "
                        f"{lakehouse.root} does not have yet; with the same parameters, run "
                        f"{'step ' + writers[0] if writers else 'what writes it'} first, or all "
                        "steps (without -e).")
            written.update(table.name for table in step.writes)
