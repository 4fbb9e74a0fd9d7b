"""Checks a run's compute: cluster, policy, runtime, and the wheels' requirements on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from branchline.config.targets import WorkspaceTarget
from branchline.errors import BadInput
from branchline.platforms.checks import Check, check
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.run_settings import settings_for_target
from branchline.platforms.databricks.runtimes import Runtime, added, for_spark_version, unmet
from branchline.platforms.databricks.workspace import Workspace
from branchline.wheels.distributions import distributions
from branchline.wheels.required import requirements

__all__ = ["check_compute"]


def check_compute(client: Workspace, target: WorkspaceTarget, root: Path) -> Iterable[Check]:
    """Findings about the compute that the target names, and about the wheels on its runtime."""
    compute = target.compute
    if compute.existing_cluster_id:
        yield check("cluster", partial(_running, client, compute.existing_cluster_id))
    if compute.policy_id:
        yield check("policy", partial(_policy, client, compute.policy_id))
    if compute.serverless:
        yield check("serverless", lambda: f"environment version {compute.serverless}")
        yield from _libraries(root, f"serverless-{compute.serverless}",
                              Runtime.read(f"serverless-{compute.serverless}"))
    if compute.cluster:
        try:
            cluster = settings_for_target(target, root, root).new_cluster or {}
        except BadInput as problem:
            yield Check(compute.cluster, str(problem), "correct the file", blocking=True)
            return
        yield check(compute.cluster, partial(_new_cluster, client, cluster))
        yield _single_node(compute.cluster, cluster)
        key = str(cluster["spark_version"])
        yield from _libraries(root, key, for_spark_version(key))


def _running(client: Workspace, cluster: str) -> str:
    with translated(f"cluster {cluster}"):
        found = client.clusters.get(cluster)
    return f"{found.cluster_name}, {found.state.value if found.state else 'unknown'}"


def _policy(client: Workspace, policy: str) -> str:
    with translated(f"policy {policy}"):
        return client.cluster_policies.get(policy).name or policy


def _new_cluster(client: Workspace, cluster: Mapping[str, Any]) -> str:
    """Runtime and node type are among those that the workspace offers."""
    with translated("node types and runtimes"):
        runtimes = [each.key for each in client.clusters.spark_versions().versions or []]
        nodes = [each.node_type_id for each in client.clusters.list_node_types().node_types or []]
    for name, offered in (("spark_version", runtimes), ("node_type_id", nodes)):
        if cluster.get(name) and cluster[name] not in offered:
            raise BadInput(f"{name} is {cluster[name]!r}, which the workspace does not offer; "
                           f"choose one of {', '.join(map(str, offered[:6]))}, ...")
    return f"{cluster['spark_version']} on {cluster.get('node_type_id', 'an instance pool')}"


def _single_node(name: str, cluster: Mapping[str, Any]) -> Check:
    single = cluster.get("num_workers") == 0
    conf, tags = cluster.get("spark_conf", {}), cluster.get("custom_tags", {})
    complete = (conf.get("spark.databricks.cluster.profile") == "singleNode"
                and str(conf.get("spark.master", "")).startswith("local")
                and tags.get("ResourceClass") == "SingleNode")
    if single and not complete and not cluster.get("policy_id"):
        return Check(f"{name}, size", "no workers, but not marked as a single node",
                     "add spark_conf spark.databricks.cluster.profile=singleNode and "
                     "spark.master=local[*], and custom_tags ResourceClass=SingleNode",
                     blocking=True)
    return Check(f"{name}, size", "a single node" if single else "with workers")


def _libraries(root: Path, name: str, runtime: Runtime | None) -> Iterable[Check]:
    """The wheels' requirements against the runtime's versions, which pip would replace."""
    if runtime is None:
        yield Check("runtime", f"nothing is known of {name}", "prefer an LTS runtime: `make "
                    "test-runtime` tests those")
        return
    try:
        needed = requirements(root)
        pythons = {str(one.table.get("requires-python", "")) for one in distributions(root)}
    except BadInput as problem:
        yield Check("libraries", str(problem), blocking=True)
        return
    conflicts = unmet(needed, runtime, ",".join(sorted(pythons - {""})))
    yield Check("libraries", "; ".join(conflicts) or f"the wheels run with the libraries of "
                                                     f"{runtime.name}",
                "choose a newer runtime, or relax the requirements in pyproject.toml" if conflicts
                else "",
                blocking=bool(conflicts))
    if more := added(needed, runtime):
        yield Check("libraries", f"{runtime.name} lacks {', '.join(more)}",
                    "pip installs them at the start of each run, which takes a moment")
