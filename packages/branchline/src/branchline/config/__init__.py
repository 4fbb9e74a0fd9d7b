"""Reads and checks the files that people write: targets.yml, deploy.yml, gate.yml, MLproject."""
