"""Pages of lists, by `page_token` or by `offset`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from workspace_server.errors import invalid

T = TypeVar("T")


def page(found: Sequence[T], limit: int, page_token: str, offset: int = 0
         ) -> tuple[Sequence[T], dict[str, Any]]:
    """The entries of a page, and the tokens of the pages before and after it.

    Raises:
        ApiError: 400, an unknown token or a negative offset.
    """
    if page_token and not (page_token.isascii() and page_token.isdigit()):
        raise invalid(f"Invalid page token: {page_token}.")
    if offset < 0:
        raise invalid(f"Invalid offset: must be 0 or more, got {offset}.")
    first = int(page_token) if page_token else offset
    last = first + limit
    after = {"next_page_token": str(last)} if len(found) > last else {}
    before = {"prev_page_token": str(max(0, first - limit))} if first else {}
    return found[first:last], {"has_more": bool(after), **after, **before}
