"""Addresses of static files carry a hash of their content, so that a browser keeps them until they change.

A script imports its neighbours by relative address. So the scripts of a folder carry one hash of them all, in the path:
`/static/callcenter/~3f2a…/console.js` imports `/static/callcenter/~3f2a…/keys.js`, and no page mixes two releases.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

VENDOR = {
    "bootstrap": "bootstrap-5.3.8",
    "htmx": "htmx-2.0.11",
    "bootstrap-icons": "bootstrap-icons-1.13.2",
    "jssip": "jssip-3.13.8",
    "twilio-voice": "twilio-voice-2.18.5",
}
YEAR_SECONDS = 31_536_000


def init_app(app: Flask) -> None:
    app.url_defaults(_add_version)
    app.url_value_preprocessor(_take_version)
    app.before_request(_lead_to_present)
    app.after_request(_keep)


def vendor_url(library: str, file: str) -> str:
    """The address of a file of a third-party library, whose folder names its version."""
    return url_for("account.static", filename=f"vendor/{VENDOR[library]}/{file}")


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if not endpoint.endswith(".static") or "filename" not in values or "v" in values:
        return
    version = _version_of(endpoint, values["filename"])
    if version and _is_module(values["filename"]):
        values["filename"] = f"~{version}/{values['filename']}"
    elif version:
        values["v"] = version


def _take_version(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values is None or not (endpoint or "").endswith(".static"):
        return
    g.asked_version = request.args.get("v")
    if values["filename"].startswith("~"):
        g.asked_version, _, values["filename"] = values["filename"].removeprefix("~").partition("/")


def _lead_to_present() -> AnyResponse | None:
    """A page of the last release asks for its scripts: it gets the present ones, all of one release."""
    filename = (request.view_args or {}).get("filename", "")
    if not g.get("asked_version") or not _is_module(filename) or _is_present(filename):
        return None
    answer = redirect(url_for(str(request.endpoint), filename=filename))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _keep(response: Response) -> Response:
    is_good = response.status_code in (200, 304)
    if is_good and g.get("asked_version") and _is_present((request.view_args or {})["filename"]):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


def _is_module(filename: str) -> bool:
    return filename.endswith(".js") and "/" not in filename


def _is_present(filename: str) -> bool:
    """Does the version asked for name the present content?"""
    return bool(g.asked_version == _version_of(str(request.endpoint), filename))


def _version_of(endpoint: str, filename: str) -> str | None:
    folder = Path(current_app.blueprints[endpoint.removesuffix(".static")].static_folder or "")
    try:
        if not _is_module(filename) or not (folder / filename).is_file():
            return _hash(((folder / filename), (folder / filename).stat().st_mtime_ns))
        return _hash(*((path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.js"))))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=500)
def _hash(*files: tuple[Path, int]) -> str:
    # The time of change is part of the key: a file changed during development gets a new address at once.
    return hashlib.sha256(b"".join(path.read_bytes() for path, _changed_ns in files)).hexdigest()[:10]
