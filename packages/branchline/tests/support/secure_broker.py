"""A Kafka broker that wants TLS and a sign-in, as Event Hubs does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from branchline.spark.kafka_broker import Broker

USER = "$ConnectionString"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@contextmanager
def secure_broker(folder: Path, password: str) -> Iterator[dict[str, str]]:
    """The settings of kafka.yml for a broker with SASL_SSL, but the password."""
    folder.mkdir()
    certificate, key = _certificate()
    (folder / "ca.pem").write_text(certificate)
    with Broker(folder / "kafka", _options(certificate, key, password), "SASL_SSL") as broker:
        yield {"bootstrap_servers": broker.address, "security_protocol": "SASL_SSL",
               "username": USER, "password_variable": "EVENTHUB_CONNECTION",
               "client": f"{{ssl.ca.location: {folder / 'ca.pem'}}}"}


def _options(certificate: str, key: str, password: str) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM", "ssl.keystore.key": _in_one_line(key),
        "ssl.keystore.certificate.chain": _in_one_line(certificate),
        "ssl.truststore.type": "PEM", "ssl.truststore.certificates": _in_one_line(certificate),
        "sasl.enabled.mechanisms": "PLAIN", "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config":
            f'{LOGIN} required username="{USER}" password="{password}" '
            f'"user_{USER}"="{password}";'}


def _in_one_line(pem: str) -> str:
    return pem.strip().replace("\n", "\\n")


def _certificate() -> tuple[str, str]:
    """A certificate of its own for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of the tests")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256()))
    return (certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()).decode())
