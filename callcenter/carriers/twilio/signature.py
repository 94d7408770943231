"""Who is calling our webhooks: only requests that Twilio signed for our public address are read.

During a rotation the old and the new auth token count. What is signed holds no time, so a request that somebody caught
stays genuine; what is done against it: a form that brings a `Timestamp` counts for an hour, each event counts once, and
of a call that has ended nothing changes any more (docs/twilio.md)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec

from flask import current_app, request
from flask.typing import ResponseReturnValue
from twilio.request_validator import RequestValidator

from callcenter.base.clock import real_now
from callcenter.base.settings import Settings, Twilio, web_settings
from callcenter.base.web import csrf

P = ParamSpec("P")
HEADER = "X-Twilio-Signature"  # https://www.twilio.com/docs/usage/security#validating-requests
WINDOW = timedelta(hours=1)  # either way: our clock may be wrong, and the summer hour is a common way of being so
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def signed(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Guard a webhook: 403 with a sentence unless its signature fits CONVOCA_PUBLIC_URL, path, query and form, and its
    time is near ours.

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
            return sentence + "\n", 403, _PLAIN
        if is_old(request.form):
            current_app.logger.warning("webhook refused: its Timestamp is far from our time, on %s", request.path)
            sentence = (
                f"Its Timestamp is more than {WINDOW.total_seconds() / 3600:.0f} h from our time. If it is new, the"
                " clock of this server is wrong."
            )
            return sentence + "\n", 403, _PLAIN
        return view(*args, **kwargs)

    csrf.exempt(check)
    return check


def is_genuine(settings: Settings) -> bool:
    """Did the holder of our auth token, or of the one before it, sign the current request?"""
    return is_signed(settings.twilio, public_address(settings), request.form, request.headers.get(HEADER, ""))


def is_signed(account: Twilio, address: str, form: Mapping[str, Any], signature: str) -> bool:
    """The same of any form that was posted to `address`, the one that Twilio knows."""
    tokens = (account.auth_token, account.old_auth_token)
    return any(_validator(token).validate(address, form, signature) for token in tokens if token)


def is_old(form: Mapping[str, str], now: datetime | None = None) -> bool:
    """Does the form name a time (RFC 2822, as https://www.twilio.com/docs/voice/api/call-resource#statuscallback has
    it) that is more than WINDOW away? One that cannot be read says nothing."""
    try:
        told = parsedate_to_datetime(form.get("Timestamp") or "")
    except ValueError:
        return False
    return told.tzinfo is not None and abs((now or real_now()) - told) > WINDOW


def public_address(settings: Settings) -> str:
    """The address of the current request as the carrier knows it: behind a proxy ours differs."""
    query = request.query_string.decode("ascii", "replace")
    return settings.public_url + request.path + (f"?{query}" if query else "")


@lru_cache(maxsize=4)
def _validator(token: str) -> RequestValidator:
    return RequestValidator(token)
