"""The REST interface: the account, its money, its numbers, and where it may call."""

from aiohttp import web

from scripts.simulated_carrier import errors, message_desk
from scripts.simulated_carrier.accounts import Account
from scripts.simulated_carrier.api import ACCOUNT, EXCHANGE, ROOT, created, one, read_form, required
from scripts.simulated_carrier.api_content import base
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.numbers import Number
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.resources import Json, listing, page

routes = web.RouteTableDef()
# ISO code -> name, continent, dialling codes.
COUNTRIES = {
    "CO": ("Colombia", "SOUTH_AMERICA", ["+57"]),
    "ES": ("Spain", "EUROPE", ["+34"]),
    "GT": ("Guatemala", "NORTH_AMERICA", ["+502"]),
    "MX": ("Mexico", "NORTH_AMERICA", ["+52"]),
    "US": ("United States", "NORTH_AMERICA", ["+1"]),
}


# https://www.twilio.com/docs/iam/api/account


@routes.get("/2010-04-01/Accounts.json")
async def list_accounts(request: web.Request) -> web.Response:
    query, accounts = dict(request.query), request.app[EXCHANGE].accounts
    found = [
        account
        for account in accounts.known.values()
        if account is not accounts.test
        and query.get("FriendlyName", account.name) == account.name
        and query.get("Status", account.status) == account.status
    ]
    return web.json_response(page(request.path, "accounts", found, query, Account.show))


@routes.post("/2010-04-01/Accounts.json")
async def create_account(request: web.Request) -> web.Response:
    """A subaccount."""
    name = one(await read_form(request), "FriendlyName") or "SubAccount Created at 2026-11-22 10:00 am"
    return web.json_response(request.app[EXCHANGE].accounts.create(name).show(whole=True), status=201)


@routes.get("/2010-04-01/Accounts/{account}.json")
async def fetch_account(request: web.Request) -> web.Response:
    return web.json_response(request[ACCOUNT].show(whole=True))


@routes.post("/2010-04-01/Accounts/{account}.json")
async def update_account(request: web.Request) -> web.Response:
    account, form = request[ACCOUNT], await read_form(request)
    account.name, status = one(form, "FriendlyName") or account.name, one(form, "Status")
    if status not in (None, "active", "suspended", "closed"):
        raise errors.bad_value("Status", status)
    account.status = status or account.status
    return web.json_response(account.show(whole=True))


@routes.get(ROOT + "/Balance.json")
async def fetch_balance(request: web.Request) -> web.Response:
    """https://help.twilio.com/articles/360025294494: of the main account only."""
    balance = request.app[EXCHANGE].options.balance
    return web.json_response({"account_sid": request[ACCOUNT].sid, "balance": f"{balance:.4f}", "currency": "USD"})


# https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource


@routes.post(ROOT + "/IncomingPhoneNumbers.json")
async def create_number(request: web.Request) -> web.Response:
    """Own a number and say where its messages and calls go."""
    exchange, form = request.app[EXCHANGE], await read_form(request)
    phone = required(form, "PhoneNumber")
    if not message_desk.is_phone(phone):
        raise errors.bad_value("PhoneNumber", phone)
    return created(_change(exchange, exchange.own(phone), form))


@routes.get(ROOT + "/IncomingPhoneNumbers.json")
async def list_numbers(request: web.Request) -> web.Response:
    exchange, query = request.app[EXCHANGE], dict(request.query)
    numbers = [
        number
        for number in exchange.numbers.values()
        if query.get("PhoneNumber", number.phone) in number.phone
        and query.get("FriendlyName", number.friendly_name) == number.friendly_name
    ]
    shown = page(request.path, "incoming_phone_numbers", numbers, query, lambda number: _show(exchange, number))
    return web.json_response(shown)


def _number(request: web.Request) -> Number:
    number = request.app[EXCHANGE].numbers.by_sid(request.match_info["sid"])
    if number is None:
        raise errors.not_found(request.path)
    return number


@routes.get(ROOT + "/IncomingPhoneNumbers/{sid}.json")
async def fetch_number(request: web.Request) -> web.Response:
    return web.json_response(_show(request.app[EXCHANGE], _number(request)))


@routes.post(ROOT + "/IncomingPhoneNumbers/{sid}.json")
async def update_number(request: web.Request) -> web.Response:
    return web.json_response(_change(request.app[EXCHANGE], _number(request), await read_form(request)))


