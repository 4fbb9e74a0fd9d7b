"""Release this commit: `publish.py PROJECT --on TARGET` publishes its wheels."""

from _start import start

if __name__ == "__main__":
    start("publish")
