"""Which pages may speak to our switches, and that they may speak to nothing else."""

from urllib.parse import urlsplit

from flask import Response
from sqlalchemy.orm import Session

from callcenter import carriers, switches
from callcenter.base.headers import policy
from callcenter.base.settings import web_settings
from callcenter.carriers.twilio import tokens


def let_reach_switches(session: Session, response: Response) -> Response:
    """Let the page speak to our switches, or to Twilio's, and to nothing else beside ourselves."""
    if carriers.can("browser_leg"):
        response.headers["Content-Security-Policy"] = policy(*tokens.origins(web_settings().twilio))
    if not carriers.has_switchboard():
        return response
    origins = {_origin(switch.ws_url) for switch in switches.all_switches(session)}
    response.headers["Content-Security-Policy"] = policy(*sorted(origins))
    return response


def _origin(ws_url: str) -> str:
    """Of a whole address its origin; of a path behind our own proxy, our own origin as a socket's address."""
    parts = urlsplit(ws_url)
    if not parts.netloc:
        parts = urlsplit(web_settings().public_url.replace("http", "ws", 1))
    return f"{parts.scheme}://{parts.netloc}"
