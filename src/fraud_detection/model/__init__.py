"""Estimators, evaluation protocol and its metrics."""
