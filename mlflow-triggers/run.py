"""Start a project in the experiment of this branch: `run.py PROJECT --on TARGET`."""

from _start import start

if __name__ == "__main__":
    start("run")
