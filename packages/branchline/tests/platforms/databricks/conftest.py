"""What runs on the workspace server need: a client, a small project, an experiment."""

from support.greeting import client, experiment, greeting

__all__ = ["client", "experiment", "greeting"]
