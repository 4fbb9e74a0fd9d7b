"""A stand-in for a cluster: what kubectl asks an API server for, and pods that are processes here.

It is no Kubernetes. It keeps objects in memory, without admission, defaults, quotas or roles;
server-side apply takes the place of the whole object. Of the controllers it has those of
Deployments (a rolling update of all pods at once, which has failed when a pod refused some probes)
and jobs; an image is a model's folder that the service is started with, a pod an address of
127.0.0.0/8, a Service the newest ready pod that it selects. Probes, requests, logs, exit codes and
metrics are real.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from support.clone import ROOT

__all__ = ["StandIn", "clusters"]

KINDS = {  # group and version: plural to kind
    "v1": {"configmaps": "ConfigMap", "pods": "Pod", "secrets": "Secret", "services": "Service",
           "serviceaccounts": "ServiceAccount"},
    "apps/v1": {"deployments": "Deployment"}, "batch/v1": {"jobs": "Job"},
    "autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "networking.k8s.io/v1": {"ingresses": "Ingress", "networkpolicies": "NetworkPolicy"}}
REFUSALS = 5  # of a readiness probe; then a roll-out has failed, long before its deadline
Object = dict[str, Any]


@dataclass
class Pod:
    """A container as a process; `manifest` is what kubectl is shown."""

    manifest: Object
    process: subprocess.Popen[str]
    log: Path
    port: int
    refusals: int = 0

    @property
    def address(self) -> str:
        return f"http://{self.manifest['status']['podIP']}:{self.port}"


@dataclass
class StandIn:
    """The objects and pods of one cluster; `images` maps references to folders of models."""

    folder: Path
    images: Mapping[str, Path]
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    pods: list[Pod] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    network: str = field(default_factory=lambda: f"127.{random.randrange(1, 250)}."
                                                 f"{random.randrange(1, 250)}")
    started: int = 0

    def image(self, name: str) -> str | None:
        """The image of a Deployment; None if there is none."""
        found = next((each for (kind, _, key), each in self.objects.items()
                      if (kind, key) == ("deployments", name)), None)
        return found and str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    def addresses(self, name: str) -> list[str]:
        """The addresses of a service's ready pods."""
        return [pod.address for pod in list(self.pods) if _ready(pod.manifest) and
                pod.manifest["metadata"]["labels"].get("app.kubernetes.io/name") == name]

    def put(self, plural: str, namespace: str, given: Object) -> Object:
        name = given["metadata"]["name"]
        with self.lock:
            before = self.objects.get((plural, namespace, name), {})
            metadata = {**before.get("metadata", {}), **given["metadata"], "namespace": namespace}
            changed = before.get("spec") != given.get("spec")
            metadata["generation"] = metadata.get("generation", 0) + changed
            metadata.setdefault("uid", f"{plural}-{namespace}-{name}-{time.monotonic_ns()}")
            made = {**given, "metadata": metadata, "status": before.get("status", {})}
            self.objects[plural, namespace, name] = made
            return made

    def delete(self, plural: str, namespace: str, name: str) -> Object | None:
        with self.lock:
            found = self.objects.pop((plural, namespace, name), None)
            for pod in [pod for pod in self.pods if found
                        and pod.manifest["metadata"]["owner"] == found["metadata"]["uid"]]:
                self._stop(pod)
            return found

    def control(self) -> None:
        """One round of the controllers."""
        with self.lock:
            for pod in self.pods:
                _observe(pod)
            for (plural, namespace, _), found in list(self.objects.items()):
                if plural == "deployments":
                    self._roll_out(namespace, found)
                elif plural == "jobs":
                    self._finish(namespace, found)

    def stop(self) -> None:
        with self.lock:
            for pod in list(self.pods):
                self._stop(pod)

    def _roll_out(self, namespace: str, found: Object) -> None:
        spec, status = found["spec"], found["status"]
        template, uid = json.dumps(spec["template"], sort_keys=True), found["metadata"]["uid"]
        own = [pod for pod in self.pods if pod.manifest["metadata"]["owner"] == uid]
        new = [pod for pod in own if pod.manifest["metadata"]["template"] == template]
        wanted = self._replicas(namespace, found)
        for _ in range(wanted - len(new)):
            new.append(self._start(namespace, found, template))
        ready = [pod for pod in new if _ready(pod.manifest)]
        if len(ready) == wanted:
            for pod in [pod for pod in own if pod not in new] + new[wanted:]:
                self._stop(pod)
        late = any(pod.refusals >= REFUSALS or pod.process.poll() is not None for pod in new)
        found["spec"].setdefault("replicas", wanted)
        found["status"] = {
            **status, "observedGeneration": found["metadata"]["generation"],
            "replicas": sum(pod.manifest["metadata"]["owner"] == uid for pod in self.pods),
            "updatedReplicas": len(new), "availableReplicas": len(ready),
            "conditions": [{"type": "Progressing", "status": "False",
                            "reason": "ProgressDeadlineExceeded"}] if late and len(
                                ready) < wanted else []}

    def _replicas(self, namespace: str, found: Object) -> int:
        """As the autoscaler of the Deployment says at least, else the Deployment itself."""
        name = found["metadata"]["name"]
        scaler = self.objects.get(("horizontalpodautoscalers", namespace, name))
        return int(scaler["spec"]["minReplicas"] if scaler else found["spec"].get("replicas", 1))

    def _finish(self, namespace: str, found: Object) -> None:
        own = [pod for pod in self.pods
               if pod.manifest["metadata"]["owner"] == found["metadata"]["uid"]]
        if not own:
            self._start(namespace, found, "")
        elif (code := own[0].process.poll()) is not None:
            found["status"]["failed" if code else "succeeded"] = 1

    def _start(self, namespace: str, owner: Object, template: str) -> Pod:
        self.started += 1
        name, inside = owner["metadata"]["name"], owner["spec"]["template"]
        container, address = inside["spec"]["containers"][0], f"{self.network}.{self.started}"
        model = self.images[container["image"]]
        port = container.get("ports", [{"containerPort": 8080}])[0]["containerPort"]
        command = [sys.executable, "-m", "branchline.cli.main", "serve",
                   "support.light_service:open_service", "--host", address, "--port", str(port)]
        if "command" in container:
            command = [sys.executable, *(self._resolved(word) for word in container["command"][1:])]
        log = self.folder / f"{name}-{self.started}.log"
        environment = {
            **os.environ, **self._variables(namespace, container), "BRANCHLINE_MODEL": str(model),
            "BRANCHLINE_SERVICE": "support.light_service:open_service", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "packages/branchline/tests")])}
        with log.open("w") as output:
            process = subprocess.Popen(command, env=environment, text=True, stdout=output,
                                       stderr=subprocess.STDOUT, cwd=self.folder)
        labels = {**inside["metadata"]["labels"],
                  **({} if template else {"job-name": name})}
        pod = Pod({"apiVersion": "v1", "kind": "Pod", "spec": inside["spec"], "metadata": {
            "name": f"{name}-{self.started}", "namespace": namespace, "labels": labels,
            "uid": f"pod-{self.started}", "owner": owner["metadata"]["uid"],
            "template": template}, "status": {"podIP": address, "phase": "Running"}},
            process, log, port)
        self.pods.append(pod)
        return pod

    def _variables(self, namespace: str, container: Object) -> dict[str, str]:
        found = {}
        for each in container.get("env", ()):
            wanted = each.get("valueFrom", {}).get("secretKeyRef")
            if wanted is None:
                found[each["name"]] = each["value"]
            elif wanted["key"] != "store":  # these services have none
                secret = self.objects["secrets", namespace, wanted["name"]]
                found[each["name"]] = secret["stringData"][wanted["key"]]
        return found

    def _resolved(self, word: str) -> str:
        """The cluster's DNS and its Services: an address of one in a word is that of a pod."""
        parts = urlsplit(word)
        if not (parts.hostname or "").endswith(".svc"):
            return word
        name, namespace, _ = str(parts.hostname).split(".")
        service = self.objects["services", namespace, name]["spec"]
        chosen = [pod for pod in self.pods if _ready(pod.manifest) and service["selector"].items()
                  <= pod.manifest["metadata"]["labels"].items()]
        return chosen[-1].address if chosen else "http://127.0.0.1:9"

    def _stop(self, pod: Pod) -> None:
        self.pods.remove(pod)
        if pod.process.poll() is None:
            pod.process.send_signal(signal.SIGTERM)
        threading.Thread(target=pod.process.wait, daemon=True).start()


