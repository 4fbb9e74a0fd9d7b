"""Wheels: state of the sources, build, publishing, destinations, smoke test."""
