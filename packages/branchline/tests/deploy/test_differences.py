from __future__ import annotations

from branchline.deploy.differences import Difference, differences, drift

WAS = {"tasks": [{"key": "main", "libraries": ["a.whl"]}], "schedule": "daily"}


def test_equal_settings_do_not_differ() -> None:
    assert differences(WAS, WAS) == [] and drift(WAS, WAS) == []


def test_each_value_that_differs_is_under_its_path() -> None:
    becomes = {"tasks": [{"key": "main", "libraries": ["b.whl", "c.whl"]}], "tags": {"team": "x"}}
    assert differences(WAS, becomes) == [
        Difference("schedule", "daily", None),
        Difference("tags.team", None, "x"),
        Difference("tasks[0].libraries[0]", "a.whl", "b.whl"),
        Difference("tasks[0].libraries[1]", None, "c.whl")]


def test_the_value_of_an_option_is_found_by_the_options_name() -> None:
    was, becomes = ({"parameters": ["--data", data, "--quiet"]} for data in ("landed", "sample"))
    assert differences(was, becomes) == [
        Difference("parameters[1 --data]", "landed", "sample")]


def test_fields_added_by_a_platform_are_not_drift_and_missing_ones_are() -> None:
    assert drift(WAS, {**WAS, "email_notifications": {"on_failure": ["x"]}}) == []
    assert drift(WAS, {"tasks": WAS["tasks"]}) == [Difference("schedule", "daily", None)]
