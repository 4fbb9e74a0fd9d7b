"""kafka.yml: how to reach Kafka, or a service with its protocol such as Event Hubs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.errors import NotSet

__all__ = ["KafkaFile"]

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
GAPS = ("fail", "record")
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
        mapping = read_yaml(path)
        known = ("bootstrap_servers", "security_protocol", "password_variable", "gaps", "client",
                 *NAMES)
        for key in mapping.values:
            if key not in known:
                raise mapping.wrong(f"unknown key {key}; expected some of {', '.join(known)}.",
                                    key)
        if "bootstrap_servers" not in mapping.values:
            raise mapping.wrong("bootstrap_servers is missing; expected HOST:PORT, ...")
        client = {"bootstrap.servers": mapping.text("bootstrap_servers"),
                  "group.id": "branchline", **_further(mapping)}
        client |= {NAMES[key]: mapping.text(key) for key in NAMES if key in mapping.values}
        client["security.protocol"] = _one_of(mapping, "security_protocol", PROTOCOLS)
        if "password_variable" in mapping.values:
            client["sasl.password"] = _secret(mapping, environment)
            client.setdefault("sasl.mechanism", "PLAIN")
        return cls(client, "record" if _one_of(mapping, "gaps", GAPS) == "record" else "fail")


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
