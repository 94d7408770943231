"""Who is calling our webhooks: only requests that Twilio signed for our public address are read."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import current_app, request
from flask.typing import ResponseReturnValue
from twilio.request_validator import RequestValidator

from callcenter.base.settings import Settings, web_settings
from callcenter.base.web import csrf

P = ParamSpec("P")
HEADER = "X-Twilio-Signature"  # https://www.twilio.com/docs/usage/security#validating-requests


def signed(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Guard a webhook: 403 with a sentence unless its signature fits CONVOCA_PUBLIC_URL, path, query and form.

    Goes below `@public(…)`. The signature stands in for the CSRF token."""

    @wraps(view)
    def check(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        settings = web_settings()
        if not is_genuine(settings):
            current_app.logger.warning("webhook refused: bad signature on %s", request.path)
            sentence = (
                f"The signature does not fit {public_address(settings)}. CONVOCA_PUBLIC_URL must be the address that"
                " the carrier calls, and the auth token must be the carrier's."
            )
            return sentence + "\n", 403, {"Content-Type": "text/plain; charset=utf-8"}
        return view(*args, **kwargs)

    csrf.exempt(check)
    return check


def is_genuine(settings: Settings) -> bool:
    """Did the holder of our auth token sign the current request?"""
    validator = RequestValidator(settings.twilio.auth_token)
    return bool(validator.validate(public_address(settings), request.form, request.headers.get(HEADER, "")))


def public_address(settings: Settings) -> str:
    """The address of the current request as the carrier knows it: behind a proxy ours differs."""
    query = request.query_string.decode("ascii", "replace")
    return settings.public_url + request.path + (f"?{query}" if query else "")
