"""Train a project again if its policy says so: `retrain.py PROJECT --on TARGET`."""

from _start import start

if __name__ == "__main__":
    start("retrain")
