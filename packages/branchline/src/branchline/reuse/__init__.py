"""Which steps need not run again: fingerprints of their code, settings, libraries and tables."""
