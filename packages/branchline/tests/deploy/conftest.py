"""Every kind of destination."""

from support.destinations import place

__all__ = ["place"]
