"""The model registry: versions with the tags of their run, and the aliases on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

__all__ = ["CHALLENGER", "CHAMPION", "Registered", "Registry"]

CHALLENGER, CHAMPION = "challenger", "champion"
MISSING = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
TAG = 1000  # characters of a value in Unity Catalog
THERE = ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS")


@dataclass(frozen=True)
class Registered:
    """A version of a registered model, with its tags and the run that logged it."""

    name: str
    version: str
    run_id: str | None
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True)
class Registry:
    """The model registry of a tracking store.

    Every method raises BadInput, NotAllowed or Unreachable as `answers.answered` does.
    """

    tracking: Tracking

    def champion(self, name: str) -> Registered | None:
        """The version in production; None before the first deployment."""
        return self.aliased(name, CHAMPION)

    def aliased(self, name: str, alias: str) -> Registered | None:
        """The version that an alias points to; None without such an alias or model."""
        from mlflow.exceptions import MlflowException
        client = self.tracking.client()
        with answered(f"registered model {name}"):
            try:
                version = client.get_registered_model(name).aliases.get(alias)
                return _registered(client.get_model_version(name, version)) if version else None
            except MlflowException as problem:
                if problem.error_code not in MISSING:
                    raise
                return None

    def register(self, name: str, model_id: str, run_id: str,
                 tags: Mapping[str, str]) -> Registered:
        """Register a run's logged model if it is not registered yet, and tag the version.

        Args:
            tags: keys of letters, digits and `_`, the only ones that every registry accepts; values
                are stripped and cut at 1000 characters.
        """
        client = self.tracking.client()
        with answered(f"registered model {name}"):
            version = self.of_run(name, run_id)
            if version is None:
                self._create(name)
                version = str(client.create_model_version(
                    name, f"models:/{model_id}", run_id, model_id=model_id).version)
            for key, value in tags.items():
                client.set_model_version_tag(name, version, key, value[:TAG].strip())
            return _registered(client.get_model_version(name, version))

    def challenge(self, name: str, version: str) -> None:
        """Make a version the challenger: the one that main offers for deployment."""
        self._point(name, CHALLENGER, version)

    def promote(self, name: str, version: str) -> None:
        """Make a version the champion: the one in production. Deployment alone does this."""
        self._point(name, CHAMPION, version)

    def demote(self, name: str) -> None:
        """Leave the model without a champion."""
        with answered(f"alias {CHAMPION} of {name}"):
            self.tracking.client().delete_registered_model_alias(name, CHAMPION)

    def of_run(self, name: str, run_id: str) -> str | None:
        """The newest version of a run's model; unfinished uploads do not count."""
        with answered(f"registered model {name}"):
            found = [int(each.version) for each in self._versions(name)
                     if each.run_id == run_id and each.status == "READY"]
        return str(max(found)) if found else None

    def _versions(self, name: str) -> list[ModelVersion]:
        import mlflow
        from mlflow.exceptions import MlflowException
        try:  # Unity Catalog accepts no other filter, and only in exactly this form
            return list(mlflow.search_model_versions(filter_string=f"name = '{name}'"))
        except MlflowException as problem:
            if problem.error_code not in MISSING:
                raise
            return []

    def _point(self, name: str, alias: str, version: str) -> None:
        client = self.tracking.client()
        with answered(f"alias {alias} of {name} version {version}"):
            client.set_registered_model_alias(name, alias, version)

    def _create(self, name: str) -> None:
        from mlflow.exceptions import MlflowException
        try:
            self.tracking.client().create_registered_model(name)
        except MlflowException as problem:
            if problem.error_code not in THERE:
                raise


def _registered(found: ModelVersion) -> Registered:
    return Registered(found.name, str(found.version), found.run_id or None, dict(found.tags))
