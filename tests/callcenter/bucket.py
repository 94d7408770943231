"""A small S3-compatible bucket on this machine, for tests: keeps objects, and looks at each request's signature."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=[0-9a-f]{64}$"
)


class Bucket(ThreadingHTTPServer):
    """`objects`: path → bytes. `answers`: a status to answer with instead, for the next requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.answers: list[int] = []
        self.asked: list[tuple[str, str]] = []
        self.faults: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Bucket

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _is_fine(self, body: bytes) -> bool:
        """Is the request signed, by whom and for what, and is the body the signed one?"""
        self.server.asked.append((self.command, self.path))
        signed = SIGNED.match(self.headers.get("Authorization", ""))
        if signed is None or signed["key"] != "key" or signed["region"] != "mx-central-1":
            self.server.faults.append(f"{self.command}: not signed")
        elif not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed["headers"].split(";")):
            self.server.faults.append(f"{self.command}: signs only {signed['headers']}")
        if self.headers.get("x-amz-content-sha256") != hashlib.sha256(body).hexdigest():
            self.server.faults.append(f"{self.command}: another body than the signed one")
        if self.server.answers:
            self._answer(self.server.answers.pop(0))
            return False
        return True

    def do_PUT(self) -> None:  # the name that the library looks for
        body = self._body()
        if self._is_fine(body):
            self.server.objects[self.path] = body
            self._answer(200)

    def do_GET(self) -> None:
        if not self._is_fine(b""):
            return
        if self.path not in self.server.objects:
            self._answer(404)
            return
        first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups()  # type: ignore[union-attr]
        whole = self.server.objects[self.path]
        part = whole[int(first) : int(last) + 1]
        self._answer(206, part, Content_Range=f"bytes {first}-{last}/{len(whole)}")

    def do_DELETE(self) -> None:
        if self._is_fine(b""):
            self._answer(204 if self.server.objects.pop(self.path, None) is not None else 404)

    def log_message(self, *_words: Any) -> None:
        """Nothing: a test says what it saw."""


@contextmanager
def running() -> Iterator[Bucket]:
    """A bucket for as long as the block; every request in it must have been signed."""
    bucket = Bucket()
    thread = threading.Thread(target=bucket.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        bucket.shutdown()
        thread.join()
        bucket.server_close()
    assert bucket.faults == []
