"""Check before a run what would go wrong: `doctor.py --on TARGET`."""

from _start import start

if __name__ == "__main__":
    start("doctor")
