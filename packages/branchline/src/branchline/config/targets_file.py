"""targets.yml: reads a target, and checks every key of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from branchline.config.kafka_file import block, secret_variables
from branchline.config.targets import SERVERLESS, Compute, LocalTarget, Target, WorkspaceTarget
from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.errors import BadInput

__all__ = ["read_target"]

KAFKA = "kafka"
LONGEST = 366 * 24 * 60  # minutes


def read_target(path: Path, name: str) -> Target:
    """The target called `name` in targets.yml.

    Raises:
        BadInput: no such target, or one with a missing, unknown or invalid key; the text has its
            line.
    """
    found = read_yaml(path)
    if name not in found.values:
        raise BadInput(f"target {name} is not in {path.name}; found "
                       f"{', '.join(found.values) or 'none'}.")
    mapping = found.below(name)
    return _local(name, mapping) if "tracking_uri" in mapping.values else _workspace(name, mapping)


def _local(name: str, mapping: YamlMapping) -> LocalTarget:
    mapping.check_keys(f"target {name}", LocalTarget)
    texts = {key: mapping.text(key) for key in mapping.values if key != KAFKA}
    return LocalTarget(name, **texts, **_kafka(mapping))


def _workspace(name: str, mapping: YamlMapping) -> WorkspaceTarget:
    mapping.check_keys(f"target {name}", WorkspaceTarget)
    values = dict(mapping.values)
    for key in values.keys() - {"compute", "permissions", "tags", "parameters", KAFKA,
                                "timeout_minutes", "connect_seconds", "outage_minutes"}:
        values[key] = mapping.text(key, may_be_empty=key == "schema_prefix")
    values["compute"] = _compute(mapping)
    values["permissions"] = _permissions(mapping)
    values["tags"], values["parameters"] = mapping.texts("tags"), mapping.texts("parameters")
    for key, most, meaning in (("timeout_minutes", LONGEST, "minutes, or 0 for none"),
                               ("connect_seconds", 3600, "seconds"),
                               ("outage_minutes", LONGEST, "minutes")):
        if key in values:
            values[key] = _whole(mapping, key, most, meaning)
    values |= _kafka(mapping)
    if secret_variables(values.get(KAFKA, "")) and values["compute"].cluster is None:
        raise mapping.below(KAFKA).wrong(
            "password_secret needs compute: {cluster: ...}: only a new cluster gets variables "
            "from secrets.", "password_secret")
    if values.get("profile") and values.get("host"):
        raise mapping.wrong(f"target {name} has both profile and host; expected one of them.",
                            "host")
    return WorkspaceTarget(name, **values)


def _kafka(mapping: YamlMapping) -> dict[str, str]:
    return {KAFKA: block(mapping.below(KAFKA))} if KAFKA in mapping.values else {}


def _whole(mapping: YamlMapping, key: str, most: int, meaning: str) -> int:
    number = mapping.values[key]
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise mapping.unfit(key, f"a whole number of at most {most:,}: {meaning}")
    return number


def _permissions(mapping: YamlMapping) -> tuple[Mapping[str, str], ...]:
    value = mapping.values.get("permissions", [])
    if not isinstance(value, list) or not all(
            isinstance(item, dict) and "permission_level" in item
            and all(isinstance(text, str) and text for text in item.values()) for item in value):
        raise mapping.unfit("permissions", "a list such as - {group_name: data-science, "
                            "permission_level: CAN_VIEW}")
    return tuple(value)


def _compute(mapping: YamlMapping) -> Compute:
    value = mapping.values["compute"]
    if value == "serverless":
        return Compute(serverless=SERVERLESS)
    known = [setting.name for setting in fields(Compute)]
    if not isinstance(value, dict) or not value.keys() <= set(known):
        raise mapping.unfit("compute", f"`serverless`, or some of {', '.join(known)}")
    compute = Compute(**mapping.texts("compute"))
    if len(compute.kinds) != 1:
        raise mapping.wrong(f"compute has {' and '.join(compute.kinds) or 'neither'}; expected one "
                            "of cluster, existing_cluster_id and serverless.", "compute")
    return compute
