"""What the options of `branchline score-stream` name: Kafka's settings, the scorer, the model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.declaration import function, imported
from branchline.config.kafka_file import KafkaFile
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.errors import BadInput
from branchline.platforms.find import open_platform
from branchline.runs.registry import Registry
from branchline.runs.request import pairs

__all__ = ["Source", "StreamOptions", "source_of"]


@dataclass(frozen=True)
class StreamOptions:
    """The options of `score-stream`, by click's names."""

    scorer: str
    kafka_file: str | None
    events: str
    scores: str
    labels: str | None
    log: str | None
    store: str
    model: Path | None
    target_name: str
    alias: str
    worker: str
    every: float
    metrics: Path | None
    parameters: tuple[str, ...]
    inference_log: Path | None
    hash_ids: str | None


@dataclass(frozen=True)
class Source:
    """Kafka's settings, what opens the scorer and its arguments, and the model's address."""

    kafka: KafkaFile
    opened: Callable[..., Any]
    arguments: list[str]
    find: Callable[[], str]


def source_of(asked: StreamOptions) -> Source:
    """The source of a project, or of a function without a repository.

    Raises:
        BadInput: the project, function, model's folder or a setting cannot be used, or is missing.
    """
    return _alone(asked) if ":" in asked.scorer else _of_project(asked)


def _of_project(asked: StreamOptions) -> Source:
    repository = Repository.current()
    target, project = repository.target(asked.target_name), repository.project(asked.scorer)
    kafka = KafkaFile.of(options.kafka_of(asked.kafka_file, target), os.environ)
    opened = imported(project, "scorer", project.scorer)
    find = (_fixed(asked.model) if asked.model
            else _finder(repository, target, project, asked.alias))
    return Source(kafka, opened, _arguments(project, target, asked.parameters), find)


def _alone(asked: StreamOptions) -> Source:
    """Without a repository, which would name Kafka, check the parameters and find the model."""
    if asked.model is None or asked.kafka_file is None:
        missing = "--model FOLDER" if asked.model is None else "--kafka FILE"
        raise BadInput(f"scorer {asked.scorer}: {missing} is missing; a function needs it, "
                       "since no project tells it.")
    kafka = KafkaFile.read(Path(asked.kafka_file), os.environ)
    return Source(kafka, function("scorer", asked.scorer), _words(pairs(asked.parameters)),
                  _fixed(asked.model))


def _fixed(model: Path) -> Callable[[], str]:
    """The address of a folder, which stays.

    Raises:
        BadInput: there is no model in it.
    """
    if not (model / "MLmodel").is_file():
        raise BadInput(f"model {model}: is no folder with a file MLmodel; expected one, as "
                       "`branchline image` puts it into an image.")
    return lambda: str(model)


def _arguments(project: Project, target: Target, given: tuple[str, ...]) -> list[str]:
    """The project's parameters as its main.py takes them, files by their full path."""
    values = project.entry_point("main").check(pairs(given), target.location)
    return _words({name: values[name] for name in pairs(given)})


def _words(values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name}", value)]


def _finder(repository: Repository, target: Target, project: Project,
            alias: str) -> Callable[[], str]:
    registry = Registry(open_platform(target, repository.root, os.environ).tracking)
    name = target.model_name(project.name)

    def find() -> str:
        version = registry.aliased(name, alias)
        if version is None:
            raise BadInput(f"model {name}: there is no version with the alias {alias}; expected "
                           "one that the gate registered, or `deploy.py` promoted.")
        return version.uri

    return find
