"""The control page for people: what is going on, with a form for each order, and what comes of it at once."""

import html
from pathlib import Path

from aiohttp import web

from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.control import state
from scripts.simulated_carrier.legs import Leg

routes = web.RouteTableDef()
PAGE = (Path(__file__).parent / "control_page.html").read_text(encoding="utf-8")
SCRIPT = (Path(__file__).parent / "control_page.js").read_text(encoding="utf-8")
SHOWN, SHOWN_FAULTS = 30, 10
# The page loads nothing but its own script.
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@routes.get("/")
async def index(_: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html", headers={"Content-Security-Policy": POLICY})


@routes.get("/control/page.js")
async def script(_: web.Request) -> web.Response:
    return web.Response(text=SCRIPT, content_type="text/javascript")


@routes.get("/control/page")
async def now(request: web.Request) -> web.Response:
    """The part of the page that changes."""
    exchange = request.app[EXCHANGE]
    counts = "".join(
        f"<tr><th scope=row>{html.escape(name)}<td>{value}" for name, value in state(exchange)["counts"].items()
    )
    calls = "".join(_row(leg) for leg in list(exchange.legs.values())[: -SHOWN - 1 : -1])
    heads = "".join(f"<th scope=col>{name}" for name in ("Person", "Way", "Status", "Seconds", "Room", "Hears now", ""))
    wrong = "".join(
        f"<tr><td>{one.code}<td>{html.escape(one.text)}<td>{html.escape(one.url or '')}"
        for one in exchange.notifications.of()[:SHOWN_FAULTS]
    )
    tables = (
        f"<table><caption>Now</caption>{counts}</table><table><caption>Last calls</caption><tr>{heads}{calls}</table>"
    )
    debugger = f"<table><caption>What Twilio's debugger would show</caption>{wrong}</table>" if wrong else ""
    return web.Response(text=tables + debugger, content_type="text/html")


def _row(leg: Leg) -> str:
    heard = leg.heard[-1].text if leg.heard else ""
    room = leg.conference.name if leg.conference else ""
    way = "calls us" if leg.direction == "inbound" else "is called"
    cells = (leg.phone, way, leg.status, leg.seconds, room, heard[:80])
    button = "" if leg.is_final else f'<button data-hang-up="{leg.sid}">Hang up</button>'
    end = f" by {leg.hung_up_by}" if leg.hung_up_by else ""
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}" for cell in cells) + f"<td>{button}{html.escape(end)}"
