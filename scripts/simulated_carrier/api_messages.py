"""The REST interface: messages, and the numbers they are sent from."""

from aiohttp import web

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.api import EXCHANGE, ROOT, created, in_days, one, read_form, required
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.messages import Text
from scripts.simulated_carrier.resources import API_VERSION, Json, page, path

routes = web.RouteTableDef()


@routes.post(ROOT + "/Messages.json")
async def create_message(request: web.Request) -> web.Response:
    exchange, form = request.app[EXCHANGE], await read_form(request)
    service = one(form, "MessagingServiceSid")
    sender = one(form, "From") or (exchange.numbers[-1] if service else required(form, "From"))
    validity = one(form, "ValidityPeriod") or "36000"
    if not validity.isdigit():
        raise errors.bad_value("ValidityPeriod", validity)
    text = Text(
        exchange.options.account_sid,
        required(form, "To"),
        sender,
        required(form, "Body"),
        status="accepted" if service else "queued",
        status_callback=one(form, "StatusCallback"),
        validity_seconds=int(validity),
        service_sid=service,
    )
    exchange.send(text)
    exchange.drop_answer()
    return created(text.show())


@routes.get(ROOT + "/Messages.json")
async def list_messages(request: web.Request) -> web.Response:
    query = dict(request.query)
    texts = [
        text
        for text in reversed(request.app[EXCHANGE].texts.by_sid.values())
        if query.get("To", text.to) == text.to
        and query.get("From", text.sender) == text.sender
        and in_days((text.sent_at or text.created_at).date(), query, "DateSent")
    ]
    return web.json_response(page(request.path, "messages", texts, query, Text.show))


@routes.get(ROOT + "/Messages/{sid}.json")
async def fetch_message(request: web.Request) -> web.Response:
    text = request.app[EXCHANGE].texts.by_sid.get(request.match_info["sid"])
    if text is None:
        raise errors.not_found(request.path)
    return web.json_response(text.show())


@routes.post(ROOT + "/IncomingPhoneNumbers.json")
async def create_number(request: web.Request) -> web.Response:
    """Own a number and say where its messages go."""
    exchange, form = request.app[EXCHANGE], await read_form(request)
    number = required(form, "PhoneNumber")
    if number not in exchange.numbers:
        exchange.numbers.append(number)
    url = one(form, "SmsUrl")
    if url:
        exchange.set_inbound_url(url, number)
    return created(_show_number(exchange, number))


@routes.get(ROOT + "/IncomingPhoneNumbers.json")
async def list_numbers(request: web.Request) -> web.Response:
    exchange, query = request.app[EXCHANGE], dict(request.query)
    numbers = [number for number in exchange.numbers if query.get("PhoneNumber", number) == number]
    shown = page(request.path, "incoming_phone_numbers", numbers, query, lambda number: _show_number(exchange, number))
    return web.json_response(shown)


def _show_number(exchange: Exchange, number: str) -> Json:
    account, sid = exchange.options.account_sid, "PN" + number.removeprefix("+").zfill(32)
    return {
        "sid": sid,
        "account_sid": account,
        "friendly_name": number,
        "phone_number": number,
        "sms_url": exchange.texts.inbound_urls.get(number, ""),
        "sms_method": "POST",
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        "api_version": API_VERSION,
        "uri": path(account, "IncomingPhoneNumbers", f"{sid}.json"),
    }
