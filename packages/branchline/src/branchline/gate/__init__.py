"""Judges a run against what is in production: policy, comparison, resampling, verdict."""
