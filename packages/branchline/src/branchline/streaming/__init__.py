"""A project's model on a stream: the worker's loop, its progress, and what a project gives it."""

from branchline.streaming.scorer import Answer, Message, Scorer

__all__ = ["Answer", "Message", "Scorer"]
