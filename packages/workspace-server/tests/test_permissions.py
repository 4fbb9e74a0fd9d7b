"""The Permissions API: what is set is what is answered, for every kind of object."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotImplemented, ResourceDoesNotExist

from runs_in_workspace import HOME, SavedJob, prints
from workspace_server.clusters import INTERACTIVE, POLICY

Entries = list[dict[str, str]]
OWNER = {"user_name": "dev@example.com", "permission_level": "IS_OWNER"}
TEAM = {"group_name": "team", "permission_level": "CAN_VIEW"}


def call(client: WorkspaceClient, method: str, kind: str, number: object,
         entries: Entries | None = None) -> dict[str, Any]:
    body = {"access_control_list": entries} if entries is not None else None
    answer = client.api_client.do(method, f"/api/2.0/permissions/{kind}/{number}", body=body)
    assert isinstance(answer, dict)
    return answer


def direct(answer: dict[str, Any]) -> dict[str, str]:
    """Who has which level of their own."""
    return {str(entry.get("user_name") or entry.get("group_name")
                or entry.get("service_principal_name")):
            each["permission_level"] for entry in answer["access_control_list"]
            for each in entry["all_permissions"] if not each["inherited"]}


def test_a_jobs_creator_owns_it_until_another_owner_is_set(
        client: WorkspaceClient, saved: SavedJob) -> None:
    job = saved.create(prints("a"))
    answer = call(client, "GET", "jobs", job)
    assert (answer["object_id"], answer["object_type"]) == (f"/jobs/{job}", "job")
    assert direct(answer) == {"dev@example.com": "IS_OWNER"}
    set_ = call(client, "PUT", "jobs", job, [OWNER, TEAM])
    assert direct(set_) == {"dev@example.com": "IS_OWNER", "team": "CAN_VIEW"}
    assert call(client, "GET", "jobs", job) == set_
    robot = {"service_principal_name": "robot", "permission_level": "IS_OWNER"}
    assert direct(call(client, "PATCH", "jobs", job, [robot])) == {
        "team": "CAN_VIEW", "robot": "IS_OWNER"}


def test_a_new_job_has_the_permissions_it_was_made_with(client: WorkspaceClient,
                                                        saved: SavedJob) -> None:
    job = saved.create(prints("a"), access_control_list=[TEAM])
    assert direct(call(client, "GET", "jobs", job)) == {"dev@example.com": "IS_OWNER",
                                                        "team": "CAN_VIEW"}


def test_permissions_of_clusters_experiments_and_nodes_are_kept(client: WorkspaceClient) -> None:
    client.workspace.mkdirs(f"{HOME}/rights")
    experiment = client.experiments.create_experiment(f"{HOME}/rights/e").experiment_id
    folder = client.workspace.get_status(f"{HOME}/rights").object_id
    for kind, number, level in (("clusters", INTERACTIVE, "CAN_RESTART"),
                                ("experiments", experiment, "CAN_EDIT"),
                                ("directories", folder, "CAN_RUN"),
                                ("cluster-policies", POLICY["policy_id"], "CAN_USE")):
        entry = {"group_name": "team", "permission_level": level}
        assert direct(call(client, "PUT", kind, number, [entry])) == {"team": level}
        assert direct(call(client, "GET", kind, number)) == {"team": level}
        levels = client.api_client.do("GET",
                                      f"/api/2.0/permissions/{kind}/{number}/permissionLevels")
        assert isinstance(levels, dict)
        assert level in [each["permission_level"] for each in levels["permission_levels"]]


def test_put_replaces_and_patch_adds(client: WorkspaceClient) -> None:
    one, two = ({"user_name": name, "permission_level": "CAN_RESTART"} for name in ("a@x", "b@x"))
    assert direct(call(client, "PUT", "clusters", INTERACTIVE, [one])).keys() == {"a@x"}
    assert direct(call(client, "PATCH", "clusters", INTERACTIVE, [two])).keys() == {"a@x", "b@x"}
    assert direct(call(client, "PUT", "clusters", INTERACTIVE, [])) == {}


@pytest.mark.parametrize("entries", [
    [TEAM], [OWNER, {**OWNER, "user_name": "ci@example.com"}], [OWNER, {**TEAM, "user_name": "a"}],
    [OWNER, {"permission_level": "CAN_VIEW"}], [OWNER, {**TEAM, "permission_level": "CAN_RUN"}]])
def test_permissions_of_a_job_are_refused_with(entries: Entries, client: WorkspaceClient,
                                               saved: SavedJob) -> None:
    job = saved.create(prints("a"))
    with pytest.raises(InvalidParameterValue):
        call(client, "PUT", "jobs", job, entries)
    assert direct(call(client, "GET", "jobs", job)) == {"dev@example.com": "IS_OWNER"}


def test_a_job_with_permissions_that_it_cannot_have_is_not_kept(client: WorkspaceClient,
                                                                saved: SavedJob) -> None:
    with pytest.raises(InvalidParameterValue):
        saved.create(prints("a"), access_control_list=[{**TEAM, "permission_level": "CAN_RUN"}])
    assert list(client.jobs.list()) == []


@pytest.mark.parametrize("kind", ["jobs", "clusters", "experiments", "directories", "notebooks"])
def test_a_missing_object_has_no_permissions(kind: str, client: WorkspaceClient) -> None:
    with pytest.raises(ResourceDoesNotExist):
        call(client, "GET", kind, 10**15)


@pytest.mark.parametrize("kind", ["pipelines", "warehouses", "serving-endpoints", "repos"])
def test_permissions_of_what_the_server_lacks_are_refused(kind: str,
                                                          client: WorkspaceClient) -> None:
    with pytest.raises(NotImplemented, match=kind):
        call(client, "GET", kind, 7)
