"""A run's settings: a frozen value whose fields are the project's parameters, declared once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from typing import Any, NoReturn, Self, TypeVar, get_type_hints

from branchline.errors import BadInput
from branchline.parameters import Parameter

__all__ = ["Settings", "parameter", "parameters_of"]

T = TypeVar("T")
TYPE_OF: dict[object, str] = {
    str: "string", str | None: "string", int: "integer", float: "float", date: "date",
    date | None: "date", tuple[str, ...]: "list"}


def parameter(default: T, help: str, *, type: str | None = None, text: str | None = None,
              choices: Sequence[str] = (), minimum: float | None = None,
              maximum: float | None = None, read: Callable[[str], T] | None = None) -> T:
    """Declare a parameter: a field of a Settings class.

    Args:
        default: the value if the run gives none; None is shown as an empty text.
        type: one of `branchline.parameters.TYPES`; by default the field's annotation decides.
        text: what stands for the default in MLproject, if not the default itself.
        read: turns a text into the value, if no type fits; raises BadInput.
    """
    about = {"type": type, "text": text, "choices": tuple(choices), "minimum": minimum,
             "maximum": maximum, "help": help, "read": read}
    declared: T = field(default=default, metadata={"parameter": about})
    return declared


@dataclass(frozen=True)
class Settings:
    """The parameters of every project; a project's own class adds the others with `parameter`.

    Empty `steps` are all steps except those on request only. `files` None: beside the tables.
    """

    steps: tuple[str, ...] = parameter((), "the steps to run, separated by commas")
    data: str = parameter("", "the folder or file of input data", type="location")
    lakehouse: str = parameter("../../.local/lakehouse",
                               "the folder or the catalog that holds the tables")
    schema: str = parameter("sandbox", "the schema of this branch's tables")
    base: str = parameter("", "the schema whose tables a branch without any begins with")
    rerun: str = parameter("changed", "with a base, the steps to run again: those whose code, "
                                      "settings or input changed, or all",
                           choices=("changed", "all"))
    files: str | None = parameter(None, "the folder of landed files and checkpoints; beside the "
                                        "tables")
    table_set: str = parameter("", "production's table set, which deploy.py names; none")
    table: str = parameter("", "the table that the step show shows, or those that diff compares")
    where: str = parameter("", "an SQL condition on its rows; all of them")
    limit: int = parameter(20, "how many rows are shown", minimum=1, maximum=100_000)
    against: str = parameter("", "the schema that the step diff compares with")
    samples: int = parameter(0, "how many rows of each kind diff lists", minimum=0, maximum=1000)
    tolerance: float = parameter(0.0, "diff treats floats as equal up to this relative "
                                      "difference", minimum=0,
                                 maximum=1)

    pins: tuple[str, ...] = parameter((), "tables to read from another schema as of a version, "
                                          "such as silver.transactions=main@12; none")

    @property
    def tables_schema(self) -> str:
        """The schema of this run's tables."""
        return self.schema

    @classmethod
    def from_arguments(cls, arguments: Sequence[str],
                       parameters: Sequence[Parameter] | None = None) -> Self:
        """Settings from `--train_days 28 ...`, as the MLproject's command passes them.

        `parameters` are the class's own; an empty text stands for the default.

        Raises:
            BadInput: an unknown argument, or a value that its parameter does not accept.
            SystemExit: --help was printed.
        """
        known = {each.name: each for each in parameters or parameters_of(cls)}
        parser = _Parser(prog="main.py", allow_abbrev=False)
        for name, each in known.items():
            parser.add_argument(f"--{name}", metavar="TEXT",
                                help=str(each).partition(": ")[2].replace("%", "%%"))
        given, unknown = parser.parse_known_args(list(arguments))
        if unknown:
            raise BadInput(f"argument {unknown[0]} is unknown; expected "
                           f"{', '.join('--' + name for name in known)}.")
        values: dict[str, Any] = {name: known[name].value(text)
                                  for name, text in vars(given).items() if text not in (None, "")}
        return cls(**values)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; expected --NAME TEXT ...; --help lists the names.")


def parameters_of(settings: type[Settings]) -> tuple[Parameter, ...]:
    """The parameters that the fields of a Settings class declare, in order.

    Raises:
        TypeError: a field is not declared by `parameter`, or its annotation has no known type.
    """
    annotations = get_type_hints(settings)
    found = []
    for each in fields(settings):
        about = each.metadata.get("parameter")
        kind = about and (about["type"] or TYPE_OF.get(annotations[each.name]))
        if about is None or kind is None or each.default is MISSING:
            raise TypeError(f"{settings.__name__}.{each.name}: expected parameter(default, help), "
                            "with a `type` where the annotation is none of str, int, float, date.")
        text = _text(each.default) if about["text"] is None else about["text"]
        found.append(Parameter(each.name, kind, text, about["choices"], about["minimum"],
                               about["maximum"], about["help"], about["read"]))
    return tuple(found)


def _text(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    if isinstance(default, float):
        return f"{default:.12g}"
    return "" if default is None else str(default)
