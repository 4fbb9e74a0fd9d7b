"""The inference log: what was scored, as JSON lines of one format, and its way into tables."""

from branchline.inference_log.line import Entry, Origin
from branchline.inference_log.settings import HashKey, LogSettings
from branchline.inference_log.writer import InferenceLog

__all__ = ["Entry", "HashKey", "InferenceLog", "LogSettings", "Origin"]
