from __future__ import annotations

from pathlib import Path

import pytest

from branchline.config.kafka_file import KafkaFile, block, secret_variables
from branchline.config.yaml_file import read_yaml
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


def of_target(folder: Path, text: str) -> str:
    (folder / "targets.yml").write_text("kafka:\n  " + text.strip().replace("\n", "\n  "))
    return block(read_yaml(folder / "targets.yml").below("kafka"))


def test_a_target_s_block_in_one_line_has_the_settings_of_the_file(tmp_path: Path) -> None:
    line = of_target(tmp_path, EVENT_HUBS)
    assert KafkaFile.of(line, {"EVENTHUB": "x"}) == read(tmp_path, EVENT_HUBS, EVENTHUB="x")
    assert KafkaFile.of(str(tmp_path / "kafka.yml"), {"EVENTHUB": "x"}).gaps == "record"
    assert line.isascii() and "\n" not in line


def test_a_secret_is_named_in_the_block_and_set_as_a_variable_of_the_cluster(
        tmp_path: Path) -> None:
    line = of_target(tmp_path, f"{EVENT_HUBS}password_secret: kafka/connection")
    assert secret_variables(line) == {"EVENTHUB": "{{secrets/kafka/connection}}"}
    assert secret_variables("") == secret_variables(of_target(tmp_path, EVENT_HUBS)) == {}


@pytest.mark.parametrize(("text", "said"), [
    ("bootstrap_servers: a:1\npassword: x", "targets.yml, line 3: unknown key password"),
    ("bootstrap_servers: a:1\ngaps: ignore", "line 3: gaps is 'ignore'"),
    ("bootstrap_servers: a:1\npassword_secret: a/b", "line 3: password_secret needs password_var"),
    ("bootstrap_servers: a:1\npassword_variable: A\npassword_secret: a",
     "line 4: password_secret is 'a'; expected SCOPE/KEY")])
def test_an_invalid_block_of_a_target_is_refused_with_its_line(tmp_path: Path, text: str,
                                                               said: str) -> None:
    with pytest.raises(BadInput, match=said):
        of_target(tmp_path, text)


def test_what_is_neither_a_file_nor_a_block_is_refused() -> None:
    with pytest.raises(BadInput, match="kafka: found '{a: }}', expected a file, or what"):
        KafkaFile.of("{a: }}", {})
