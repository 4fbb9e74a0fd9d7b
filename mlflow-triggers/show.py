"""Print rows of a table of this branch: `show.py PROJECT TABLE --on TARGET`."""

from _start import start

if __name__ == "__main__":
    start("show")
