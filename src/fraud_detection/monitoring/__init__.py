"""The project fraud-monitoring: what was scored, window by window, against the model's training."""
