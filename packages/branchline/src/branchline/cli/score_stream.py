"""branchline score-stream: scores a Kafka topic by a project's registered model, without Spark."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.declaration import imported
from branchline.config.kafka_file import KafkaFile
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.errors import BadInput
from branchline.platforms.find import open_platform
from branchline.runs.registry import CHAMPION, Registry
from branchline.runs.request import pairs
from branchline.signals import deferred

__all__ = ["command"]


@click.command("score-stream", context_settings=options.help_names)
@click.argument("project")
@click.option("--kafka", "kafka_file", metavar="FILE",
              help="The settings for Kafka; by default those of the target. See docs/live.md.")
@click.option("--from", "events", required=True, metavar="TOPIC", help="The topic of events.")
@click.option("--to", "scores", required=True, metavar="TOPIC", help="The topic of scores.")
@click.option("--labels", metavar="TOPIC", help="A topic of labels that become known later.")
@click.option("--log", metavar="TOPIC",
              help="Log features and scores to this topic, for `branchline parity`.")
@click.option("--store", required=True, metavar="ADDRESS", envvar="BRANCHLINE_STORE",
              help="The online store: a file, or redis://HOST.")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the model is registered: a name in targets.yml.")
@click.option("--alias", default=CHAMPION, show_default=True,
              help="The alias of the model; when it is moved, the next batch has the new model.")
@click.option("--worker", default=socket.gethostname, metavar="NAME",
              help="This worker's name, one for each of a group; by default the host's.")
@click.option("--every", default=5.0, show_default=True, metavar="SECONDS",
              type=click.FloatRange(0.1), help="How often it says its progress.")
@click.option("--metrics", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write the progress as a file for Prometheus.")
@click.option("-P", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE",
              help="A parameter of the project, such as columns.")
@options.inference_log
@options.debug
def command(debug: bool, **given: Any) -> None:
    """Score the events of a topic by PROJECT's model until SIGTERM or Ctrl-C.

    \b
    Exit codes: 0 stopped, 2 bad input, 3 another worker has this name, 5 Kafka or the registry
    did not answer or permit it.
    """
    asked = _Options(**given)
    repository = Repository.current()
    target, project = repository.target(asked.target_name), repository.project(asked.project)
    kafka = KafkaFile.of(options.kafka_of(asked.kafka_file, target), os.environ)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a batch is small; workers use the cores
    opened = imported(project, "scorer", project.scorer)
    arguments = _arguments(project, target, asked.parameters)
    find = _finder(repository, target, project, asked.alias)
    with (_log(asked) as log, suppress(KeyboardInterrupt),
          deferred() as stopped):  # a signal is how it is stopped
        _work(asked, kafka, find, lambda store: opened(store, arguments, *log), stopped)


@dataclass(frozen=True)
class _Options:
    """The options of the command, by click's names."""

    project: str
    kafka_file: str | None
    events: str
    scores: str
    labels: str | None
    log: str | None
    store: str
    target_name: str
    alias: str
    worker: str
    every: float
    metrics: Path | None
    parameters: tuple[str, ...]
    inference_log: Path | None
    hash_ids: str | None


@contextmanager
def _log(asked: _Options) -> Iterator[tuple[Any, ...]]:
    """The inference log as the scorer's further argument, if it is asked for."""
    settings = options.log_settings(asked.inference_log, asked.hash_ids, os.environ)
    if settings is None:
        yield ()
        return
    from branchline.inference_log import InferenceLog
    with closing(InferenceLog(settings)) as log:
        yield (log,)


def _arguments(project: Project, target: Target, given: tuple[str, ...]) -> list[str]:
    """The project's parameters as its main.py takes them, files by their full path."""
    values = project.entry_point("main").check(pairs(given), target.location)
    return [word for name in pairs(given) for word in (f"--{name}", values[name])]


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


def _work(asked: _Options, kafka: KafkaFile, find: Callable[[], str],
          open_scorer: Callable[[Any], Any], stopped: Callable[[], bool]) -> None:
    from branchline.features.online import open_store
    from branchline.streaming.followed import followed
    from branchline.streaming.progress import Progress
    from branchline.streaming.worker import Topics, work
    topics = Topics(kafka.client, asked.events, asked.scores, asked.labels, asked.log,
                    asked.worker)
    with closing(open_store(asked.store)) as store:
        scorer = open_scorer(store)
        with followed(find, scorer.load) as model:
            work(topics, scorer, model, Progress(asked.every, asked.metrics), stopped)
