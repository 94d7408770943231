"""The short way in for receipts: a burst of three callbacks for each message must not keep pages waiting.

A WSGI layer before the application. It takes what is beyond doubt (a plain form, signed for our address, a status that
we know, a message that we have) and answers 204 once it is committed. Everything else goes on to the application, whose
route (campaigns.webhooks) says in words what is wrong. Measured, commit included: 0.35 ms of Python for
each, 1.1 to 1.4 by the frame.
"""

import hmac
import re
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from twilio.request_validator import RequestValidator

from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from campaigns.channels.twilio_words import read_receipt
from campaigns.dispatch import receipt_commits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH = re.compile(r"/hooks/messages/receipt/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
LARGEST = 16_384  # bytes; Twilio's callbacks have some 500
FORM = "application/x-www-form-urlencoded"


def init_app(app: Flask, settings: Settings) -> None:
    """Stand before the whole application."""
    door = ReceiptDoor(app.wsgi_app, settings)
    app.wsgi_app = door  # type: ignore[method-assign]  # the way Flask's own documentation shows


class ReceiptDoor:
    """Stands before `app`."""

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app, self._address = app, settings.public_url
        tokens = (settings.twilio.auth_token, settings.twilio.old_auth_token)
        self._validators = [RequestValidator(token) for token in tokens if token]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        found = _PATH.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        try:
            is_taken = found is not None and self._take(environ, UUID(found[1]))
        except receipt_commits.NotCommitted:
            start_response("503 Service Unavailable", [("Content-Length", "0"), ("Retry-After", "5")])
            return []
        except SQLAlchemyError:
            is_taken = False  # this one cannot be stored: the route tries once more and says so
        if is_taken:
            start_response("204 No Content", [])
            return []
        return self._app(environ, start_response)

    def _take(self, environ: "WSGIEnvironment", message_id: UUID) -> bool:
        """Was the receipt beyond doubt, and is it committed now? Raises NotCommitted."""
        form = _form(environ)
        if form is None or not self._is_genuine(environ, form):
            return False
        try:
            said = read_receipt(form)
        except InvalidInput:
            return False
        return said.state is not None and receipt_commits.commit(message_id, said)

    def _is_genuine(self, environ: "WSGIEnvironment", form: dict[str, str]) -> bool:
        query = environ.get("QUERY_STRING")
        url = self._address + environ["PATH_INFO"] + (f"?{query}" if query else "")
        given = environ.get("HTTP_X_TWILIO_SIGNATURE", "").encode()
        signed = (validator.compute_signature(url, form).encode() for validator in self._validators)
        return any(hmac.compare_digest(each, given) for each in signed)


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
