"""A web server on this machine that does what no server should."""

from __future__ import annotations

import base64
import contextlib
import gzip
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HostileServer", "hostile_server"]

LOG = b"epoch,loss,val_loss\r\n0,0.5,0.6\r\n1,0.25,0.5\r\n2,0.2,0.55\r\n"


class HostileServer:
    """Its address, what it was asked, and when it ends."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"
        self.asked: list[str] = []
        self.credentials: list[str] = []
        self.ended = threading.Event()


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """Serve on a port of this machine until the test is over."""

    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Handler.told = told = HostileServer(server.server_port)
        # looks often whether it is to end, for which every test waits
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield told
        told.ended.set()
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: HostileServer

    def log_message(self, *_: Any) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.told.asked.append(self.path)
        given = self.headers.get("Authorization", "")
        if given:
            kept = base64.b64decode(given.removeprefix("Basic ")).decode()
            self.told.credentials.append(kept)
        name = self.path.partition("?")[0].strip("/").partition("/")[0]
        answer = getattr(self, f"_{name.partition('.')[0]}", self._log)
        with contextlib.suppress(OSError):
            answer()

    def _head(self, *fields: tuple[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in fields):
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def _send(self, content: bytes, **fields: str) -> None:
        self._head(("Content-Length", str(len(content))), *fields.items())
        if self.command == "GET":
            self.wfile.write(content)

    def _log(self) -> None:
        self._send(LOG)

    def _forever(self) -> None:
        self._head()
        while self.command == "GET" and not self.told.ended.is_set():
            self.wfile.write(b"0,0.5\r\n" * 10_000)

    def _silent(self) -> None:
        self.told.ended.wait(30)
        self.close_connection = True

    def _drip(self) -> None:
        self._head(("Content-Length", "100000000"))
        while self.command == "GET" and not self.told.ended.is_set():
            self.wfile.write(b"0")
            time.sleep(0.05)

    def _huge(self) -> None:
        self._head(("Content-Length", str(10**15)))
        self.wfile.write(LOG)
        self.close_connection = True

    def _short(self) -> None:
        self._head(("Content-Length", "100000"))
        self.wfile.write(LOG)
        self.close_connection = True

    def _little(self) -> None:
        """Say less than there is."""
        self._head(("Content-Length", "30"))
        self.wfile.write(LOG)
        self.close_connection = True

    def _bomb(self) -> None:
        """Send 20 MB as 20 kB."""
        packed = gzip.compress(b"0,0.5\r\n" * (20_000_000 // 7), 6)
        fields = ("Content-Length", str(len(packed))), ("Content-Encoding", "gzip")
        self._head(*fields)
        if self.command == "GET":
            self.wfile.write(packed)

    def _wait(self) -> None:
        """Say for ever that the answer may come."""
        while not self.told.ended.is_set():
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        self.close_connection = True

    def _fields(self) -> None:
        """Send a head that does not end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.told.ended.is_set():
            self.wfile.write(b"X-Field: " + b"x" * 1000 + b"\r\n")
        self.close_connection = True

    def _circle(self) -> None:
        self._head(("Location", self.path), ("Content-Length", "0"), status=302)

    def _elsewhere(self) -> None:
        place = f"http://them:S3cr3t@{self.told.host}/forbidden/x?key=S3cr3t"
        self._head(("Location", place), ("Content-Length", "0"), status=302)

    def _forbidden(self) -> None:
        self._head(("Content-Length", "0"), status=403)

    def _denied(self) -> None:
        self.send_response(401, "the key S3cr3t has expired")
        self.send_header("WWW-Authenticate", 'Basic realm="S3cr3t"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _missing(self) -> None:
        self._head(("Content-Length", "0"), status=404)

    def _deep(self) -> None:
        self._send(b"<a href='d1/'>x</a><a href='d2/'>y</a><a href='/'>up</a>")

    def _wide(self) -> None:
        links = (f"<a href='{number}/'>x</a>" for number in range(30_000))
        self._send("".join(links).encode())

    def _tables(self) -> None:
        """List a table that is no log, and send all of it whatever the range."""
        if ".csv" in self.path:
            self._send(b"x,y\n" + b"1,2\n" * 2_000_000)
        else:
            self._send(b"<a href='a.csv'>a</a> <a href='b.csv'>b</a>")

    def _indexed(self) -> None:
        """Link the page itself and its orders, as Apache does, and a way out."""
        if ".csv" in self.path:
            self._log()
            return
        self._send(
            b"<a href='?C=N;O=D'>Name</a> <a href='/indexed/'>here</a> "
            b"<a href='/'>up</a> <a href='a.csv'>a</a> <a href='/etc/b.csv'>b</a>"
            b"<a href='../../c.csv'>c</a> <a href='http://192.0.2.1/d.csv'>d</a>"
        )

    def _runs(self) -> None:
        """List two logs, to whoever has the key."""
        if ".csv" in self.path:
            self._log()
        else:
            self._send(b"<a href='a.csv'>a</a> <a href='b.csv'>b</a>")
