from __future__ import annotations

from branchline.streaming.on_spark.source import client_options

EVENT_HUBS = {"bootstrap.servers": "hub:9093", "group.id": "branchline",
              "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
              "sasl.username": "$ConnectionString", "sasl.password": 'Endpoint="a\\b"'}


def test_event_hubs_sign_in_becomes_a_login_module_of_java_s_client() -> None:
    found = client_options(EVENT_HUBS)
    assert found == {
        "kafka.bootstrap.servers": "hub:9093", "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "PLAIN", "kafka.sasl.jaas.config":
            'org.apache.kafka.common.security.plain.PlainLoginModule required '
            'username="$ConnectionString" password="Endpoint=\\"a\\\\b\\"";'}
    assert client_options(EVENT_HUBS, shaded=True)["kafka.sasl.jaas.config"].startswith(
        "kafkashaded.org.apache.kafka.common.security.plain.PlainLoginModule ")


def test_a_certificate_s_file_has_java_s_name() -> None:
    found = client_options({"bootstrap.servers": "a:1", "ssl.ca.location": "/ca.pem"})
    assert found["kafka.ssl.truststore.location"] == "/ca.pem"
    assert found["kafka.ssl.truststore.type"] == "PEM"
