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
from branchline.settings import Settings, parameters_of
from branchline.show import show_step
from branchline.steps import Step

__all__ = ["Pipeline"]


@dataclass(frozen=True)
class Pipeline:
    """A project's code: the class of its settings, and its steps in the order of a run.

    main.py runs `steps`. Every pipeline also has the steps `show` and `diff`, which only read
    tables; the job runs those itself.
    """

    settings: type[Settings]
    steps: tuple[Step, ...]

    @cached_property
    def show(self) -> Step:
        return show_step(self.tables)

    @cached_property
    def diff(self) -> Step:
        return diff_step(self.tables)

    @property
    def every(self) -> tuple[Step, ...]:
        """All steps that a run can be asked for."""
        return (*self.steps, self.show, self.diff)

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
