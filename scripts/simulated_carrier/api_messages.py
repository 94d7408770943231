"""The REST interface: messages, and the numbers they are sent from."""

from itertools import islice

from aiohttp import web

from scripts.simulated_carrier import errors, message_desk
from scripts.simulated_carrier.api import EXCHANGE, ROOT, created, in_days, read_form
from scripts.simulated_carrier.resources import page
from scripts.simulated_carrier.texts import WHATSAPP, Text

routes = web.RouteTableDef()


@routes.post(ROOT + "/Messages.json")
async def create_message(request: web.Request) -> web.Response:
    exchange, form = request.app[EXCHANGE], await read_form(request)
    text = message_desk.read(exchange.texts, form)
    exchange.texts.accept(text)
    shown = text.show()
    if exchange.happens(exchange.options.early_share):
        await exchange.texts.until_final(text)
    await exchange.hold_answer()
    return created(shown)


@routes.get(ROOT + "/Messages.json")
async def list_messages(request: web.Request) -> web.Response:
    query, ledger = dict(request.query), request.app[EXCHANGE].texts.ledger
    to, sender = query.get("To"), query.get("From")
    # The ledger finds a citizen's messages at once; everything else is walked through, newest first.
    person = next((address for address in (to, sender) if address and _is_citizen(request, address)), None)
    found = (
        text
        for text in (ledger.of(person) if person else ledger.all())
        if to in (None, text.to) and sender in (None, text.sender) and _is_of_day(text, query)
    )
    size, number = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
    wanted = list(islice(found, max(number + 1, 1) * min(max(size, 1), 1000) + 1))
    return web.json_response(page(request.path, "messages", wanted, query, Text.show))


def _is_citizen(request: web.Request, address: str) -> bool:
    return address not in request.app[EXCHANGE].texts.senders.known


def _is_of_day(text: Text, query: dict[str, str]) -> bool:
    return not any(name.startswith("DateSent") for name in query) or in_days(text.day(), query, "DateSent")


@routes.get(ROOT + "/Messages/{sid}.json")
async def fetch_message(request: web.Request) -> web.Response:
    text = request.app[EXCHANGE].texts.ledger.find(request.match_info["sid"])
    if text is None:
        raise errors.not_found(request.path)
    return web.json_response(text.show())


# What a citizen sent us beside words: one small picture, the same for everybody.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ffa91fbf2f0000000049454e44ae426082"
)


@routes.get(ROOT + "/Messages/{sid}/Media/{media}")
async def fetch_media(request: web.Request) -> web.Response:
    text = request.app[EXCHANGE].texts.ledger.find(request.match_info["sid"])
    if text is None or not text.media_count or not text.to.startswith(WHATSAPP):
        raise errors.not_found(request.path)
    return web.Response(body=PICTURE, content_type="image/png")
