"""The REST interface: templates (https://www.twilio.com/docs/content/content-api-resources)."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.api import EXCHANGE, created
from scripts.simulated_carrier.contents import CATEGORIES, Content
from scripts.simulated_carrier.resources import Json, listing, new_sid, now

routes = web.RouteTableDef()


def base(request: web.Request) -> str:
    """Our own address, as the caller knows it."""
    return f"{request.scheme}://{request.host}"


async def _read(request: web.Request) -> dict[str, Any]:
    order = await request.json()
    if not isinstance(order, dict):
        raise errors.bad_value("body", "not a JSON object")
    return order


def _find(request: web.Request) -> Content:
    content = request.app[EXCHANGE].texts.contents.by_sid.get(request.match_info["sid"])
    if content is None:
        raise errors.not_found(request.path)
    return content


@routes.post("/v1/Content")
async def create(request: web.Request) -> web.Response:
    exchange, order = request.app[EXCHANGE], await _read(request)
    types, variables = order.get("types"), order.get("variables") or {}
    if not isinstance(types, dict) or not types or not all(isinstance(shape, dict) for shape in types.values()):
        raise errors.missing("types")
    content = Content(
        str(order.get("friendly_name") or ""), types, {str(name): str(value) for name, value in variables.items()},
        language=str(order.get("language") or "es_MX"), sid=new_sid("HX"), created_at=now(), updated_at=now(),
    )  # fmt: skip
    exchange.texts.contents.add(content)
    return created(content.show(exchange.options.account_sid, base(request)))


@routes.get("/v1/Content")
async def list_all(request: web.Request) -> web.Response:
    account = request.app[EXCHANGE].options.account_sid
    return _listed(request, lambda content: content.show(account, base(request)))


@routes.get("/v1/ContentAndApprovals")
async def list_with_approvals(request: web.Request) -> web.Response:
    account = request.app[EXCHANGE].options.account_sid
    return _listed(request, lambda content: content.show_with_approval(account))


def _listed(request: web.Request, show: Callable[[Content], Json]) -> web.Response:
    contents: Sequence[Content] = list(request.app[EXCHANGE].texts.contents.by_sid.values())
    return web.json_response(listing(base(request) + request.path, "contents", contents, dict(request.query), show))


@routes.get("/v1/Content/{sid}")
async def fetch(request: web.Request) -> web.Response:
    return web.json_response(_find(request).show(request.app[EXCHANGE].options.account_sid, base(request)))


@routes.delete("/v1/Content/{sid}")
async def delete(request: web.Request) -> web.Response:
    del request.app[EXCHANGE].texts.contents.by_sid[_find(request).sid]
    return web.Response(status=204)


@routes.get("/v1/Content/{sid}/ApprovalRequests")
async def fetch_approval(request: web.Request) -> web.Response:
    return web.json_response(_find(request).show_approval(request.app[EXCHANGE].options.account_sid, base(request)))


@routes.post("/v1/Content/{sid}/ApprovalRequests/whatsapp")
async def ask_for_approval(request: web.Request) -> web.Response:
    """It is `received`; the control page decides (/control/contents/…)."""
    content, order = _find(request), await _read(request)
    name, category = order.get("name"), order.get("category")
    if not name or category not in CATEGORIES:
        raise errors.bad_value("name or category", f"{name}, {category}")
    content.template_name, content.category = str(name), str(category)
    content.move("received")
    return created(content.approval())