def _change(exchange: Exchange, number: Number, form: dict[str, list[str]]) -> Json:
    for name in ("VoiceUrl", "StatusCallback", "VoiceFallbackUrl"):
        given = one(form, name)
        if given is not None and not given.startswith(("http://", "https://")):
            raise errors.bad_number_url(name, given)
    number.change(form)
    if url := one(form, "SmsUrl"):
        exchange.set_inbound_url(url, number.phone)
    return _show(exchange, number)


@routes.delete(ROOT + "/IncomingPhoneNumbers/{sid}.json")
async def delete_number(request: web.Request) -> web.Response:
    number = _number(request)
    del request.app[EXCHANGE].numbers[number.phone]
    return web.Response(status=204)


def _show(exchange: Exchange, number: Number) -> Json:
    return number.show(exchange.options.account_sid, exchange.texts.inbound_urls.get(number.phone, ""))


@routes.get(ROOT + "/OutgoingCallerIds.json")
async def list_caller_ids(request: web.Request) -> web.Response:
    """Verified numbers of other companies: there are none."""
    return web.json_response(page(request.path, "outgoing_caller_ids", [], dict(request.query), dict))


@routes.get(ROOT + "/AvailablePhoneNumbers/{country}/Local.json")
async def list_available(request: web.Request) -> web.Response:
    """Three invented numbers that may be bought, for Mexico only."""
    owned, country = request.app[EXCHANGE].numbers, request.match_info["country"]
    phones = [f"+5255123499{n:02}" for n in range(3)] if country == "MX" else []
    free = [phone for phone in phones if phone not in owned]
    return web.json_response(page(request.path, "available_phone_numbers", free, dict(request.query), _show_available))


def _show_available(phone: str) -> Json:
    return {
        "friendly_name": phone, "phone_number": phone, "lata": None, "locality": "Ciudad de México",
        "rate_center": None, "latitude": None, "longitude": None, "region": "CDMX", "postal_code": None,
        "iso_country": "MX", "address_requirements": "none", "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
    }  # fmt: skip


# https://www.twilio.com/docs/voice/api/dialingpermissions-country-resource


@routes.get("/v1/DialingPermissions/Countries")
async def list_permissions(request: web.Request) -> web.Response:
    found = [code for code in COUNTRIES if request.query.get("IsoCode", code) == code]
    url = base(request) + request.path
    return web.json_response(
        listing(url, "content", found, dict(request.query), lambda code: _show_permission(request, code))
    )


@routes.get("/v1/DialingPermissions/Countries/{code}")
async def fetch_permission(request: web.Request) -> web.Response:
    code = request.match_info["code"].upper()
    if code not in COUNTRIES:
        raise errors.not_found(request.path)
    return web.json_response(_show_permission(request, code))


def _show_permission(request: web.Request, code: str) -> Json:
    options: Options = request.app[EXCHANGE].options
    name, continent, codes = COUNTRIES[code]
    url = f"{base(request)}/v1/DialingPermissions/Countries/{code}"
    return {
        "iso_code": code, "name": name, "continent": continent, "country_codes": codes,
        "low_risk_numbers_enabled": code not in options.countries_off.upper().split(),
        "high_risk_special_numbers_enabled": False, "high_risk_tollfraud_numbers_enabled": False, "url": url,
        "links": {"highrisk_special_prefixes": f"{url}/HighRiskSpecialPrefixes"},
    }  # fmt: skip


# https://www.twilio.com/docs/voice/pricing


@routes.get("/v2/Voice/Countries/{code}")
async def fetch_prices(request: web.Request) -> web.Response:
    code, price = request.match_info["code"].upper(), f"{request.app[EXCHANGE].options.price_per_minute:.4f}"
    if code not in COUNTRIES:
        raise errors.not_found(request.path)
    name, _, codes = COUNTRIES[code]
    return web.json_response({
        "country": name, "iso_country": code, "price_unit": "USD",
        "url": f"{base(request)}/v2/Voice/Countries/{code}",
        "outbound_prefix_prices": [
            {"destination_prefixes": [one.removeprefix("+") for one in codes], "origination_prefixes": ["ALL"],
             "friendly_name": f"Programmable Outbound Minute - {name}", "base_price": price, "current_price": price},
        ],
        "inbound_call_prices": [{"number_type": "local", "base_price": "0.0100", "current_price": "0.0100"}],
    })  # fmt: skip
