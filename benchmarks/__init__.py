"""The source of the README's figures: `make bench`."""
