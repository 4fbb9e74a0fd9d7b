"""Evaluate a project's alerts, and list those that are open: `alerts.py PROJECT --on TARGET`."""

from _start import start

if __name__ == "__main__":
    start("alerts")
