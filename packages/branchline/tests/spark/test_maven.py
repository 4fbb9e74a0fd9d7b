"""Delta's jars by a company's mirror and proxies, which a server of this machine plays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from branchline.errors import NotInstalled
from branchline.spark.jars import jars_of
from branchline.spark.maven import proxy_options
from support.file_server import FileServer

POM = ('<project><modelVersion>4.0.0</modelVersion><groupId>io.delta</groupId>'
       '<artifactId>delta-spark_4.1_2.13</artifactId><version>9.9.9</version></project>')
NAME = "delta-spark_4.1_2.13-9.9.9"
VARIABLES = [f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")]


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[FileServer]:
    folder = tmp_path / "served" / "maven" / "io" / "delta" / "delta-spark_4.1_2.13" / "9.9.9"
    folder.mkdir(parents=True)
    (folder / f"{NAME}.pom").write_text(POM)
    (folder / f"{NAME}.jar").write_bytes(b"a jar of the mirror")
    with FileServer.of(tmp_path / "served") as server:
        yield server


fetched = partial(jars_of, "4.1.4", "9.9.9")


def test_jars_come_from_the_mirror_that_the_variable_names(
        repository: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_MAVEN_MIRROR", f"{repository.address}/maven")
    assert [jar.name for jar in fetched()] == [f"{NAME}.jar"]
    assert fetched()[0].read_bytes() == b"a jar of the mirror"


def test_jars_come_through_the_proxy_that_the_variables_name(
        repository: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_MAVEN_MIRROR", "http://maven.example/maven")
    monkeypatch.setenv("http_proxy", repository.address)
    assert [jar.name for jar in fetched()] == [f"{NAME}.jar"]
    assert any(asked.startswith("http://maven.example/maven/io/") for asked in repository.asked)


def test_a_mirror_that_lacks_the_jars_is_an_error_that_names_the_way_out(
        repository: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_MAVEN_MIRROR", f"{repository.address}/empty")
    with pytest.raises(NotInstalled, match="9.9.9.*docs/setup.md"):
        fetched()


@pytest.mark.parametrize(("variables", "options"), [
    ({}, []),
    ({"HTTPS_PROXY": "http://proxy.example:3128"},
     ["-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=3128"]),
    ({"http_proxy": "proxy.example:81"}, ["-Dhttp.proxyHost=proxy.example", "-Dhttp.proxyPort=81"]),
    ({"https_proxy": "http://me:secret@proxy.example"},
     ["-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=80"]),
    ({"NO_PROXY": "localhost, .example.com,*"},
     ["-Dhttp.nonProxyHosts=localhost|*.localhost|example.com|*.example.com|*"]),
], ids=["none", "https", "without a scheme", "with a password", "exceptions"])
def test_javas_options_say_what_the_proxy_variables_say(
        variables: dict[str, str], options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_options() == options
