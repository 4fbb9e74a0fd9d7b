"""Kafka's topics as a stream of Spark, and the settings of Spark's own client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from branchline.spark.kafka_connector import connector_jars

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["client_options", "read_topics"]

# Where Java's client has another name for a setting of librdkafka.
JAVA = {"ssl.ca.location": "ssl.truststore.location"}
SIGN_IN = ("sasl.username", "sasl.password")
MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule",
           "SCRAM-SHA-512": "scram.ScramLoginModule"}
ON_DATABRICKS = "spark.databricks.clusterUsageTags.sparkVersion"


def read_topics(spark: SparkSession, client: Mapping[str, str], names: Sequence[str],
                most: int | None, gaps: str) -> DataFrame:
    """A stream of the topics' messages from their beginning, with headers.

    Args:
        client: settings of Kafka's client, by librdkafka's names.
        most: the number of messages of one batch, over all topics; None: no bound.
        gaps: "fail" ends the stream if offsets are lost before they were read.

    Raises:
        NotInstalled: on this machine, the connector's jars cannot be downloaded.
    """
    shaded = bool(spark.conf.get(ON_DATABRICKS, ""))  # which has a connector of its own
    if not shaded:
        for jar in connector_jars():
            spark.sql(f"ADD JAR '{jar}'")
    options = {"subscribe": ",".join(names), "startingOffsets": "earliest",
               "includeHeaders": "true", "failOnDataLoss": str(gaps == "fail").lower(),
               "kafka.isolation.level": "read_committed", **client_options(client, shaded)}
    if most is not None:
        options["maxOffsetsPerTrigger"] = str(most)
    return spark.readStream.format("kafka").options(**options).load()


def client_options(client: Mapping[str, str], shaded: bool = False) -> dict[str, str]:
    """The settings of librdkafka as those of Java's client, for Spark.

    `shaded`: Kafka's classes have the names that they have on Databricks.
    """
    found = {f"kafka.{JAVA.get(name, name)}": value for name, value in client.items()
             if name not in ("group.id", *SIGN_IN)}
    if "ssl.ca.location" in client:
        found["kafka.ssl.truststore.type"] = "PEM"
    if "sasl.username" in client:
        module = MODULES.get(client.get("sasl.mechanism", ""), MODULES["PLAIN"])
        user, password = (_quoted(client.get(name, "")) for name in SIGN_IN)
        found["kafka.sasl.jaas.config"] = (
            f"{'kafkashaded.' if shaded else ''}org.apache.kafka.common.security.{module} "
            f"required username={user} password={password};")
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
