"""Wheels: the state of their sources, build, publishing, destinations, smoke import."""
