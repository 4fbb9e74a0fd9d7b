"""The registered model that scores: the version with an alias."""

from __future__ import annotations

from branchline import BadInput
from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from fraud_detection.live.settings import ScoringSettings

__all__ = ["address"]


def address(settings: ScoringSettings) -> str:
    """The MLflow address of the version that the alias points to now.

    Raises:
        BadInput: there is none.
        Unreachable: the registry does not answer.
    """
    import mlflow
    registry = Registry(Tracking(mlflow.get_tracking_uri(), None))
    version = registry.aliased(settings.registered, settings.alias)
    if version is None:
        raise BadInput(f"model {settings.registered}: there is no version with the alias "
                       f"{settings.alias}; expected one that the gate registered, or `deploy.py` "
                       "promoted.")
    return version.uri
