"""Every kind of destination."""

from support.destinations import destination

__all__ = ["destination"]
