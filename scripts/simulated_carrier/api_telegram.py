"""Telegram's Bot API (https://core.telegram.org/bots/api): the methods that the product uses."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.media import MB
from scripts.simulated_carrier.telegram import BOT, Refusal

routes = web.RouteTableDef()
MOST_CHARACTERS, MOST_CAPTION = 4096, 1024
Arguments = dict[str, Any]
Method = Callable[[Exchange, Arguments], Awaitable[Any]]
PICTURES = {"image/jpeg": 5 * MB, "image/png": 5 * MB, "image/gif": 5 * MB, "image/webp": 5 * MB}  # by address
FILMS = {"video/mp4": 20 * MB}


@routes.route("*", "/bot{token}/{method}")
async def call(request: web.Request) -> web.Response:
    """Arguments come as query, form or JSON; the answer is always JSON with `ok`."""
    exchange = request.app[EXCHANGE]
    try:
        exchange.telegram.check(request.match_info["token"])
        method = METHODS.get(request.match_info["method"].lower())
        if method is None:
            raise Refusal(404, "Not Found")
        result = await method(exchange, await _arguments(request))
    except Refusal as refusal:
        body: Arguments = {"ok": False, "error_code": refusal.code, "description": refusal.sentence}
        if refusal.parameters:
            body["parameters"] = refusal.parameters
        return web.json_response(body, status=refusal.code)
    return web.json_response({"ok": True, "result": result})


async def _arguments(request: web.Request) -> Arguments:
    if request.content_type != "application/json":
        return {**request.query, **await request.post()}
    try:
        given = await request.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refusal(400, "Bad Request: can't parse JSON object")
    return given


async def _me(_: Exchange, __: Arguments) -> Any:
    return BOT


async def _set_webhook(exchange: Exchange, given: Arguments) -> Any:
    exchange.telegram.set_webhook(str(given.get("url", "")), str(given.get("secret_token", "")))
    return True


async def _delete_webhook(exchange: Exchange, _: Arguments) -> Any:
    exchange.telegram.set_webhook("", "")
    return True


async def _webhook_info(exchange: Exchange, _: Arguments) -> Any:
    return exchange.telegram.webhook_info()


async def _send_message(exchange: Exchange, given: Arguments) -> Any:
    text = str(given.get("text", ""))
    if not text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text) > MOST_CHARACTERS:
        raise Refusal(400, "Bad Request: message is too long")
    return exchange.telegram.send(_chat_id(given), {"text": text}, text)


async def _send_photo(exchange: Exchange, given: Arguments) -> Any:
    await _look_at(exchange, given.get("photo"), PICTURES)
    photo = [{"file_id": "photo", "file_unique_id": "photo", "width": 90, "height": 90}]
    return exchange.telegram.send(_chat_id(given), {"photo": photo, **_caption(given)}, _text(given))


async def _send_video(exchange: Exchange, given: Arguments) -> Any:
    await _look_at(exchange, given.get("video"), FILMS)
    video = {"file_id": "video", "file_unique_id": "video", "width": 90, "height": 90, "duration": 1}
    return exchange.telegram.send(_chat_id(given), {"video": video, **_caption(given)}, _text(given))


def _chat_id(given: Arguments) -> int:
    try:
        return int(given.get("chat_id", ""))
    except ValueError:
        raise Refusal(400, "Bad Request: chat not found") from None


def _text(given: Arguments) -> str:
    return str(given.get("caption") or "")


def _caption(given: Arguments) -> Arguments:
    caption = _text(given)
    if len(caption) > MOST_CAPTION:
        raise Refusal(400, "Bad Request: message caption is too long")
    return {"caption": caption} if caption else {}


async def _look_at(exchange: Exchange, file: object, accepted: dict[str, int]) -> None:
    """A file that is named by its address is fetched; one that was sent along is taken as it is."""
    if isinstance(file, web.FileField):
        return
    if not isinstance(file, str) or not file:
        raise Refusal(400, "Bad Request: there is no file in the request")
    if await exchange.texts.media.refusal(file, accepted) is not None:
        raise Refusal(400, "Bad Request: failed to get HTTP URL content")


METHODS: dict[str, Method] = {
    "getme": _me,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _webhook_info,
    "sendmessage": _send_message,
    "sendphoto": _send_photo,
    "sendvideo": _send_video,
}
