"""Build the images of a project's services: `image.py PROJECT --run RUN --on TARGET --push`."""

from _start import start

if __name__ == "__main__":
    start("image")
