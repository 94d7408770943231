"""Addresses of static files carry a hash of their content, so that a browser keeps them until they change."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request, url_for

VENDOR = {"bootstrap": "bootstrap-5.3.8", "htmx": "htmx-2.0.11", "bootstrap-icons": "bootstrap-icons-1.13.2"}
YEAR_SECONDS = 31_536_000


def init_app(app: Flask) -> None:
    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.endswith(".static") and "filename" in values and "v" not in values:
            version = _version_of(endpoint, values["filename"])
            if version:
                values["v"] = version

    @app.after_request
    def keep(response: Response) -> Response:
        if (request.endpoint or "").endswith(".static") and "v" in request.args and response.status_code in (200, 304):
            response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return response


def vendor_url(library: str, file: str) -> str:
    """The address of a file of a third-party library, whose folder names its version."""
    return url_for("account.static", filename=f"vendor/{VENDOR[library]}/{file}")


def _version_of(endpoint: str, filename: str) -> str | None:
    folder = current_app.blueprints[endpoint.removesuffix(".static")].static_folder
    path = Path(folder or "") / filename
    try:
        return _hash(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=500)
def _hash(path: Path, _changed_ns: int) -> str:
    # The time of change is part of the key: a file changed during development gets a new address at once.
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