def _ready(manifest: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True"
               for each in manifest["status"].get("conditions", ()))


def _observe(pod: Pod) -> None:
    """The status of a pod, by its process and its readiness probe."""
    status, code = pod.manifest["status"], pod.process.poll()
    probe = pod.manifest["spec"]["containers"][0].get("readinessProbe")
    if code is not None:
        status["phase"] = "Failed" if code else "Succeeded"
        status["conditions"] = []
        status["containerStatuses"] = [{"state": {"terminated": {
            "exitCode": code, "reason": "Error" if code else "Completed",
            "message": pod.log.read_text()[-500:]}}}]
    elif probe and not _ready(pod.manifest):
        try:
            urllib.request.urlopen(pod.address + probe["httpGet"]["path"], timeout=2).close()
            status["conditions"] = [{"type": "Ready", "status": "True"}]
        except urllib.error.HTTPError:
            pod.refusals += 1
        except OSError:
            pass  # not started yet


class _Server(ThreadingHTTPServer):
    cluster: StandIn


class _Api(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path.startswith("/openapi"):
            return self._answer(_open_api(path.path))
        if path.path in ("/version", "/api", "/apis") or path.path.lstrip("/").removeprefix(
                "apis/").removeprefix("api/") in KINDS:
            return self._answer(_discovery(path.path))
        plural, namespace, name, rest = _place(path.path)
        self.server.cluster.control()
        with self.server.cluster.lock:
            if plural == "pods":
                return self._pods(name, rest, parse_qs(path.query))
            found = self.server.cluster.objects.get((plural, namespace, name))
            self._answer(found) if found else self._missing(plural, name)

    def do_PATCH(self) -> None:
        plural, namespace, _, _ = _place(urlsplit(self.path).path)
        with self.server.cluster.lock:
            self._answer(self.server.cluster.put(plural, namespace, self._body()))

    def do_POST(self) -> None:
        plural, namespace, _, _ = _place(urlsplit(self.path).path)
        self._answer(self.server.cluster.put(plural, namespace, self._body()), 201)

    def do_DELETE(self) -> None:
        plural, namespace, name, _ = _place(urlsplit(self.path).path)
        self._body()
        found = self.server.cluster.delete(plural, namespace, name)
        if found is None:
            return self._missing(plural, name)
        self._answer({"kind": "Status", "apiVersion": "v1", "status": "Success",
                      "details": {"name": name, "uid": found["metadata"]["uid"]}})

    def _pods(self, name: str, rest: str, query: dict[str, list[str]]) -> None:
        pods = self.server.cluster.pods
        if name:
            [pod] = [pod for pod in pods if pod.manifest["metadata"]["name"] == name]
            if rest == "log":
                return self._send(pod.log.read_bytes(), "text/plain", 200)
            return self._answer(pod.manifest)
        wanted = dict(part.split("=") for part in query["labelSelector"][0].split(","))
        self._answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [
            pod.manifest for pod in pods
            if wanted.items() <= pod.manifest["metadata"]["labels"].items()]})

    def _body(self) -> Object:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return dict(yaml.safe_load(content) or {})

    def _missing(self, plural: str, name: str) -> None:
        self._answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
                      "reason": "NotFound", "message": f'{plural} "{name}" not found'}, 404)

    def _answer(self, content: Object, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), "application/json", status)

    def _send(self, body: bytes, media: str, status: int) -> None:
        self.server.cluster.asked.append(f"{self.command} {self.path}")
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: tests look at `asked`."""


def _place(path: str) -> tuple[str, str, str, str]:
    """Plural, namespace, name and what follows, of /apis/GROUP/VERSION/namespaces/NS/PLURAL/..."""
    _, _, below = path.partition("/namespaces/")
    namespace, plural, name, rest = [*below.split("/"), "", "", ""][:4]
    return plural, namespace, name, rest


def _discovery(path: str) -> Object:
    if path == "/version":
        return {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    groups = [name for name in KINDS if "/" in name]
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": name.split("/")[0], "versions": [version], "preferredVersion": version}
            for name in groups
            for version in [{"groupVersion": name, "version": name.split("/")[1]}]]}
    version = path.removeprefix("/apis/").removeprefix("/api/")
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [
        {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind,
         "verbs": ["get", "list", "patch", "create", "delete"]}
        for plural, kind in KINDS[version].items()]}


def _open_api(path: str) -> Object:
    """That a patch can be validated by the server, which is all that kubectl looks for."""
    if path == "/openapi/v3":
        return {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in (
            f"api{'s' if '/' in version else ''}/{version}" for version in KINDS)}}
    name = path.removeprefix("/openapi/v3/")
    version = name.removeprefix("apis/").removeprefix("api/")
    group = version.split("/")[0] if "/" in version else ""
    return {"openapi": "3.0.0", "info": {"title": "stand-in", "version": "1"}, "paths": {
        f"/{name}/namespaces/{{namespace}}/{plural}/{{name}}": {"patch": {
            "x-kubernetes-group-version-kind": {
                "group": group, "version": version.split("/")[-1], "kind": kind},
            "parameters": [{"name": "fieldValidation", "in": "query"}],
            "responses": {"200": {"description": "OK"}}}}
        for plural, kind in KINDS[version].items()}}


@contextmanager
def clusters(folder: Path, images: Mapping[str, Path],
             *names: str) -> Iterator[tuple[Path, dict[str, StandIn]]]:
    """Clusters on loopback; yields a kubeconfig with their names as contexts, and the clusters."""
    servers = {}
    for name in names:
        server = servers[name] = _Server(("127.0.0.1", 0), _Api)
        server.daemon_threads = True
        (folder / name).mkdir(parents=True)
        server.cluster = StandIn(folder / name, images)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    config = folder / "kubeconfig"
    config.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "users": [{"name": "tester", "user": {}}],
        "clusters": [{"name": name, "cluster": {
            "server": f"http://127.0.0.1:{server.server_port}"}}
            for name, server in servers.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "tester"}}
                     for name in names]}))
    try:
        yield config, {name: server.cluster for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()
            server.cluster.stop()
            server.server_close()
