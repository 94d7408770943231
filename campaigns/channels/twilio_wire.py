"""One connection to Twilio's REST interface (or to the simulated carrier, which speaks the same), for every channel
that Twilio carries: a request is made once, and each way in which it can go wrong has its name."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientError, TraceConfig
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from campaigns.channels import Letter, Receipt
from campaigns.channels.twilio_words import receipt

DEADLINE = 15.0  # seconds for one request
VALIDITY = 4 * 3600  # seconds: what Twilio could not hand over by then is not sent in the middle of the night
# Never processed, send later: https://www.twilio.com/docs/errors/20429
NOT_TAKEN = frozenset({"20429", "21611", "63017"})

# Set by the trace once a request's headers are on the wire: before that a broken connection is surely not a message.
_on_wire: ContextVar[list[bool]] = ContextVar("on_wire")


class TwilioWire:
    """Used as `async with`; its methods may run many times at once inside it."""

    def __init__(self, settings: Settings) -> None:
        self._twilio = settings.twilio
        self._callback = settings.public_url + "/hooks/messages/receipt/"

    async def open(self) -> None:
        trace = TraceConfig()
        trace.on_request_headers_sent.append(_headers_sent)
        # Never max_retries: it would send the POST again after an HTTP 500. The client ignores its own time-out, hence
        # DEADLINE.
        self._http = AsyncTwilioHttpClient(trace_configs=[trace], max_retries=None, logger=_quiet())
        client = Client(self._twilio.account_sid, self._twilio.auth_token, http_client=self._http)
        if self._twilio.base_url:
            client.api.base_url = self._twilio.base_url
        self._messages = client.api.v2010.accounts(self._twilio.account_sid).messages

    async def close(self) -> None:
        await self._http.close()

    async def send(self, letter: Letter, *, to: str, sender: str, **content: Any) -> Receipt:
        """Make a message of `content` (body, media_url, content_sid …). Raises ProviderError."""
        by = "messaging_service_sid" if sender.startswith("MG") else "from_"
        async with refusals_named():
            message = await self._messages.create_async(
                to=to, status_callback=f"{self._callback}{letter.id}", validity_period=VALIDITY, **{by: sender},
                **content,
            )  # fmt: skip
        return receipt(message.sid, str(message.status), message.error_code, "api")

    async def look_up(self, letter: Letter, *, to: str, sender: str) -> Sequence[Receipt]:
        """What Twilio knows of the message: by its name there, else by text, sender and time. Raises ProviderError."""
        async with refusals_named():
            if letter.provider_ref:
                found = [await self._messages(letter.provider_ref).fetch_async()]
            else:
                # DateSent is empty while a message waits in Twilio's queue: ask by phone alone, newest first.
                listed = await self._messages.list_async(to=to, limit=50)
                found = [one for one in listed if _is_same(one, letter, sender)]
        return [receipt(one.sid, str(one.status), one.error_code, "api") for one in found]


def _quiet() -> logging.Logger:
    """The client logs requests at level INFO, and one that looks a message up holds its phone: never in our log."""
    logger = logging.getLogger("campaigns.channels.twilio.wire")
    logger.setLevel(logging.WARNING)
    return logger


def _is_same(found: Any, letter: Letter, sender: str) -> bool:
    """Is what Twilio lists the message we asked it to send? Same text and sender, made no sooner than our request."""
    created: datetime | None = found.date_created
    is_later = created is None or created.astimezone(UTC) >= letter.sent_at - timedelta(seconds=5)
    by_us = sender in (found.from_, found.messaging_service_sid)
    return bool(is_later and by_us and found.body == letter.body and str(found.direction).startswith("outbound"))


@asynccontextmanager
async def refusals_named() -> AsyncIterator[None]:
    """Turn every way in which one request can go wrong into a ProviderError that says whether it may be repeated."""
    on_wire = [False]
    _on_wire.set(on_wire)
    try:
        async with asyncio.timeout(DEADLINE):
            yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _named(error.status, str(error.code or error.status)) from error
    except (TimeoutError, ClientError, OSError) as error:
        if on_wire[0]:
            raise ProviderError("No answer came; the message may have left.", code="no_answer", unknown=True) from error
        raise ProviderError("There was no connection to the provider.", code="no_connection") from error
    except (KeyError, TypeError, ValueError) as error:
        # A 2xx whose body is not Twilio's: it was taken, we know no more.
        raise ProviderError("The answer cannot be read.", code="unreadable", unknown=True) from error


def _named(status: int, code: str) -> ProviderError:
    if status == 429 or code in NOT_TAKEN:
        return ProviderError("The provider asks to wait.", code=code)
    if status >= 500:
        return ProviderError("The provider failed; the message may have left.", code=code, unknown=True)
    return ProviderError("The provider refused the message.", code=code, permanent=True)


async def _headers_sent(*_: Any) -> None:
    _on_wire.get()[0] = True
