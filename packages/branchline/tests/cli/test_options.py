from __future__ import annotations

import pytest

from branchline.cli.options import kafka_of
from branchline.config.targets import LocalTarget
from branchline.errors import BadInput


def test_kafka_s_settings_are_the_given_file_or_else_the_target_s() -> None:
    target = LocalTarget("local", "a", "b", "c", kafka='{"bootstrap_servers":"a:1"}')
    assert kafka_of("kafka.yml", target) == "kafka.yml"
    assert kafka_of(None, target) == target.kafka
    with pytest.raises(BadInput, match="target local: has no `kafka` in targets.yml"):
        kafka_of(None, LocalTarget("local", "a", "b", "c"))
