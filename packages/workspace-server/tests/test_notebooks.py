"""What becomes a notebook, by both of the ways in which files arrive, and how it is exported."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotImplemented, ResourceDoesNotExist
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

from runs_in_workspace import HOME
from workspace_server import Workspace

PYTHON = b"# Databricks notebook source\nprint(1)\n"
JUPYTER = b'{"cells": [], "metadata": {"language_info": {"name": "scala"}}, "nbformat": 4}'
# The file's name, its content; the node's name, its language (none: a file).
ARRIVING = [
    ("a.py", PYTHON, "a", "PYTHON"), ("b.py", PYTHON.replace(b"\n", b"\r\n"), "b", "PYTHON"),
    ("c.r", PYTHON, "c", "R"), ("d.R", PYTHON, "d", "R"),
    ("e.sql", b"-- Databricks notebook source\nSELECT 1", "e", "SQL"),
    ("f.scala", b"// Databricks notebook source", "f", "SCALA"),
    ("g.ipynb", JUPYTER, "g", "SCALA"), ("h.ipynb", b"{}", "h", "PYTHON"),
    ("i.py", b"print(1)\n", "i.py", ""), ("j.txt", PYTHON, "j.txt", ""), ("k", PYTHON, "k", ""),
    ("l.sql", b"SELECT 1", "l.sql", ""), ("m.py", b"", "m.py", ""),
    ("n.py", b"\n" + PYTHON, "n.py", ""), ("o.x.py", PYTHON, "o.x", "PYTHON")]


def node(client: WorkspaceClient, path: str) -> tuple[str, str]:
    about = client.workspace.get_status(path)
    assert about.object_type
    return about.object_type.value, about.language.value if about.language else ""


def import_file(workspace: Workspace, path: str, content: bytes, **query: str
                ) -> requests.Response:
    """As the CLI writes files: the path is one escaped word of the address."""
    address = f"{workspace.host}/api/2.0/workspace-files/import-file/{quote(path[1:], safe='')}"
    return requests.post(address, data=content, params=query, timeout=60,
                         headers={"Authorization": f"Bearer {workspace.token()}"})


@pytest.mark.parametrize(("file", "content", "name", "language"), ARRIVING)
def test_the_format_auto_makes(file: str, content: bytes, name: str, language: str,
                               client: WorkspaceClient) -> None:
    folder = f"{HOME}/auto"
    client.workspace.mkdirs(folder)
    client.workspace.upload(f"{folder}/{file}", io.BytesIO(content), format=ImportFormat.AUTO)
    assert node(client, f"{folder}/{name}") == ("NOTEBOOK" if language else "FILE", language)
    assert client.workspace.download(f"{folder}/{name}", format=ExportFormat.AUTO
                                     ).read() == content


@pytest.mark.parametrize(("file", "content", "name", "language"), ARRIVING)
def test_import_file_makes(file: str, content: bytes, name: str, language: str,
                           client: WorkspaceClient, workspace: Workspace) -> None:
    folder = f"{HOME}/import-file"
    client.workspace.mkdirs(folder)
    assert import_file(workspace, f"{folder}/{file}", content).status_code == 200
    assert node(client, f"{folder}/{name}") == ("NOTEBOOK" if language else "FILE", language)


def test_import_file_says_what_is_in_its_way(client: WorkspaceClient,
                                             workspace: Workspace) -> None:
    folder = f"{HOME}/way"
    missing = import_file(workspace, f"{folder}/a.py", PYTHON)
    assert (missing.status_code, missing.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    client.workspace.mkdirs(folder)
    import_file(workspace, f"{folder}/a.py", PYTHON)
    again = import_file(workspace, f"{folder}/a.py", PYTHON, overwrite="false")
    assert (again.status_code, again.json()["error_code"]) == (409, "ALREADY_EXISTS")
    assert import_file(workspace, f"{folder}/a.py", PYTHON, overwrite="true").status_code == 200
    other = import_file(workspace, f"{folder}/a", b"a file", overwrite="true")
    assert (other.status_code, "type mismatch" in other.json()["message"]) == (400, True)


def test_a_source_is_a_notebook_under_the_name_as_given(client: WorkspaceClient) -> None:
    path = f"{HOME}/source.py"
    client.workspace.upload(path, io.BytesIO(b"print(1)\n"), language=Language.PYTHON)
    assert node(client, path) == ("NOTEBOOK", "PYTHON")
    assert client.workspace.download(path).read() == PYTHON
    exported = client.workspace.export(path, format=ExportFormat.SOURCE)
    assert exported.file_type == "py"


def test_a_raw_file_stays_a_file_whatever_it_holds(client: WorkspaceClient) -> None:
    client.workspace.upload(f"{HOME}/raw.py", io.BytesIO(PYTHON), format=ImportFormat.RAW)
    assert node(client, f"{HOME}/raw.py") == ("FILE", "")


def test_an_export_of_a_notebook_reports_its_format_when_asked(
        client: WorkspaceClient) -> None:
    for name, content, format_ in (("j.ipynb", JUPYTER, "JUPYTER"), ("p.py", PYTHON, "SOURCE")):
        client.workspace.upload(f"{HOME}/told-{name}", io.BytesIO(content), overwrite=True,
                                format=ImportFormat.AUTO)
        path = f"{HOME}/told-{name.partition('.')[0]}"
        about = client.api_client.do("GET", "/api/2.0/workspace/get-status", query={
            "path": path, "return_export_info": "true"})
        assert isinstance(about, dict) and about["repos_export_format"] == format_


@pytest.mark.parametrize(("body", "error"), [
    ({"format": "SOURCE"}, InvalidParameterValue), ({"format": "OTHER"}, InvalidParameterValue),
    ({"format": "SOURCE", "language": "COBOL"}, InvalidParameterValue),
    ({"format": "AUTO", "path": f"{HOME}/bad.ipynb"}, InvalidParameterValue),
    ({"format": "DBC"}, NotImplemented), ({"format": "JUPYTER"}, NotImplemented),
    ({"format": "HTML"}, NotImplemented), ({"format": "RAW", "other": 1}, NotImplemented),
    ({"format": "RAW", "path": "/none/a"}, ResourceDoesNotExist)])
def test_an_import_is_refused_with(body: dict[str, Any], error: type[Exception],
                                   client: WorkspaceClient) -> None:
    with pytest.raises(error):
        client.api_client.do("POST", "/api/2.0/workspace/import", body={
            "path": f"{HOME}/refused", "content": "YQ==", **body})


def test_what_an_export_cannot_give_is_refused(client: WorkspaceClient) -> None:
    client.workspace.upload(f"{HOME}/out.py", io.BytesIO(PYTHON), overwrite=True,
                            format=ImportFormat.AUTO)
    for format_ in (ExportFormat.JUPYTER, ExportFormat.HTML, ExportFormat.DBC):
        with pytest.raises(NotImplemented):
            client.workspace.export(f"{HOME}/out", format=format_)
    with pytest.raises(NotImplemented, match="DIRECTORY"):
        client.workspace.export(HOME)
    assert client.workspace.get_status(f"{HOME}/out").object_type is ObjectType.NOTEBOOK
