"""The REST interface: Messaging Services with their pools, and WhatsApp senders with their quality.

https://www.twilio.com/docs/messaging/api/service-resource and https://www.twilio.com/docs/whatsapp/api/senders"""

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from scripts.simulated_carrier import errors, senders
from scripts.simulated_carrier.api import EXCHANGE, created, one, read_form, required
from scripts.simulated_carrier.api_content import base
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.resources import Json, listing, new_sid
from scripts.simulated_carrier.senders import Sender, Service
from scripts.simulated_carrier.texts import WHATSAPP

T = TypeVar("T")
routes = web.RouteTableDef()
SINCE = "2026-01-01T00:00:00Z"
# The address part of a pool -> the kind of sender in it, the parameter that names one, the key of its list.
POOLS = {
    "PhoneNumbers": ("phone", "PhoneNumberSid", "phone_numbers"),
    "ShortCodes": ("short_code", "ShortCodeSid", "short_codes"),
    "AlphaSenders": ("name", "AlphaSender", "alpha_senders"),
    "ChannelSenders": ("whatsapp", "Sid", "senders"),
}
PREFIXES = {"phone": "PN", "short_code": "SC", "name": "AI", "whatsapp": "XE"}


def sid_of(address: str) -> str:
    """The SID of a sender; the one of a phone number is as IncomingPhoneNumbers says it."""
    kind = senders.kind(address) or "name"
    bare = address.removeprefix(WHATSAPP).removeprefix("+")
    return PREFIXES[kind] + (bare if bare.isdigit() else bare.encode().hex()).zfill(32)


def _service(request: web.Request) -> Service:
    service = request.app[EXCHANGE].texts.senders.services.get(request.match_info["service"])
    if service is None:
        raise errors.not_found(request.path)
    return service


@routes.post("/v1/Services")
async def create_service(request: web.Request) -> web.Response:
    exchange, form = request.app[EXCHANGE], await read_form(request)
    service = Service(
        new_sid("MG"), required(form, "FriendlyName"), inbound_url=one(form, "InboundRequestUrl"),
        status_callback=one(form, "StatusCallback"),
    )  # fmt: skip
    exchange.texts.senders.services[service.sid] = service
    return created(_show(request, service))


@routes.get("/v1/Services")
async def list_services(request: web.Request) -> web.Response:
    services = list(request.app[EXCHANGE].texts.senders.services.values())
    return _listed(request, "services", services, lambda service: _show(request, service))


@routes.get("/v1/Services/{service}")
async def fetch_service(request: web.Request) -> web.Response:
    return web.json_response(_show(request, _service(request)))


@routes.get("/v1/Services/{service}/{pool:PhoneNumbers|ShortCodes|AlphaSenders|ChannelSenders}")
async def list_pool(request: web.Request) -> web.Response:
    service, (kind, _, key) = _service(request), POOLS[request.match_info["pool"]]
    members = [address for address in service.senders if senders.kind(address) == kind]
    return _listed(request, key, members, lambda address: _show_member(request, service, address))


@routes.post("/v1/Services/{service}/{pool:PhoneNumbers|ShortCodes|AlphaSenders|ChannelSenders}")
async def add_to_pool(request: web.Request) -> web.Response:
    """A number or code by its SID, a name by itself; it must be ours."""
    service, form = _service(request), await read_form(request)
    kind, parameter, _ = POOLS[request.match_info["pool"]]
    asked, known = required(form, parameter), request.app[EXCHANGE].texts.senders.known
    fitting = (name for name in known if senders.kind(name) == kind and asked in (name, sid_of(name)))
    address = next(fitting, None)
    if address is None:
        raise errors.not_found(asked)
    if address not in service.senders:
        service.senders.append(address)
    return created(_show_member(request, service, address))


@routes.delete("/v1/Services/{service}/{pool:PhoneNumbers|ShortCodes|AlphaSenders|ChannelSenders}/{sid}")
async def remove_from_pool(request: web.Request) -> web.Response:
    service = _service(request)
    service.senders = [address for address in service.senders if sid_of(address) != request.match_info["sid"]]
    return web.Response(status=204)


