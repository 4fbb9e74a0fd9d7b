"""A run from its request to its summary: tracking, registry, start."""
