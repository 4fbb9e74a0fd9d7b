"""A project's model on a stream, on Spark: a query that scores, and one that keeps the scores."""

from branchline.streaming.on_spark.live import Live, score_live
from branchline.streaming.progress import Progress
from branchline.streaming.topics import Topics

__all__ = ["Live", "Progress", "Topics", "score_live"]
