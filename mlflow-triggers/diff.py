"""Compare the tables of two branches: `diff.py PROJECT --from main --to BRANCH [TABLE...]`."""

from _start import start

if __name__ == "__main__":
    start("diff")
