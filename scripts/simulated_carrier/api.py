"""The REST interface: who may ask, what a request says, and Twilio's JSON for every error.

The resources are in api_calls, api_conferences, api_recordings, api_account and the api_ modules of messages."""

from collections.abc import Awaitable, Callable
from datetime import date
from urllib.parse import unquote_plus

from aiohttp import web

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.accounts import Account
from scripts.simulated_carrier.errors import ApiError
from scripts.simulated_carrier.exchange import Cut, Exchange
from scripts.simulated_carrier.resources import Json

EXCHANGE = web.AppKey("exchange", Exchange)
ACCOUNT = web.RequestKey("account", Account)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ROOT = "/2010-04-01/Accounts/{account}"
BOOLEANS = {"true": True, "false": False}
REST = ("/2010-04-01/", "/v1/", "/v2/")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Basic authentication and Twilio's JSON for every error, for paths of the REST interface only."""
    if not request.path.startswith(REST):
        return await handler(request)
    answer = await _answer(request, handler)
    # Messages are asked for thousands of times a second in benches, and their bodies are people's.
    if "/Messages" not in request.path and isinstance(answer, web.Response) and answer.content_type.endswith("json"):
        body = answer.body if isinstance(answer.body, bytes) else b""
        target = (request.path, request.query_string)
        request.app[EXCHANGE].exchanges.keep(request.method, target, await request.text(), answer.status, body)
    return answer


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        _authenticate(request)
        request.app[EXCHANGE].gate()
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body(), status=error.status)
    except Cut:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # nobody hears it
    except web.HTTPException as error:
        refusal = ApiError(error.status, 20404 if error.status == 404 else 20004, error.reason)
        return web.json_response(refusal.body(), status=error.status)
    except ValueError:
        refusal = errors.bad_value("Page, PageSize or a date", request.query_string)
        return web.json_response(refusal.body(), status=refusal.status)


def _authenticate(request: web.Request) -> None:
    parts = request.path.split("/", 4)
    is_of_account = parts[1] == "2010-04-01" and len(parts) > 3
    asked = parts[3].removesuffix(".json") if is_of_account else None
    accounts = request.app[EXCHANGE].accounts
    account = accounts.enter(request.headers.get("Authorization", ""), asked)
    # https://www.twilio.com/docs/iam/test-credentials: what can be asked with them, of which calls exist here.
    if account is accounts.test and not (request.method == "POST" and request.path.endswith("/Calls.json")):
        raise errors.test_only()
    request[ACCOUNT] = account


async def read_form(request: web.Request) -> dict[str, list[str]]:
    """Every value of every field."""
    values: dict[str, list[str]] = {}
    for field in (await request.text()).split("&"):
        name, _, value = field.partition("=")
        # Most values need no decoding, and this is asked thousands of times a second.
        values.setdefault(unquote_plus(name) if "%" in name else name, []).append(
            unquote_plus(value) if "%" in value or "+" in value else value
        )
    return values


def one(form: dict[str, list[str]], name: str) -> str | None:
    """The last value of a field; None when it is missing or empty."""
    return form.get(name, [""])[-1] or None


def required(form: dict[str, list[str]], name: str) -> str:
    """Raises ApiError."""
    value = one(form, name)
    if value is None:
        raise errors.missing(name)
    return value


def truth(form: dict[str, list[str]], name: str) -> bool | None:
    """None when it is not said."""
    return BOOLEANS.get((one(form, name) or "").lower())


def number(form: dict[str, list[str]], name: str, default: int) -> int:
    """Raises ApiError."""
    value = one(form, name) or str(default)
    if not value.isdigit():
        raise errors.bad_value(name, value)
    return int(value)


def words(form: dict[str, list[str]], name: str, default: str) -> frozenset[str]:
    """Words of one or several values."""
    return frozenset(word for value in form.get(name, [default]) for word in value.split())


def created(body: Json) -> web.Response:
    return web.json_response(body, status=201)


def in_days(day: date, query: dict[str, str], name: str) -> bool:
    """`DateSent=2026-11-20`, `DateSent<=…` and `DateSent>=…` (the client writes the sign into the name)."""
    exact, before, after = (query.get(name + sign) for sign in ("", "<", ">"))
    return (
        (exact is None or day == date.fromisoformat(exact[:10]))
        and (before is None or day <= date.fromisoformat(before[:10]))
        and (after is None or day >= date.fromisoformat(after[:10]))
    )
