"""What the SDK says, as one line and one kind of error."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import (BadRequest, InternalError, NotFound, NotImplemented,
                                   PermissionDenied, Unauthenticated)
from databricks.sdk.errors.base import DatabricksError

from branchline.errors import (BadInput, BranchlineError, NotAllowed, NotSignedIn, PlatformError,
                               Unreachable)
from branchline.platforms.databricks.client import translated


@pytest.mark.parametrize(("problem", "kind", "code"), [
    (PermissionDenied("no"), NotAllowed, 5), (Unauthenticated("no"), NotSignedIn, 5),
    (InternalError("no"), Unreachable, 5), (DatabricksError("no"), Unreachable, 5),
    (NotImplemented("no"), PlatformError, 5), (NotFound("no"), BadInput, 2),
    (BadRequest("no"), BadInput, 2), (ValueError("no"), NotSignedIn, 5),
    (OSError("cannot get access token: AADSTS700024"), NotSignedIn, 5),
    (Exception("Cannot get GitHub OIDC token"), NotSignedIn, 5)])
def test_each_answer_is_an_error_of_its_kind(
        problem: Exception, kind: type[BranchlineError], code: int) -> None:
    with pytest.raises(kind) as raised, translated("doing"):
        raise problem
    assert str(raised.value).startswith("doing: ") and raised.value.exit_code == code


@pytest.mark.parametrize("tail", [
    "Config: host=https://h, token=***, auth_type=pat. Env: DATABRICKS_HOST, DATABRICKS_TOKEN",
    "Config: profile=x", "Env: DATABRICKS_HOST"])
def test_the_settings_that_the_sdk_lists_are_left_out(tail: str) -> None:
    with pytest.raises(NotAllowed) as raised, translated("sign-in"):
        raise ValueError(f"cannot configure default credentials. {tail}")
    assert "cannot configure default credentials. Sign in" in str(raised.value)
    assert "Config:" not in str(raised.value) and "Env:" not in str(raised.value)


def test_a_host_s_password_is_not_shown() -> None:
    with pytest.raises(BadInput) as raised, translated("job 1"):
        raise NotFound("https://ann:secret@host/api has none")
    assert "https://host/api has none" in str(raised.value)
