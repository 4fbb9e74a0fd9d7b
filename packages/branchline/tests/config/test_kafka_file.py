from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.kafka_file import KafkaFile
from branchline.errors import BadInput

EVENT_HUBS = """
bootstrap_servers: hub.servicebus.windows.net:9093
security_protocol: SASL_SSL
username: $ConnectionString
password_variable: EVENTHUB
gaps: record
client: {session.timeout.ms: 30000}
"""


def read(folder: Path, text: str, **environment: str) -> KafkaFile:
    (folder / "kafka.yml").write_text(text)
    return KafkaFile.read(folder / "kafka.yml", environment)


def test_a_broker_without_sign_in_needs_its_address_alone(tmp_path: Path) -> None:
    assert read(tmp_path, "bootstrap_servers: localhost:9092") == KafkaFile(
        {"bootstrap.servers": "localhost:9092", "group.id": "branchline",
         "security.protocol": "PLAINTEXT"}, "fail")


def test_event_hubs_connection_string_is_the_password_of_an_environment_variable(
        tmp_path: Path) -> None:
    found = read(tmp_path, EVENT_HUBS, EVENTHUB="Endpoint=sb://geheim")
    assert found.gaps == "record" and dict(found.client) == {
        "bootstrap.servers": "hub.servicebus.windows.net:9093", "group.id": "branchline",
        "session.timeout.ms": "30000", "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
        "sasl.username": "$ConnectionString", "sasl.password": "Endpoint=sb://geheim"}
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(("text", "said"), [
    ("", "line 1: bootstrap_servers is missing"),
    ("bootstrap_servers: a:1\npassword: x", "line 2: unknown key password; expected some of"),
    ("bootstrap_servers: a:1\nsecurity_protocol: TLS", "line 2: security_protocol is 'TLS'; expe"),
    ("bootstrap_servers: a:1\ngaps: ignore", "line 2: gaps is 'ignore'; expected one of fail"),
    ("bootstrap_servers: a:1\npassword_variable: NONE", "line 2: the environment variable NONE is"),
    ("bootstrap_servers: a:1\nclient: {sasl.password: x}", "line 2: sasl.password would be a sec"),
    ("bootstrap_servers: 9092", "line 1: bootstrap_servers is 9092; expected text")])
def test_an_invalid_setting_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read(tmp_path, text)
