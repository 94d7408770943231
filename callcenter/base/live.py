"""Live pages by server-sent events: every message is a full snapshot, so late, lost or doubled news do no harm.

`GET /events?topic=operator/3&topic=floor` streams, `GET /live/snapshot?topic=floor` answers once. Messages:

    event: snapshot    id: 17    data: {"topic": "floor", "snapshot": {…}}
    event: trouble     data: {"part": "database"}        the picture may be old; the stream goes on by itself
    event: goodbye     data: {}                          the person may no longer see this; do not come back
    event: ping        data: {}                          nothing new for PING seconds, and the stream lives

News reach the process through Redis and carry no data. While Redis is away the snapshot is drawn every POLL seconds.
No database connection is held between two snapshots.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from flask_babel import force_locale, get_locale
from flask_security import current_user
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from callcenter.base import auth, db
from callcenter.base.auth import ROLES, access
from callcenter.base.errors import NotFound
from callcenter.base.live_hub import Hub, Listener, is_gone
from callcenter.base.settings import web_settings

blueprint = Blueprint("live", __name__)

PING = 15.0  # seconds; shorter than the idle time-out of any proxy
POLL = 1.5  # seconds between snapshots while Redis is away, or PostgreSQL was
RECHECK = 30.0  # seconds after which a stream asks again whether its reader may still read
TICK = 1.0  # seconds; how soon a stream notices that its browser left or that the process ends
MAX_TOPICS = 12
MAX_STREAMS = 12  # of one person in one process: a few tabs; each holds a thread

Draw = Callable[[Session, int, int], dict[str, Any]]
Owns = Callable[[Session, int, int], bool]


@dataclass(frozen=True)
class Kind:
    """How the topics of one kind are drawn, and for whom. `pause`: seconds between two snapshots of one stream."""

    draw: Draw
    roles: frozenset[str]
    owns: Owns | None
    pause: float


@dataclass
class Stream:
    """One browser's stream: its topics, when each was last sent, and what is due."""

    user_id: int
    topics: list[str]
    listener: Listener
    numbers: Iterator[int]
    sent: dict[str, float] = field(default_factory=dict)
    retry_at: float = 0.0


_kinds: dict[str, Kind] = {}


def register(kind: str, draw: Draw, *, roles: tuple[str, ...], owns: Owns | None = None, pause: float = 0.2) -> None:
    """Make topics `kind/<id>` (or plain `kind`, with id 0) live: `draw(session, user_id, id)` is the full snapshot.

    Open to `roles`, and to whom `owns(session, user_id, id)` says that it is their own."""
    unknown = set(roles) - set(ROLES)
    if unknown:
        raise ValueError(f"unknown roles {sorted(unknown)}; the roles are {', '.join(ROLES)}")
    _kinds[kind] = Kind(draw, frozenset(roles), owns, pause)


@cache
def hub() -> Hub:
    """The process's one listener to Redis; made by the first stream, so that it lives on this side of a fork."""
    return Hub()


@blueprint.route("/events")
@access(*ROLES)
def events() -> Response:
    """The stream. Each topic is checked; the request's own database session is given back before the first wait."""
    topics = _topics()
    last = request.headers.get("Last-Event-ID", "")
    start = int(last) + 1 if last.isdecimal() and len(last) < 19 else 1
    user_id = int(current_user.id)
    listener = hub().listen(topics, reader=user_id, at_most=MAX_STREAMS)
    if listener is None:
        abort(429)
    stream = Stream(user_id, topics, listener, count(start))
    locale = str(get_locale() or "es_MX")
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy has no public way
    environ = request.environ
    db.web_session().close()
    response = Response(_messages(app, environ, stream, locale), mimetype="text/event-stream")
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.call_on_close(stream.listener.close)
    return response


@blueprint.route("/live/snapshot")
@access(*ROLES)
def snapshot() -> Response:
    """The present picture of each topic, once: {"topics": {topic: snapshot}}."""
    topics = _topics()
    session = db.web_session()
    drawn = {topic: _draw(session, int(current_user.id), topic) for topic in topics}
    response = jsonify(topics=drawn)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.after_request
def allow_own_origin(response: Response) -> Response:
    """The live process answers on a port of its own: let the product's own pages, and nobody else's, read it."""
    origin = request.headers.get("Origin")
    response.headers.add("Vary", "Origin")
    if origin and origin in own_origins():
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
    return response


