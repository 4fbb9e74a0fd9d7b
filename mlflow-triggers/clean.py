"""List, and with --yes remove, what branches left behind: `clean.py --merged`."""

from _start import start

if __name__ == "__main__":
    start("clean")
