"""The files that people write, read and checked: targets, deploy.yml, gate.yml, MLproject."""
