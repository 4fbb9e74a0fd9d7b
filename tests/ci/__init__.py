"""azure-pipelines.yml at work on this machine, for tests and for `make story`."""
