"""Decide on this branch's newest run: `gate.py PROJECT --on TARGET`."""

from _start import start

if __name__ == "__main__":
    start("gate")
