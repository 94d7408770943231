"""The short links of messages: where they lead, and who opened them. Says nothing of the person to anybody."""

import re

from flask import Blueprint, current_app, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from callcenter.base.auth import public
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from campaigns.texts import clicks, message_links

blueprint = Blueprint("links", __name__)
LIMIT = "60 per minute; 600 per hour"  # an address; a mobile operator hides many people behind one
# Programs that look where a link leads before, or without, a person opening it.
_PROGRAMS = re.compile(
    r"bot\b|crawl|spider|preview|facebookexternalhit|whatsapp|telegram|slurp|scan|monitor|curl|wget|python-|okhttp|"
    r"java/|go-http|headless|^$",
    re.IGNORECASE,
)


@blueprint.get("/l/<code>")
@public("people open the links of messages; a code leads to an address that its campaign named, and nowhere else")
def follow(code: str) -> ResponseReturnValue:
    """Lead on. The address learns nothing but that somebody came."""
    with next(iter(current_app.extensions["limiter"])).limit(LIMIT):
        pass
    session = web_session()
    target = message_links.find(session, code)
    if target is None:
        raise NotFound(_("This link is not known. It may be mistyped, or too old."))
    if not _is_program():
        clicks.record(session, target.message_id, campaign_now(session), target.position)
        session.commit()
    answer = redirect(target.url)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _is_program() -> bool:
    looks_ahead = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or request.headers.get("X-Moz")
    return request.method != "GET" or bool(looks_ahead) or bool(_PROGRAMS.search(request.user_agent.string))
