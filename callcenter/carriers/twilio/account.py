"""What Twilio says of our account: whether it lets us in, may call Mexico, has money, owns our number, what a minute
costs. Only questions, but for `point`, which makes a number ring here, and `probe`, which lets Twilio call us."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from twilio.rest import Client

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.carriers.twilio import errors, wire

COUNTRY = "MX"
INBOUND, INBOUND_STATUS, REACH = "/hooks/voice/inbound", "/hooks/voice/inbound-status", "/hooks/voice/reach"
NOBODY = "client:convoca-reach"  # a browser that never registers: calling it rings nobody
MOST_NUMBERS, LOW = 200, Decimal(5)
PAGE = 1000  # calls of one request: https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources


@dataclass(frozen=True)
class Finding:
    """`name`: address | account | balance | numbers | countries | prices. `state`: ok | warning | fault | unknown
    (nobody could say). `code`: why, a word of account_words or a code of Twilio's."""

    name: str
    state: str
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Price:
    """What Twilio took for a call: `amount` ≥ 0 in `currency` (ISO 4217)."""

    ref: str
    amount: Decimal
    currency: str


def look(settings: Settings) -> list[Finding]:
    """Ask everything, one after the other. Where Twilio does not let us in, nothing more is asked."""
    client = wire.client(settings.twilio)
    found = [_address(settings), _asked("account", lambda: _account(client, settings))]
    if found[-1].state == "fault" or (found[-1].state == "unknown" and not errors.knows(found[-1].code)):
        return found
    return [
        *found,
        _asked("balance", lambda: _balance(client)),
        _asked("numbers", lambda: _numbers(client, settings)),
        _asked("countries", lambda: _country(client)),
        _asked("prices", lambda: _prices(client)),
    ]


def point(settings: Settings, sid: str) -> None:
    """Let this number of the account ring here. Raises ProviderError."""
    url = settings.public_url
    number = wire.client(settings.twilio).incoming_phone_numbers(sid)
    wire.ask(lambda: number.update(
        voice_url=url + INBOUND, voice_method="POST", status_callback=url + INBOUND_STATUS,
        status_callback_method="POST",
    ))  # fmt: skip


def probe(settings: Settings, probe_id: UUID) -> None:
    """Let Twilio call this server: a call to nobody, whose address is our hook. Raises ProviderError."""
    url = f"{settings.public_url}{REACH}/{probe_id}"
    calls = wire.client(settings.twilio).calls
    wire.ask(lambda: calls.create(
        to=NOBODY, from_=settings.twilio.voice_number, url=url, status_callback=url,
        status_callback_event=["completed"], timeout=5,
    ))  # fmt: skip


def prices_since(settings: Settings, since: datetime, most: int) -> list[Price]:
    """The prices of calls that began since then, as far as Twilio has made them up. Raises ProviderError."""
    calls = wire.client(settings.twilio).calls
    listed = wire.ask(lambda: calls.list(start_time_after=since - timedelta(days=1), limit=most, page_size=PAGE))
    return [Price(call.sid, abs(amount), str(call.price_unit or "USD"))
            for call in listed if (amount := _decimal(call.price)) is not None]  # fmt: skip


def _asked(name: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return wire.ask(ask)
    except ProviderError as error:
        # A restricted API key may call and yet not read: then nobody can say, and nothing is forbidden.
        is_clear = error.permanent and errors.meaning(error.code).kind not in ("over", "forbidden")
        return Finding(name, "fault" if is_clear else "unknown", error.code)


def _address(settings: Settings) -> Finding:
    """Could anybody outside reach the address that we name? Whether Twilio does, only a probe shows."""
    where = urlsplit(settings.public_url)
    facts = {"url": settings.public_url}
    if settings.is_drill:
        return Finding("address", "ok", facts=facts)
    if where.scheme != "https":
        return Finding("address", "fault", "not_https", facts)
    is_private = _is_private(where.hostname or "")
    return Finding("address", "fault" if is_private else "ok", "private_address" if is_private else "", facts)


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan", ".test"))


def _account(client: Client, settings: Settings) -> Finding:
    account = client.api.v2010.accounts(settings.twilio.account_sid).fetch()
    status, kind = str(account.status), str(account.type)
    is_sub = account.owner_account_sid not in (None, account.sid)
    facts = {"name": str(account.friendly_name or ""), "status": status, "type": kind, "is_sub": is_sub}
    if status != "active":
        return Finding("account", "fault", status, facts)
    is_trial = kind.lower() == "trial"
    return Finding("account", "warning" if is_trial else "ok", "trial" if is_trial else "", facts)


def _balance(client: Client) -> Finding:
    told = client.balance.fetch()
    amount = _decimal(told.balance)
    if amount is None:
        return Finding("balance", "unknown", "no_balance")
    facts = {"balance": str(amount), "currency": str(told.currency or "USD")}
    if amount <= 0:
        return Finding("balance", "fault", "empty", facts)
    return Finding("balance", *(("warning", "low") if amount < LOW else ("ok", "")), facts)


def _numbers(client: Client, settings: Settings) -> Finding:
    listed = client.incoming_phone_numbers.list(limit=MOST_NUMBERS)
    verified = [str(each.phone_number) for each in client.outgoing_caller_ids.list(limit=MOST_NUMBERS)]
    here = settings.public_url + INBOUND
    numbers = [
        {"sid": str(each.sid), "number": str(each.phone_number), "name": str(each.friendly_name or ""),
         "speaks": _speaks(each.capabilities),
         "rings": "here" if each.voice_url == here else "elsewhere" if each.voice_url else "nowhere"}
        for each in listed
    ]  # fmt: skip
    facts = {"numbers": numbers, "verified": verified}
    is_ours = settings.twilio.voice_number in {*verified, *(each["number"] for each in numbers)}
    if not settings.twilio.voice_number:
        return Finding("numbers", "fault", "no_number", facts)
    return Finding("numbers", *(("ok", "") if is_ours else ("fault", "not_owned")), facts)


def _speaks(capabilities: Any) -> bool:
    """Can the number make calls? One that only sends messages cannot be shown."""
    return not isinstance(capabilities, Mapping) or bool(capabilities.get("voice", True))


def _country(client: Client) -> Finding:
    # https://www.twilio.com/docs/voice/api/dialingpermissions-country-resource
    told = client.voice.v1.dialing_permissions.countries(COUNTRY).fetch()
    is_open = bool(told.low_risk_numbers_enabled)
    return Finding("countries", *(("ok", "") if is_open else ("fault", "country_off")), {"country": COUNTRY})


def _prices(client: Client) -> Finding:
    # https://www.twilio.com/docs/voice/pricing-api/voicecountry-resource
    told = client.pricing.v2.voice.countries(COUNTRY).fetch()
    rates = [rate for each in told.outbound_prefix_prices or () for rate in _rates(each)]
    return Finding("prices", "ok" if rates else "unknown", "" if rates else "no_prices",
                   {"currency": str(told.price_unit or "USD").upper(), "rates": rates})  # fmt: skip


def _rates(told: Mapping[str, Any]) -> list[dict[str, str]]:
    """One a prefix, from any number of ours: the dearest where the price depends on which is shown."""
    price = _decimal(told.get("current_price")) or _decimal(told.get("base_price"))
    prefixes: Sequence[str] = told.get("destination_prefixes") or told.get("prefixes") or ()
    name = str(told.get("friendly_name") or "")
    return [{"prefix": str(prefix), "price": str(price), "name": name} for prefix in prefixes if price is not None]


def _decimal(text: object) -> Decimal | None:
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
