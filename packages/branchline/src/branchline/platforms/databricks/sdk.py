"""databricks-sdk without the import of all its services, which takes longer than a submission."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType

__all__ = ["without_services"]

PACKAGE = "databricks.sdk"


def without_services() -> None:
    """Make the modules of databricks.sdk importable one by one.

    Importing any of them runs the package's own `__init__` first, which imports every service for
    WorkspaceClient. Here it runs once somebody asks for what it defines, as MLflow does for
    WorkspaceClient. Nothing changes if the package is already imported.
    """
    spec = find_spec(PACKAGE)
    if PACKAGE in sys.modules or spec is None:
        return
    package = module_from_spec(spec)
    package.__getattr__ = lambda name: _of_whole(package, name)  # type: ignore[method-assign]
    sys.modules[PACKAGE] = package
    sys.modules["databricks"].sdk = package  # type: ignore[attr-defined]


def _of_whole(package: ModuleType, name: str) -> object:
    """An attribute of the package that only its `__init__` defines."""
    if name.startswith("__") or find_spec(f"{PACKAGE}.{name}"):  # not there, or to be imported
        raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}", name=name)
    spec = package.__spec__
    if "__getattr__" in vars(package) and spec and spec.loader:
        del package.__getattr__
        spec.loader.exec_module(package)
    return getattr(package, name)
