"""Answers go out compressed (gzip), so that a page loads over a phone's connection. Streams are left alone.

A compressed answer that repeats a secret beside text of an attacker's choice could be guessed at byte by byte (BREACH);
our session cookie is SameSite=Lax, so another site cannot make a person's browser ask for such an answer.
"""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

KINDS = frozenset(
    {
        "application/javascript", "application/json", "application/manifest+json", "image/svg+xml",
        "text/css", "text/csv", "text/html", "text/javascript", "text/plain", "text/xml", "application/xml",
    }
)  # fmt: skip
SMALLEST = 600  # bytes; below that a packet is a packet


def init_app(app: Flask) -> None:
    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype in KINDS:
            response.vary.add("Accept-Encoding")
            if _may_compress(response):
                _compress(response)
        return response


def _may_compress(response: Response) -> bool:
    is_file = response.direct_passthrough
    return (
        response.status_code == 200
        and request.method == "GET"
        and request.accept_encodings.quality("gzip") > 0
        and "Content-Encoding" not in response.headers
        and "Content-Range" not in response.headers
        and (is_file or not response.is_streamed)
        and (response.content_length or 0) >= SMALLEST
        and (not is_file or (request.endpoint or "").endswith("static"))
    )


def _compress(response: Response) -> None:
    if response.direct_passthrough:
        file = response.response
        response.direct_passthrough = False
        body = _compressed_file(response.get_data())
        file.close()  # type: ignore[union-attr]  # werkzeug's wrapper around the open file
    else:
        body = gzip.compress(response.get_data(), compresslevel=5, mtime=0)
    response.set_data(body)
    response.headers["Content-Encoding"] = "gzip"
    etag, _ = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)  # the same meaning, other bytes


@lru_cache(maxsize=200)
def _compressed_file(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=9, mtime=0)
