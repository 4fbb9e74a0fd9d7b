"""What a run needs of a workspace, looked at before any money is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.catalog import SecurableType

from branchline.config.targets import WorkspaceTarget
from branchline.errors import BadInput, NotAllowed
from branchline.platforms.checks import Check, check
from branchline.platforms.databricks.client import connect, translated
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.run_settings import settings_for_target
from branchline.platforms.databricks.runtimes import Runtime, added, for_spark_version, unmet
from branchline.wheels.distributions import distributions
from branchline.wheels.required import requirements

__all__ = ["check_workspace"]

ON_CATALOG = {"USE_CATALOG", "CREATE_SCHEMA"}
ALL = "ALL_PRIVILEGES"


def check_workspace(target: WorkspaceTarget, root: Path) -> Iterable[Check]:
    """Findings about the target, one by one; without sign-in there is only that one."""
    try:
        client = connect(target.profile, target.host)
        with translated("sign-in"):
            me = client.current_user.me().user_name or ""
    except NotAllowed as problem:
        yield Check("sign-in", str(problem), "see docs/databricks.md, Setting it up", blocking=True)
        return
    yield Check("sign-in", f"{me} at {client.config.host}")
    yield check("experiments", partial(_experiments, client, target))
    catalog = check(f"catalog {target.catalog}", partial(_catalog, client, target.catalog, me))
    yield replace(catalog, remedy=_missing_catalog(client, target.catalog)
                  ) if catalog.blocking else catalog
    for what, address in (("volume", target.volume), ("wheels", target.wheels)):
        found = check(what, partial(_writable, client, address))
        yield replace(found, remedy=_remedy(client, address)) if found.blocking else found
    yield from _compute(client, target, root)


def _experiments(client: WorkspaceClient, target: WorkspaceTarget) -> str:
    """The folder is made on the first run, so that the nearest one that exists decides."""
    folder = target.experiment_root
    while folder.strip("/"):
        with translated(f"folder {folder}"):
            try:
                client.workspace.get_status(folder)
                break
            except NotFound:
                folder = folder.rpartition("/")[0]
    if not folder.strip("/"):
        raise BadInput(f"{target.experiment_root}: no folder of it exists; begin experiment_root "
                       "with /Shared or /Users/<you>.")
    probe = destination(f"/Workspace{target.experiment_root}/_files", client)
    _written(probe)
    return f"{target.experiment_root} can be written to"


def _catalog(client: WorkspaceClient, catalog: str, me: str) -> str:
    with translated(f"catalog {catalog}"):
        owner = client.catalogs.get(catalog).owner
        held = client.grants.get_effective(
            SecurableType.CATALOG.value, catalog, principal=me).privilege_assignments or []
    names = {privilege.privilege.value for each in held for privilege in each.privileges or []
             if privilege.privilege}
    missing = sorted(ON_CATALOG - names)
    if missing and ALL not in names and owner != me:
        rights = ", ".join(name.replace("_", " ") for name in missing)
        raise NotAllowed(f"{rights} is not granted; ask {owner} for GRANT {rights} ON CATALOG "
                         f"{catalog} TO `{me}`.")
    return "schemas can be made"


def _writable(client: WorkspaceClient, address: str) -> str:
    _written(destination(address, client))
    return f"{address} can be written to"


def _remedy(client: WorkspaceClient, address: str) -> str:
    """The command that makes what is missing of a volume; nothing where all of it is there."""
    parts = address.removeprefix("dbfs:").split("/")
    if parts[:2] != ["", "Volumes"] or len(parts) < 5:
        return ""
    catalog, schema, volume = parts[2:5]
    return (_missing_catalog(client, catalog)
            or _missing(partial(client.schemas.get, f"{catalog}.{schema}"),
                        f"databricks schemas create {schema} {catalog}")
            or _missing(partial(client.volumes.read, f"{catalog}.{schema}.{volume}"),
                        f"databricks volumes create {catalog} {schema} {volume} MANAGED"))


def _missing_catalog(client: WorkspaceClient, catalog: str) -> str:
    return _missing(partial(client.catalogs.get, catalog), f"databricks catalogs create {catalog}")


def _missing(look: Callable[[], Any], command: str) -> str:
    try:
        look()
    except NotFound:
        return f"make it, or have it made: {command}"
    except DatabricksError:  # whether it is there is not told to everybody
        return ""
    return ""


def _written(files: Any) -> None:
    probe = f"_doctor/{uuid4().hex}"
    files.create(probe, b"written by doctor.py\n")
    files.delete(probe)
    files.delete_folder("_doctor")


def _compute(client: WorkspaceClient, target: WorkspaceTarget, root: Path) -> Iterable[Check]:
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


def _running(client: WorkspaceClient, cluster: str) -> str:
    with translated(f"cluster {cluster}"):
        found = client.clusters.get(cluster)
    return f"{found.cluster_name}, {found.state.value if found.state else 'unknown'}"


def _policy(client: WorkspaceClient, policy: str) -> str:
    with translated(f"policy {policy}"):
        return client.cluster_policies.get(policy).name or policy


def _new_cluster(client: WorkspaceClient, cluster: Mapping[str, Any]) -> str:
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
        return Check(f"{name}, size", "no workers, and not said to be a single node",
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
    yield Check("libraries", "; ".join(conflicts) or f"the wheels run on those of {runtime.name}",
                "choose a newer runtime, or widen what pyproject.toml requires" if conflicts
                else "",
                blocking=bool(conflicts))
    if more := added(needed, runtime):
        yield Check("libraries", f"{runtime.name} lacks {', '.join(more)}",
                    "pip installs them at the start of each run, which takes a moment")
