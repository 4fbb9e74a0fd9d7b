"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from branchline.config.targets import Target
from branchline.errors import BadInput

if TYPE_CHECKING:
    from branchline.inference_log import LogSettings

__all__ = ["branch", "debug", "help_names", "inference_log", "kafka_of", "log_settings",
           "more_wheels", "summary", "wheel_files", "wheels"]

F = TypeVar("F", bound=Callable[..., Any])

help_names = {"help_option_names": ["-h", "--help"]}
debug = click.option("--debug", is_flag=True, help="Show the traceback of an error.")
branch = click.option("--branch", "given_branch", metavar="NAME",
                      help="The branch; by default that of the CI's variables or of git.")
summary = click.option("--summary", "page", type=click.Path(path_type=Path), metavar="FILE",
                       help="Write the result as Markdown and show it on the CI's page.")
wheels = click.option("--wheel", "given_wheels", multiple=True, metavar="FILE...",
                      type=click.Path(path_type=Path),
                      help="Run with these wheels, as in dist/*.whl, without the source tree.")
more_wheels = click.argument("more_wheels", nargs=-1, type=click.Path(path_type=Path),
                             metavar="")


def inference_log(function: F) -> F:
    """The options --inference-log and --hash-ids."""
    folder = click.option("--inference-log", type=click.Path(path_type=Path), metavar="FOLDER",
                          envvar="BRANCHLINE_INFERENCE_LOG",
                          help="Write what is scored to files in this folder.")
    variable = click.option("--hash-ids", metavar="VARIABLE", envvar="BRANCHLINE_HASH_IDS",
                            help="Hash entities' ids in it with the key in this environment "
                                 "variable.")
    return folder(variable(function))


def log_settings(folder: Path | None, variable: str | None,
                 environment: Mapping[str, str]) -> LogSettings | None:
    """
    Raises:
        BadInput: the variable has no key, or there is nothing to hash.
    """
    from branchline.inference_log import LogSettings
    if folder is None and variable is not None:
        raise BadInput("--hash-ids: there is no log; expected --inference-log FOLDER, too.")
    return None if folder is None else LogSettings.of(folder, variable, environment)


def wheel_files(given: Iterable[Path], more: Iterable[Path]) -> tuple[Path, ...]:
    """The wheels of `--wheel FILE...`: a shell expands dist/*.whl into several words.

    Raises:
        BadInput: another argument without --wheel, or one that is not a wheel.
    """
    first, others = tuple(given), tuple(more)
    for path in others:
        if not first or path.suffix != ".whl":
            raise BadInput(f"argument {str(path)!r}: expected only the project's name, and "
                           "wheels after --wheel.")
    return first + others


def kafka_of(given: str | None, target: Target) -> str:
    """The settings for Kafka: the given file, else those of the target.

    Raises:
        BadInput: there are none.
    """
    if not given and not target.kafka:
        raise BadInput(f"target {target.name}: has no `kafka` in targets.yml; expected it there, "
                       "or --kafka FILE.")
    return given or target.kafka
