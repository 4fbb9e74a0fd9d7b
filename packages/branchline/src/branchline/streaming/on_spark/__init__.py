"""A project's model on a stream, on Spark: a query that scores, and one that keeps the scores."""

from branchline.streaming.clients import Topics
from branchline.streaming.on_spark.live import Live, score_live
from branchline.streaming.progress import Progress

__all__ = ["Live", "Progress", "Topics", "score_live"]
