"""branchline score-stream: scores a Kafka topic by a project's model, without Spark."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from branchline.cli import options
from branchline.cli.stream_source import Source, StreamOptions, source_of
from branchline.runs.registry import CHAMPION
from branchline.signals import deferred

__all__ = ["command"]


@click.command("score-stream", context_settings=options.help_names)
@click.argument("scorer")
@click.option("--kafka", "kafka_file", metavar="FILE",
              help="The settings for Kafka; by default those of the target. See docs/live.md.")
@click.option("--from", "events", required=True, metavar="TOPIC", help="The topic of events.")
@click.option("--to", "scores", required=True, metavar="TOPIC", help="The topic of scores.")
@click.option("--labels", metavar="TOPIC", help="A topic of labels that become known later.")
@click.option("--log", metavar="TOPIC",
              help="Log features and scores to this topic, for `branchline parity`.")
@click.option("--store", required=True, metavar="ADDRESS", envvar="BRANCHLINE_STORE",
              help="The online store: a file, or redis://HOST.")
@click.option("--model", metavar="FOLDER", type=click.Path(path_type=Path),
              help="The model's folder, as in an image; by default the registered one.")
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
    """Score the events of a topic by a model until SIGTERM or Ctrl-C.

    SCORER is a project, whose MLproject names the function that opens it (`scorer:`); or, outside a
    repository, this function, as in my_package.stream:open_scorer, with --model and --kafka.

    \b
    Exit codes: 0 stopped, 2 bad input, 3 another worker has this name, 5 Kafka or the registry
    did not answer or permit it.
    """
    asked = StreamOptions(**given)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a batch is small; workers use the cores
    source = source_of(asked)
    with (_log(asked) as log, suppress(KeyboardInterrupt),
          deferred() as stopped):  # a signal is how it is stopped
        _work(asked, source, log, stopped)


@contextmanager
def _log(asked: StreamOptions) -> Iterator[tuple[Any, ...]]:
    """The inference log as the scorer's further argument, if it is asked for."""
    settings = options.log_settings(asked.inference_log, asked.hash_ids, os.environ)
    if settings is None:
        yield ()
        return
    from branchline.inference_log import InferenceLog
    with closing(InferenceLog(settings)) as log:
        yield (log,)


def _work(asked: StreamOptions, source: Source, log: tuple[Any, ...],
          stopped: Callable[[], bool]) -> None:
    from branchline.features.online import open_store
    from branchline.streaming.followed import followed
    from branchline.streaming.progress import Progress
    from branchline.streaming.worker import Topics, work
    topics = Topics(source.kafka.client, asked.events, asked.scores, asked.labels, asked.log,
                    asked.worker)
    with closing(open_store(asked.store)) as store:
        scorer = source.opened(store, source.arguments, *log)
        with followed(source.find, scorer.load) as model:
            work(topics, scorer, model, Progress(asked.every, asked.metrics), stopped)
