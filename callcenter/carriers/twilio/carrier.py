"""Twilio, and whatever speaks its protocol: calls over REST, what happens in them by signed callbacks and TwiML."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from requests import Session as HttpSession
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import RequestException
from sqlalchemy.orm import Session
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import BadNumber, Dial, Known, Route, Trace
from callcenter.carriers.twilio.words import event_of

T = TypeVar("T")
SECONDS = 8.0  # connect, and between two bytes of the answer
LINES = 250
PARALLEL = 8  # kept connections; a worker calls one after the other, the sweeper beside it
UP = ("queued", "initiated", "ringing", "in-progress")
# https://www.twilio.com/docs/api/errors: the number called is not one that can be called.
BAD_NUMBER = {13223, 13224, 13225, 21211, 21214, 21215, 21216, 21217, 21265}


class TwilioCarrier:
    """Keeps one HTTP session; safe to use from one thread at a time per call. `simulated`: the drill's carrier."""

    def __init__(self, account: Twilio, *, public_url: str, simulated: bool) -> None:
        self._simulated = simulated
        self._hooks = f"{public_url}/hooks/voice"
        # max_retries stays None: with a number the client repeats a POST after HTTP 500, which dials twice.
        http = TwilioHttpClient(timeout=SECONDS, max_retries=None, logger=_quiet())
        http.session = _session()
        self._client = Client(account.account_sid, account.auth_token, http_client=http)
        if account.base_url:
            self._client.api.base_url = account.base_url.rstrip("/")

    def lines(self, _session: Session) -> int:
        return LINES

    def route(self, _session: Session, _phone: str, caller_id: str, _queue_id: int) -> Route:
        return Route(caller_id, self._simulated)

    def place(self, dial: Dial) -> str:
        return self._create(
            to=dial.phone,
            from_=dial.caller_id,
            url=f"{self._hooks}/answer/{dial.call_id}",
            status_callback=f"{self._hooks}/status/{dial.call_id}",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
            timeout=dial.ring_seconds,
        )

    def hang_up(self, ref: str) -> None:
        try:
            _ask(lambda: self._client.calls(ref).update(status="completed"))
        except ProviderError as error:
            # https://www.twilio.com/docs/api/errors/21220 "call is not in-progress", 20404 "not found": it is over.
            if error.code not in ("21220", "20404"):
                raise

    def find(self, trace: Trace) -> Known | None:
        found = self._fetch(trace.ref) if trace.ref else self._search(trace)
        if found is None:
            return None
        said = {"CallStatus": str(found.status)}
        return Known(found.sid, event_of(said), {**said, "asked": True})

    def open_room(self, operator_id: int) -> str:
        return self._create(
            to=f"client:op-{operator_id}",
            from_="client:convoca",
            url=f"{self._hooks}/room/{operator_id}",
            status_callback=f"{self._hooks}/room-status/{operator_id}",
            status_callback_event=["completed"],
            timeout=20,
        )

    def is_room_open(self, ref: str) -> bool:
        found = self._fetch(ref)
        return found is not None and str(found.status) in UP

    def close_room(self, ref: str) -> None:
        self.hang_up(ref)

    def _create(self, **wanted: Any) -> str:
        with _after_sending():
            return str(_ask(lambda: self._client.calls.create(**wanted)).sid)

    def _fetch(self, ref: str) -> Any | None:
        try:
            return _ask(lambda: self._client.calls(ref).fetch())
        except ProviderError as error:
            if error.code == "20404":
                return None
            raise

    def _search(self, trace: Trace) -> Any | None:
        """The call to this phone since we meant to place it: never two, for no phone is called twice in a minute."""
        since = trace.since - timedelta(seconds=2)  # Twilio's clock is not ours, and counts whole seconds
        calls = _ask(lambda: self._client.calls.list(to=trace.phone, limit=20))
        ours = [c for c in calls if c.date_created and c.date_created >= since and c._from == trace.caller_id]
        return min(ours, key=lambda c: c.date_created, default=None)


def _quiet() -> logging.Logger:
    """The client logs every request with its phones at level INFO: never in our log."""
    logger = logging.getLogger("callcenter.carriers.twilio.wire")
    logger.setLevel(logging.WARNING)
    return logger


def _session() -> HttpSession:
    session = HttpSession()
    session.trust_env = False  # no proxy or .netrc from the environment of a daemon
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=PARALLEL, max_retries=0))
    return session


def _ask(request: Callable[[], T]) -> T:
    """Do one request; its failure becomes a ProviderError in the words of the house."""
    try:
        return request()
    except TwilioRestException as error:
        raise _refused(error) from None
    except NoConnection as error:
        if _never_left(error):
            raise ProviderError("The carrier cannot be reached.", code="no_connection") from None
        raise ProviderError("The carrier broke off before it answered.", code="cut_off", unknown=True) from None
    except RequestException as error:
        name = type(error).__name__
        raise ProviderError(f"The carrier did not answer within {SECONDS:.0f} s.", code=name, unknown=True) from None


def _refused(error: TwilioRestException) -> ProviderError:
    code = str(error.code or error.status)
    if error.status == 429:
        return ProviderError("The carrier takes no more calls this second.", code=code)
    if error.status >= 500:
        return ProviderError(f"The carrier failed (HTTP {error.status}).", code=code, unknown=True)
    if error.code in BAD_NUMBER:
        return BadNumber(f"The carrier cannot call this number (error {code}).", code=code)
    return ProviderError(f"The carrier refused the request (error {code}).", code=code, permanent=True)


def _never_left(error: NoConnection) -> bool:
    """Did the connection fail before a byte of the request was sent?"""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


@contextmanager
def _after_sending() -> Iterator[None]:
    """An answer to a POST that cannot be read (no JSON in it) leaves open whether it was done."""
    try:
        yield
    except ValueError as error:
        raise ProviderError("The carrier's answer could not be read.", code="unreadable", unknown=True) from error
