"""A short way in for callbacks that come in bursts, beside pages that must not wait for them.

A WSGI layer before the application: a small plain form to one kind of address, signed for ours, is given to whoever
takes it, and answered 204 once that has committed it. Everything else goes on to the application, whose route says in
words what is wrong. The frame would take some milliseconds for each.
"""

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from callcenter.base.errors import InvalidInput
from callcenter.base.group_commits import NotCommitted
from callcenter.base.settings import Settings
from callcenter.carriers.twilio.signature import is_old, is_signed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
LARGEST = 16_384  # bytes; Twilio's callbacks have some 500
FORM = "application/x-www-form-urlencoded"
# What becomes of a form: True when it is committed; False, or InvalidInput, for the application's route.
Take = Callable[[UUID, dict[str, str]], bool]


def stand_before(app: Flask, settings: Settings, path: str, take: Take) -> None:
    """Put a SignedDoor before the whole application."""
    door = SignedDoor(app.wsgi_app, settings, path, take)
    app.wsgi_app = door  # type: ignore[method-assign]  # the way Flask's own documentation shows


class SignedDoor:
    """Stands before `app`, for callbacks to `path` and an id behind it."""

    def __init__(self, app: "WSGIApplication", settings: Settings, path: str, take: Take) -> None:
        self._app, self._settings, self._take = app, settings, take
        self._path = re.compile(re.escape(path) + _ID)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        found = self._path.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        try:
            is_taken = found is not None and self._is_taken(environ, UUID(found[1]))
        except NotCommitted:
            start_response("503 Service Unavailable", [("Content-Length", "0"), ("Retry-After", "5")])
            return []
        except (InvalidInput, SQLAlchemyError):
            is_taken = False  # no words of ours, or it cannot be stored: the route tries once more and says so
        if is_taken:
            start_response("204 No Content", [])
            return []
        return self._app(environ, start_response)

    def _is_taken(self, environ: "WSGIEnvironment", number: UUID) -> bool:
        form = _form(environ)
        return form is not None and self._is_genuine(environ, form) and not is_old(form) and self._take(number, form)

    def _is_genuine(self, environ: "WSGIEnvironment", form: dict[str, str]) -> bool:
        query = environ.get("QUERY_STRING")
        url = self._settings.public_url + environ["PATH_INFO"] + (f"?{query}" if query else "")
        return is_signed(self._settings.twilio, url, form, environ.get("HTTP_X_TWILIO_SIGNATURE", ""))


def _form(environ: "WSGIEnvironment") -> dict[str, str] | None:
    """The fields of a small plain form; None for anything else. Whoever comes after reads the same body."""
    length = environ.get("CONTENT_LENGTH") or ""
    is_plain = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == FORM
    if not is_plain or not (length.isascii() and length.isdigit()) or int(length) > LARGEST:
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True)
    except ValueError:
        return None
    form = dict(fields)
    return form if len(form) == len(fields) else None  # a repeated field is signed in another way
