"""kafka.yml, or `kafka` of a target: how to reach Kafka, or a service with its protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.errors import BadInput, NotSet

__all__ = ["KafkaFile", "block", "secret_variables"]

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
GAPS = ("fail", "record")
SECRET = "password_secret"  # for a target that is a workspace
SCOPE_AND_KEY = re.compile(r"[\w.@-]+/[\w.-]+", re.ASCII)
# Keys whose client setting is not the key with dots.
NAMES = {"username": "sasl.username", "mechanism": "sasl.mechanism", "group": "group.id"}


@dataclass(frozen=True)
class KafkaFile:
    """The settings of Kafka's client (librdkafka's names), and what to do about lost offsets.

    `gaps`: if offsets are lost before they were taken, "fail" raises an error, "record" adds a row
    with a problem. The password is in `client`, which is never shown.
    """

    client: Mapping[str, str] = field(repr=False)
    gaps: Literal["fail", "record"] = "fail"

    @classmethod
    def read(cls, path: Path, environment: Mapping[str, str]) -> KafkaFile:
        """The settings of a file; the password is the value of the variable `password_variable`.

        Raises:
            BadInput: no such file, an unknown key, an invalid value, or the variable is not set;
                the text has its line.
        """
        return cls._of(read_yaml(path), environment)

    @classmethod
    def of(cls, text: str, environment: Mapping[str, str]) -> KafkaFile:
        """The settings of a file's path, or of a target's block in one line, as `block` gives it.

        Raises:
            BadInput: as `read`.
        """
        if not text.startswith("{"):
            return cls.read(Path(text), environment)
        try:
            node = yaml.compose(text)
        except yaml.YAMLError:
            node = None
        if node is None:
            raise BadInput(f"kafka: found {text[:80]!r}, expected a file, or what `kafka` of a "
                           "target gives.")
        return cls._of(YamlMapping.of("targets.yml", "kafka", 1, node), environment)

    @classmethod
    def _of(cls, mapping: YamlMapping, environment: Mapping[str, str]) -> KafkaFile:
        client = _client(mapping)
        if "password_variable" in mapping.values:
            client["sasl.password"] = _secret(mapping, environment)
        return cls(client, "record" if _one_of(mapping, "gaps", GAPS) == "record" else "fail")


def block(mapping: YamlMapping) -> str:
    """A target's settings for Kafka in one line, for `KafkaFile.of`; no secret is among them.

    Raises:
        BadInput: an unknown key or an invalid value.
    """
    _client(mapping)
    _one_of(mapping, "gaps", GAPS)
    if (SECRET in mapping.values) and not SCOPE_AND_KEY.fullmatch(mapping.text(SECRET)):
        raise mapping.unfit(SECRET, "SCOPE/KEY of the workspace's secrets")
    if SECRET in mapping.values and "password_variable" not in mapping.values:
        raise mapping.wrong(f"{SECRET} needs password_variable, the variable that gets the "
                            "secret.", SECRET)
    return json.dumps({**mapping.values, "client": mapping.texts("client")}, ensure_ascii=True,
                      separators=(",", ":"))


def secret_variables(kafka: str) -> dict[str, str]:
    """The variables that a job cluster sets from the workspace's secrets, for a target's block."""
    found = json.loads(kafka) if kafka else {}
    scope = found.get(SECRET)
    return {found["password_variable"]: f"{{{{secrets/{scope}}}}}"} if scope else {}


def _client(mapping: YamlMapping) -> dict[str, str]:
    """The settings of Kafka's client but the password."""
    known = ("bootstrap_servers", "security_protocol", "password_variable", SECRET, "gaps",
             "client", *NAMES)
    for key in mapping.values:
        if key not in known:
            raise mapping.wrong(f"unknown key {key}; expected some of {', '.join(known)}.", key)
    if "bootstrap_servers" not in mapping.values:
        raise mapping.wrong("bootstrap_servers is missing; expected HOST:PORT, ...")
    client = {"bootstrap.servers": mapping.text("bootstrap_servers"),
              "group.id": "branchline", **_further(mapping)}
    client |= {NAMES[key]: mapping.text(key) for key in NAMES if key in mapping.values}
    client["security.protocol"] = _one_of(mapping, "security_protocol", PROTOCOLS)
    if "password_variable" in mapping.values:
        client.setdefault("sasl.mechanism", "PLAIN")
    return client


def _further(mapping: YamlMapping) -> dict[str, str]:
    """The block `client`: settings by librdkafka's own names, none of them a secret."""
    found = mapping.texts("client")
    for name in found:
        if "password" in name or "secret" in name:
            raise mapping.below("client").wrong(
                f"{name} would be a secret in a file; expected password_variable, which names the "
                "environment variable that has it.", name)
    return found


def _one_of(mapping: YamlMapping, key: str, choices: tuple[str, ...]) -> str:
    if key not in mapping.values:
        return choices[0]
    if mapping.values[key] not in choices:
        raise mapping.unfit(key, f"one of {', '.join(choices)}")
    return mapping.text(key)


def _secret(mapping: YamlMapping, environment: Mapping[str, str]) -> str:
    name = mapping.text("password_variable")
    if not environment.get(name):
        raise NotSet(str(mapping.wrong(
            f"the environment variable {name} is not set; expected the password, or Event Hubs' "
            "connection string. On Databricks, set it in spark_env_vars from a secret scope.",
            "password_variable")))
    return environment[name]
