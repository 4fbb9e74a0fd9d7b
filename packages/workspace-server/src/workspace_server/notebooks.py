"""Tells notebooks from files: the formats of workspace/import and workspace/export."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from workspace_server.errors import invalid, not_emulated

LANGUAGES = {".py": "PYTHON", ".r": "R", ".scala": "SCALA", ".sql": "SQL"}
COMMENTS = {"PYTHON": "#", "R": "#", "SCALA": "//", "SQL": "--"}
OTHER_FORMATS = ("HTML", "DBC", "R_MARKDOWN", "JUPYTER")


@dataclass(frozen=True)
class Arrived:
    """A node as it is stored: its path, whether FILE or NOTEBOOK, and a notebook's language."""

    path: str
    kind: str
    language: str = ""


def header(language: str) -> bytes:
    """The first line of a notebook's source."""
    return f"{COMMENTS[language]} Databricks notebook source".encode()


def arrived(path: str, content: bytes, format_: str, language: str) -> Arrived:
    """The node that an import makes of a file.

    Raises:
        ApiError: 400, a source without a language, or an unknown format; 501, another format.
    """
    if format_ == "AUTO":
        return by_content(path, content)
    if format_ == "RAW":
        return Arrived(path, "FILE")
    if format_ in OTHER_FORMATS:
        raise not_emulated(f"workspace/import: format {format_}")
    if format_ != "SOURCE":
        raise invalid(f"Unsupported import format {format_}.")
    if not language:
        raise invalid("The zip archive contains no items.")
    if language not in COMMENTS:
        raise invalid(f"Unsupported language {language}.")
    return Arrived(path, "NOTEBOOK", language)


def by_content(path: str, content: bytes) -> Arrived:
    """As with the format AUTO: a notebook loses its suffix, anything else is a file."""
    suffix = PurePosixPath(path).suffix
    language = LANGUAGES.get(suffix.lower(), "")
    if suffix.lower() == ".ipynb":
        language = _kernel(content)
    elif content.split(b"\n", 1)[0].strip() != (header(language) if language else None):
        return Arrived(path, "FILE")
    return Arrived(path[:-len(suffix)], "NOTEBOOK", language)


def _kernel(content: bytes) -> str:
    """The language of a Jupyter notebook."""
    try:
        about = json.loads(content).get("metadata", {})
    except (ValueError, AttributeError):
        raise invalid("The notebook is not valid JSON.") from None
    name = str(about.get("language_info", {}).get("name", "python")).upper()
    return name if name in COMMENTS else "PYTHON"


def is_jupyter(content: bytes) -> bool:
    return content.lstrip()[:1] == b"{"


def exported(content: bytes, language: str, format_: str) -> bytes:
    """A node as an export returns it; `language` is empty for a file.

    Raises:
        ApiError: 501, another format than the stored one.
    """
    wanted = format_ or "SOURCE"
    if wanted in ("AUTO", "RAW") or (wanted == "SOURCE" and not language):
        return content
    if (wanted == "JUPYTER") != is_jupyter(content) or wanted not in ("SOURCE", "JUPYTER"):
        raise not_emulated(f"workspace/export: format {wanted} of what was imported otherwise")
    if wanted == "JUPYTER" or content.startswith(header(language)):
        return content
    return header(language) + b"\n" + content
