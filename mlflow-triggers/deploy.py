"""Deploy releases: `deploy.py plan PROJECT`, then `apply` what was approved."""

from _start import start

if __name__ == "__main__":
    start("deploy")
