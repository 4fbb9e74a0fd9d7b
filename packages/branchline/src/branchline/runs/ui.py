"""MLflow's UI of this checkout's runs: `make ui`, on port 5000 or another that is free."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

__all__ = ["main", "page", "port_to_use"]

HOST = "127.0.0.1"
FIRST_PORT = 5000  # MLflow's own; macOS has AirPlay there
REMEMBERED = "ui-port"


def page(folder: Path) -> str:
    """The address of the UI for the runs in `folder` (`.local`), running or not."""
    return f"http://{HOST}:{_remembered(folder) or port_to_use(FIRST_PORT)}"


def port_to_use(first: int) -> int:
    """The first free port from `first` on."""
    return next(port for port in range(first, first + 100) if not _is_taken(port))


def _is_taken(port: int) -> bool:
    # Checked by connecting: macOS lets one bind 127.0.0.1 though another process has all addresses.
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0


def _remembered(folder: Path) -> int | None:
    try:
        return int((folder / REMEMBERED).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def main() -> None:
    """Serve the UI in this process, on the given port, else on the last one."""
    folder = Path(".local")
    given = int(sys.argv[1]) if len(sys.argv) > 1 else None
    port = given or port_to_use(_remembered(folder) or FIRST_PORT)
    folder.mkdir(exist_ok=True)
    (folder / REMEMBERED).write_text(str(port), encoding="ascii")
    print(f"http://{HOST}:{port}", flush=True)
    os.execv(sys.executable, [
        sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", "sqlite:///.local/mlflow.db",
        "--host", HOST, "--port", str(port)])


if __name__ == "__main__":
    main()
