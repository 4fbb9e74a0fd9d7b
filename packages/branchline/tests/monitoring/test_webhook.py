"""The webhook: a real POST, retried where that may help, and silent about its URL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from branchline.errors import BadInput, Unreachable
from branchline.monitoring.webhook import post, webhook_url
from support.hook import Hook, open_hook
from support.processes import free_port


@pytest.fixture
def hook() -> Iterator[Hook]:
    with open_hook() as found:
        yield found


def test_an_alert_is_posted_as_json(hook: Hook) -> None:
    post(hook.url, {"text": "é"})
    assert hook.got == [{"text": "é"}]


def test_a_server_s_own_failure_is_retried(hook: Hook) -> None:
    hook.statuses = [503, 429]
    post(hook.url, {"id": "1"}, pauses=(0, 0))
    assert hook.got == [{"id": "1"}] * 3


@pytest.mark.parametrize("status", [404, 302])
def test_a_refusal_or_a_redirect_is_not_retried(hook: Hook, status: int) -> None:
    hook.statuses = [status]
    with pytest.raises(Unreachable, match=f"did not accept an alert: status {status};"):
        post(hook.url, {}, pauses=(0, 0))
    assert len(hook.got) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/secret", "http://secret.invalid/secret",
                                 "http://127.0.0.1:port/secret"])
def test_no_answer_is_one_line_without_the_url(url: str) -> None:
    with pytest.raises(Unreachable) as problem:
        post(url.format(free_port()), {}, seconds=0.5, pauses=(0,))
    assert "secret" not in str(problem.value) and "\n" not in str(problem.value)


@pytest.mark.parametrize("value", [None, "file:///secret"])
def test_a_variable_without_a_url_is_bad_input(value: str | None) -> None:
    with pytest.raises(BadInput, match="the environment variable HOOK has") as problem:
        webhook_url("HOOK", {} if value is None else {"HOOK": value})
    assert "secret" not in str(problem.value)
