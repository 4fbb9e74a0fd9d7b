"""What kubectl says, as errors; the clusters of `support.api_server` answer the rest."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from branchline.errors import (BadInput, BranchlineError, NotAllowed, NotInstalled, NotSignedIn,
                               Unreachable)
from branchline.kubernetes.kubectl import Kubectl, kustomize
from branchline.kubernetes.manifests import rendered
from support.clone import ROOT
from support.processes import free_port

SERVICE = "fraud-scoring-service"


def test_an_unknown_context_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("apiVersion: v1\nkind: Config\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(BadInput, match="cluster mars: kubectl says: .*context"):
        Kubectl("mars").run("get", "pods")


def test_a_cluster_that_does_not_answer_is_unreachable(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(
        "apiVersion: v1\nkind: Config\nclusters: [{name: mars, cluster: {server: "
        f"'http://127.0.0.1:{free_port()}'}}}}]\ncontexts: [{{name: mars, context: {{cluster: "
        "mars, user: me}}]\nusers: [{name: me, user: {}}]\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(Unreachable, match="cluster mars: kubectl says: "):
        Kubectl("mars").run("get", "pods")


@pytest.mark.parametrize(("said", "expected"), [
    ("error: You must be logged in to the server (Unauthorized)", NotSignedIn),
    ('Error from server (Forbidden): pods is forbidden: User "ci" cannot list', NotAllowed),
    ("Error from server (BadRequest): strict decoding error: unknown field spec.x", BadInput),
    ("Unable to connect to the server: net/http: TLS handshake timeout", Unreachable)])
def test_what_kubectl_says_tells_the_kind_of_error(
        said: str, expected: type[BranchlineError], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit({said!r})\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(expected):
        Kubectl("mars").run("get", "pods")


def test_without_kubectl_the_message_says_how_to_get_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="kubectl: not found in PATH; install it"):
        Kubectl("mars").run("get", "pods")


def test_the_image_of_the_service_is_replaced_by_its_digest() -> None:
    image = f"registry.example.com/x@sha256:{'b' * 64}"
    found = rendered(ROOT / "deploy" / SERVICE, "production", SERVICE, image)
    container = found[f"deployment/{SERVICE}"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == image
    assert {each["metadata"]["namespace"] for each in found.values()} == {"fraud-scoring"}


def test_an_overlay_that_is_missing_or_has_no_such_service_is_refused(tmp_path: Path) -> None:
    folder = ROOT / "deploy" / SERVICE
    with pytest.raises(BadInput, match="overlays/mars: has no kustomization.yaml"):
        rendered(folder, "mars", SERVICE, "x")
    with pytest.raises(BadInput, match="has no Deployment other with the image other"):
        rendered(folder, "production", "other", "x")
    (tmp_path / "kustomization.yaml").write_text("resources: [missing.yaml]\n")
    with pytest.raises(BadInput, match="kubectl says: .*missing.yaml"):
        kustomize(tmp_path)
    assert os.listdir(tmp_path) == ["kustomization.yaml"]
