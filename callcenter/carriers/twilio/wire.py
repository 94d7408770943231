"""One door to Twilio's REST interface: the client of our account, and every failure in the words of the house."""

import json
import logging
from collections.abc import Callable
from typing import TypeVar

from requests import Session as HttpSession
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import BadNumber
from callcenter.carriers.twilio import errors

T = TypeVar("T")
SECONDS = 8.0  # connect, and between two bytes of the answer
PARALLEL = 8  # kept connections; a worker asks for four calls at once, the sweeper beside it


def client(account: Twilio) -> Client:
    """A client for this account: with its own token, or with an API key. The library makes the host of region and edge
    (https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region)."""
    # max_retries stays None: with a number the client repeats a POST after HTTP 500, which dials twice.
    http = TwilioHttpClient(timeout=SECONDS, max_retries=None, logger=_quiet())
    http.session = session()
    made = Client(
        account.api_key or account.account_sid, account.api_secret or account.auth_token, account.account_sid,
        region=None if account.base_url else account.region or None,
        edge=None if account.base_url else account.edge or None,
        http_client=http,
    )  # fmt: skip
    if account.base_url:
        made.api.base_url = made.voice.base_url = made.pricing.base_url = account.base_url.rstrip("/")
    return made


def session() -> HttpSession:
    """Connections that are kept, and that take no proxy or .netrc from the environment of a daemon."""
    made = HttpSession()
    made.trust_env = False
    for scheme in ("https://", "http://"):
        made.mount(scheme, HTTPAdapter(pool_maxsize=PARALLEL, max_retries=0))
    return made


def ask(request: Callable[[], T]) -> T:
    """Do one request; its failure becomes a ProviderError in the words of the house."""
    try:
        return request()
    except TwilioRestException as error:
        raise refused(error) from None
    except TwilioException as error:
        raise refused(_of_page(error)) from None
    except NoConnection as error:
        if _never_left(error):
            raise ProviderError("The carrier cannot be reached.", code="no_connection") from None
        raise ProviderError("The carrier broke off before it answered.", code="cut_off", unknown=True) from None
    except RequestException as error:
        name = type(error).__name__
        raise ProviderError(f"The carrier did not answer within {SECONDS:.0f} s.", code=name, unknown=True) from None


def refused(error: TwilioRestException) -> ProviderError:
    """What an answer that is no success means for us (the message of Twilio's may hold a phone: it is left out)."""
    code = str(error.code or error.status)
    found = errors.meaning(code)
    if error.status == 429:
        return ProviderError("The carrier takes no more calls this second.", code=code)
    if error.status >= 500:
        return ProviderError(f"The carrier failed (HTTP {error.status}).", code=code, unknown=True)
    if found.outcome == "invalid_number":
        return BadNumber(f"The carrier cannot call this number (error {code}).", code=code)
    is_passing = found.retry in (errors.GIVEN_BACK, errors.BY_RULES)
    return ProviderError(f"The carrier refused the request (error {code}).", code=code, permanent=not is_passing)


def _of_page(error: TwilioException) -> TwilioRestException:
    """A page of a list that was refused: the library tells of it by its plain exception, with the answer beside it."""
    answer = error.args[1] if len(error.args) > 1 else None
    if answer is None:
        return TwilioRestException(500, "", str(error))
    try:
        code = json.loads(answer.text).get("code")
    except (ValueError, AttributeError):
        code = None
    return TwilioRestException(answer.status_code, "", "", code)


def _quiet() -> logging.Logger:
    """The client logs every request with its phones at level INFO: never in our log."""
    logger = logging.getLogger("callcenter.carriers.twilio.wire")
    logger.setLevel(logging.WARNING)
    return logger


def _never_left(error: NoConnection) -> bool:
    """Did the connection fail before a byte of the request was sent?"""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
