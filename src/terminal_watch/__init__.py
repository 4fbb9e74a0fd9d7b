"""Terminals that are probably compromised, day by day: a pipeline without a model."""
