"""Monitoring of what was scored: windows of the inference log against the model's training."""
