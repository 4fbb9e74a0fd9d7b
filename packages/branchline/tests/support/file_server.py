"""A server of a folder's files that also acts as a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit


class FileServer(ThreadingHTTPServer):
    """Serves a folder on loopback; `asked` are the requested paths, or addresses by proxy."""

    asked: list[str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @classmethod
    @contextmanager
    def of(cls, folder: Path) -> Iterator[FileServer]:
        with cls(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
            server.asked = []
            thread = Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield server
            server.shutdown()
            thread.join()


class _Files(SimpleHTTPRequestHandler):
    server: FileServer

    def translate_path(self, path: str) -> str:
        self.server.asked.append(path)
        return super().translate_path(urlsplit(path).path)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: tests look at `asked`."""
