"""The runtimes and node types on offer, as the SDK's select_ helpers read them."""

from __future__ import annotations

from typing import Any

from branchline.platforms.databricks.runtimes import runtimes

# Databricks runtimes and their Spark; those with long support are marked LTS.
SPARK = {"13.3": "3.4.1", "14.3": "3.5.0", "15.4": "3.5.0", "16.4": "3.5.2", "17.3": "4.0.0",
         "18": "4.1.0", "19": "4.2.0"}
SUPPORTED_SHORTLY = ("19",)
OTHERS = ("13.3.x-scala2.12", "14.3.x-scala2.12", "15.4.x-scala2.12", "15.4.x-cpu-ml-scala2.12",
          "16.4.x-scala2.12", "16.4.x-cpu-ml-scala2.12", "16.4.x-scala2.13", "19.x-scala2.13",
          "19.x-cpu-ml-scala2.13")
# MB of memory, cores, GB of the disk that the machine itself has.
NODE_TYPES = {"Standard_D3_v2": (14336, 4.0, 200), "Standard_DS3_v2": (14336, 4.0, 28),
              "Standard_DS4_v2": (28672, 8.0, 56), "Standard_D4ds_v5": (16384, 4.0, 150),
              "Standard_E4ds_v5": (32768, 4.0, 150)}
MEMORY_OPTIMIZED = ("Standard_E4ds_v5",)


def spark_versions() -> list[str]:
    """The valid values of a cluster's `spark_version`."""
    return [*OTHERS, *(key for runtime in runtimes() for key in runtime.spark_versions)]


def described_versions() -> list[dict[str, str]]:
    return [{"key": key, "name": name_of(key)} for key in spark_versions()]


def name_of(key: str) -> str:
    """Such as `17.3 LTS ML (includes Apache Spark 4.0.0, Scala 2.13)`."""
    number = key.partition(".x")[0]
    words = [number, "" if number in SUPPORTED_SHORTLY else "LTS", "ML" if "-ml-" in key else ""]
    return (f"{' '.join(word for word in words if word)} (includes Apache Spark {SPARK[number]}, "
            f"Scala {key.rpartition('scala')[2]})")


def described_node_types() -> list[dict[str, Any]]:
    return [_node_type(name, *numbers) for name, numbers in NODE_TYPES.items()]


def _node_type(name: str, memory: int, cores: float, disk: int) -> dict[str, Any]:
    category = "Memory Optimized" if name in MEMORY_OPTIMIZED else "General Purpose"
    return {
        "node_type_id": name, "memory_mb": memory, "num_cores": cores, "num_gpus": 0,
        "description": name, "instance_type_id": name, "category": category,
        "is_deprecated": False, "is_hidden": False, "is_graviton": False,
        "is_io_cache_enabled": name.endswith("ds_v5"), "is_encrypted_in_transit": False,
        "photon_driver_capable": True, "photon_worker_capable": True,
        "support_cluster_tags": True, "support_port_forwarding": True,
        "support_ebs_volumes": True, "display_order": 0,
        "node_info": {"status": [], "available_core_quota": 350, "total_core_quota": 350},
        "node_instance_type": {
            "instance_type_id": name, "local_disks": 1, "local_disk_size_gb": disk,
            "local_nvme_disks": 0, "local_nvme_disk_size_gb": 0}}