def own_origins() -> set[str]:
    """Where the product's pages live: the public address, and the same port under the name that was asked for
    (localhost and 127.0.0.1 are one machine)."""
    public = urlsplit(web_settings().public_url)
    host = urlsplit(f"//{request.host}").hostname or ""
    port = f":{public.port}" if public.port else ""
    bracketed = f"[{host}]" if ":" in host else host
    return {f"{public.scheme}://{public.netloc}", f"{public.scheme}://{bracketed}{port}"}


@blueprint.app_template_global()
def live_origin() -> str:
    """Where pages find the live process: '' for their own origin, else the same host with the live port."""
    settings = web_settings()
    if settings.live_port is None or settings.proxies:  # a reverse proxy shows both processes as one origin
        return ""
    host = urlsplit(f"//{request.host}").hostname or ""
    return f"{request.scheme}://{f'[{host}]' if ':' in host else host}:{settings.live_port}"


def _topics() -> list[str]:
    """The topics asked for; 404 for one that does not exist, 403 for one that is not this person's."""
    topics = list(dict.fromkeys(request.args.getlist("topic")))
    if not topics or len(topics) > MAX_TOPICS:
        abort(400)
    session = db.web_session()
    for topic in topics:
        kind, number = _parse(topic)
        owned = kind.owns is not None and kind.owns(session, int(current_user.id), number)
        if not owned and not auth.may(kind.roles):
            abort(403)
    return topics


def _parse(topic: str) -> tuple[Kind, int]:
    name, _, number = topic.partition("/")
    if name not in _kinds or (number and not (number.isascii() and number.isdecimal())) or len(number) > 18:
        abort(404)
    return _kinds[name], int(number or 0)


def _draw(session: Session, user_id: int, topic: str) -> dict[str, Any]:
    kind, number = _parse(topic)
    return kind.draw(session, user_id, number)


def _messages(app: Flask, environ: dict[str, Any], stream: Stream, locale: str) -> Iterator[str]:
    yield "retry: 2000\n\n"
    socket = environ.get("gunicorn.socket")
    spoke = checked = time.monotonic()
    while not is_gone(socket):
        if checked + RECHECK < time.monotonic():
            checked = time.monotonic()
            if not _may_still_read(app, environ):
                yield _message("goodbye", {})
                return
        for text in _due_messages(app, environ, stream, locale):
            spoke = time.monotonic()
            yield text
        if spoke + PING < time.monotonic():
            spoke = time.monotonic()
            yield _message("ping", {})  # an event, because a browser tells its page nothing of a comment
        stream.listener.wait(_patience(stream))


def _due_messages(app: Flask, environ: dict[str, Any], stream: Stream, locale: str) -> Iterator[str]:
    """A message for every topic with news whose pause is over. What cannot be drawn stays due."""
    now = time.monotonic()
    if not hub().hears and now >= min(stream.sent.values(), default=0.0) + POLL:
        stream.listener.mark_all()
    if now < stream.retry_at:
        return
    for topic in stream.listener.news():
        if now < stream.sent.get(topic, 0.0) + _parse(topic)[0].pause:
            continue
        stream.listener.taken(topic)
        try:
            with app.request_context(environ), force_locale(locale), db.open_session() as session:
                drawn = _draw(session, stream.user_id, topic)
        except SQLAlchemyError:
            stream.listener.mark(topic)
            stream.retry_at = now + POLL
            yield _message("trouble", {"part": "database"})
            return
        except NotFound:
            yield _message("goodbye", {"topic": topic})
            continue
        stream.sent[topic] = time.monotonic()
        yield _message("snapshot", {"topic": topic, "snapshot": drawn}, next(stream.numbers))


def _patience(stream: Stream) -> float:
    """Seconds that the stream may sleep unless news come."""
    now = time.monotonic()
    waiting = [stream.sent.get(topic, 0.0) + _kinds[topic.partition("/")[0]].pause for topic in stream.listener.news()]
    if not waiting:
        return TICK
    return min(TICK, max(min(waiting), stream.retry_at, now + 0.001) - now)


def _may_still_read(app: Flask, environ: dict[str, Any]) -> bool:
    """Is the session that opened the stream still good, and does it still reach these topics?"""
    try:
        with app.request_context(environ):
            return bool(current_user.is_authenticated) and bool(_topics())
    except SQLAlchemyError:
        return True  # nothing is shown while the database is away; asked again later
    except HTTPException:
        return False


def _message(event: str, data: dict[str, Any], number: int | None = None) -> str:
    identity = "" if number is None else f"id: {number}\n"
    return f"event: {event}\n{identity}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
