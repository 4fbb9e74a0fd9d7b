"""The web service's frame: routes, limits, health and metrics; what is scored, a project tells."""

from branchline.serving.service import Answered, Asked, Golden, Records, Service
from branchline.serving.settings import Limits, ServerSettings
from branchline.serving.telemetry import span
from branchline.serving.values import number, shown

__all__ = ["Answered", "Asked", "Golden", "Limits", "Records", "ServerSettings", "Service",
           "number", "shown", "span"]
