"""Telegram through its Bot API: to people who started the bot, and to nobody else.

https://core.telegram.org/bots/api, limits: https://core.telegram.org/bots/faq"""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Self

from callcenter.base.errors import InvalidInput, ProviderError
from callcenter.base.settings import Settings
from campaigns.channels import BY_ADDRESS, Facts, Letter, Receipt
from campaigns.channels.telegram_words import read_answer

MEGABYTE = 2**20
FACTS = Facts(
    "telegram", "Telegram", BY_ADDRESS, 4096,
    # What Telegram fetches from an address: https://core.telegram.org/bots/api#sending-files
    media={"image/jpeg": 5 * MEGABYTE, "image/png": 5 * MEGABYTE, "video/mp4": 20 * MEGABYTE},
)  # fmt: skip
DEADLINE = 15.0  # seconds for one request
MOST_CAPTION = 1024  # characters below a picture; a longer text follows it as a message of its own
PARTS_PER_SECOND = 25.0  # of the 30 that a bot may, so that answers of operators still pass
METHODS = {"image": ("sendPhoto", "photo"), "video": ("sendVideo", "video")}


class Telegram:
    """Keeps the Channel protocol (campaigns.channels)."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.telegram.base_url}/bot{settings.telegram.token}/" if settings.telegram.token else ""
        self._rests_until = 0.0  # monotonic: Telegram asked the whole bot to wait
        self.parts_per_second = PARTS_PER_SECOND

    async def __aenter__(self) -> Self:
        from aiohttp import ClientSession, ClientTimeout, TraceConfig  # heavy: only who sends pays

        trace = TraceConfig()
        trace.on_request_headers_sent.append(_headers_sent)
        self._session = ClientSession(timeout=ClientTimeout(total=DEADLINE), trace_configs=[trace])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, letter: Letter) -> Receipt:
        if not letter.address:
            raise ProviderError("This person has not started the bot.", code="no_address", permanent=True)
        media = letter.enclosed.media
        if media is None:
            return await self._message(letter, letter.body)
        method, field = METHODS[media.kind]
        if len(letter.body) <= MOST_CAPTION:
            return await self._ask(method, {"chat_id": letter.address, field: media.url, "caption": letter.body})
        # Too long for a caption. If the picture's text fails after it, the person got half: that may not be repeated.
        await self._ask(method, {"chat_id": letter.address, field: media.url})
        try:
            return await self._message(letter, letter.body)
        except ProviderError as error:
            raise ProviderError("The picture left, its text did not.", code=error.code, unknown=True) from error

    async def look_up(self, letter: Letter) -> Sequence[Receipt]:  # noqa: ARG002  # the protocol's
        raise ProviderError("Telegram keeps no list of what a bot sent.", code="no_list", permanent=True)

    def read_receipt(self, form: Mapping[str, str]) -> Receipt:  # noqa: ARG002  # the protocol's
        raise InvalidInput("Telegram sends no receipts.")

    async def _message(self, letter: Letter, text: str) -> Receipt:
        return await self._ask("sendMessage", {"chat_id": letter.address, "text": text})

    async def _ask(self, method: str, values: dict[str, Any]) -> Receipt:
        """One request. Raises ProviderError; the token stands in the address, so none of its words reach a log."""
        from aiohttp import ClientError

        if not self._url:
            raise ProviderError("This installation has no bot.", code="not_set_up", permanent=True)
        if (wait := self._rests_until - monotonic()) > 0:
            raise ProviderError("Telegram asked to wait.", code="telegram-429", wait_seconds=wait)
        on_wire = [False]
        try:
            async with asyncio.timeout(DEADLINE):
                context = {"trace_request_ctx": on_wire}
                async with self._session.post(self._url + method, json=values, **context) as answer:  # type: ignore[arg-type]  # any object may be a context
                    said = await _json(answer)
                    return read_answer(answer.status, said)
        except ProviderError as error:
            self._rests_until = max(self._rests_until, monotonic() + (error.wait_seconds or 0))
            raise
        except (TimeoutError, ClientError, OSError):
            if on_wire[0]:
                raise ProviderError("No answer came; it may have left.", code="no_answer", unknown=True) from None
            raise ProviderError("There was no connection to Telegram.", code="no_connection") from None


async def _json(answer: Any) -> Any:
    try:
        return await answer.json(content_type=None)
    except ValueError:
        return None


async def _headers_sent(_session: Any, context: Any, _params: Any) -> None:
    context.trace_request_ctx[0] = True