@routes.get("/v2/Channels/Senders")
async def list_channel_senders(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    found = [sender for sender in exchange.texts.senders.known.values() if sender.address.startswith(WHATSAPP)]
    return _listed(request, "senders", found, lambda sender: _show_channel_sender(request, exchange, sender))


@routes.get("/v2/Channels/Senders/{sid}")
async def fetch_channel_sender(request: web.Request) -> web.Response:
    exchange, sid = request.app[EXCHANGE], request.match_info["sid"]
    for sender in exchange.texts.senders.known.values():
        if sender.address.startswith(WHATSAPP) and sid_of(sender.address) == sid:
            return web.json_response(_show_channel_sender(request, exchange, sender))
    raise errors.not_found(request.path)


def _listed(request: web.Request, key: str, items: list[T], show: Callable[[T], Json]) -> web.Response:
    return web.json_response(listing(base(request) + request.path, key, items, dict(request.query), show))


def _show(request: web.Request, service: Service) -> Json:
    account, url = request.app[EXCHANGE].options.account_sid, f"{base(request)}/v1/Services/{service.sid}"
    links = {"phone_numbers": "PhoneNumbers", "short_codes": "ShortCodes", "alpha_senders": "AlphaSenders",
             "channel_senders": "ChannelSenders"}  # fmt: skip
    return {
        "sid": service.sid, "account_sid": account, "friendly_name": service.name, "date_created": SINCE,
        "date_updated": SINCE, "inbound_request_url": service.inbound_url, "inbound_method": "POST",
        "fallback_url": None, "fallback_method": "POST", "status_callback": service.status_callback,
        "sticky_sender": True, "mms_converter": True, "smart_encoding": False, "scan_message_content": "inherit",
        "fallback_to_long_code": False, "area_code_geomatch": False, "synchronous_validation": False,
        "validity_period": 36_000, "url": url, "links": {name: f"{url}/{part}" for name, part in links.items()},
        "usecase": "undeclared", "us_app_to_person_registered": False, "use_inbound_webhook_on_number": False,
    }  # fmt: skip


def _show_member(request: web.Request, service: Service, address: str) -> Json:
    kind, sid = senders.kind(address), sid_of(address)
    pool = next(name for name, (member, _, _) in POOLS.items() if member == kind)
    shown: Json = {
        "sid": sid, "account_sid": request.app[EXCHANGE].options.account_sid, "date_created": SINCE,
        "date_updated": SINCE, "url": f"{base(request)}/v1/Services/{service.sid}/{pool}/{sid}",
    }  # fmt: skip
    if kind == "whatsapp":
        more = {
            "messaging_service_sid": service.sid,
            "sender": address,
            "sender_type": "whatsapp",
            "country_code": "MX",
        }
        return shown | more
    shown |= {"service_sid": service.sid, "capabilities": ["SMS"]}
    if kind == "name":
        return shown | {"alpha_sender": address}
    return shown | {"country_code": "MX", "phone_number" if kind == "phone" else "short_code": address}


def _show_channel_sender(request: web.Request, exchange: Exchange, sender: Sender) -> Json:
    most = sender.people_a_day if sender.people_a_day is not None else exchange.options.people_a_day
    sid = sid_of(sender.address)
    status = {"active": "ONLINE", "blocked": "OFFLINE", "unregistered": "DRAFT"}[sender.state]
    return {
        "sid": sid, "status": status, "sender_id": sender.address, "friendly_name": "Convoca",
        "configuration": {"waba_id": "5" * 15, "verification_method": None, "verification_code": None,
                          "voice_application_sid": None},
        "webhook": {"callback_url": exchange.texts.inbound_urls.get(sender.address), "callback_method": "POST",
                    "fallback_url": None, "fallback_method": None, "status_callback_url": None,
                    "status_callback_method": None},
        "profile": {"name": "Convoca"},
        "properties": {"quality_rating": sender.quality, "messaging_limit": f"{_limit(most)} Customers/24hr"},
        "offline_reasons": None, "compliance": None, "url": f"{base(request)}/v2/Channels/Senders/{sid}",
    }  # fmt: skip


def _limit(people: float) -> str:
    return f"{people / 1000:g}K" if people >= 1000 else f"{people:g}"
