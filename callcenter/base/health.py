"""GET /healthz: of each part whether it works. Public: no address, no name, no secret in it."""

import shutil
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from callcenter.base import db, outbox
from callcenter.base.auth import public
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings, web_settings

blueprint = Blueprint("health", __name__)

SINGLES = ("dialer", "clock")  # daemons of which one at a time works; its lease is its sign of life
WORKER_SILENCE = timedelta(seconds=20)  # an idle worker gives a sign of life every five
SWITCH_SILENCE = timedelta(seconds=15)  # as callcenter.switches has it
DISK_LEFT = 200 * 2**20  # bytes
ANSWERS_IN = 0.02  # seconds that a part on this machine gets to take a connection

Part = dict[str, bool | str]
_others: dict[str, Callable[[Session], str | None]] = {}


def register(name: str, ask: Callable[[Session], str | None]) -> None:
    """A part of an upper floor, which nothing essential hangs on: `ask(session)` says why it is not well, or None."""
    _others[name] = ask


@blueprint.get("/healthz")
@public("load balancers and supervisors ask it before anybody has logged in")
def healthz() -> ResponseReturnValue:
    """200 when every essential part works, else 503; each part says `ok`, and `why` when it is not."""
    parts = examine(db.web_session(), web_settings())
    is_well = all(part["ok"] for part in parts.values() if part["essential"])
    return {"ok": is_well, "parts": parts}, 200 if is_well else 503, {"Cache-Control": "no-store"}


def examine(session: Session, settings: Settings) -> dict[str, Part]:
    """Each part's `ok`, `essential` and, when it is not ok, `why`."""
    found = {**_database_and_leases(session), "redis": _redis(), "worker": _workers(), "disk": _disk(settings)}
    if settings.live_port:
        found["live"] = _answers("127.0.0.1", settings.live_port)
    if settings.is_drill and settings.twilio.base_url:
        where = urlsplit(settings.twilio.base_url)
        found["carrier"] = _answers(where.hostname or "", where.port or 80)
    if found["database"]["ok"] and settings.carrier == "asterisk":
        found |= _switches(session)
    if found["database"]["ok"]:
        found |= {name: _part(ask(session), essential=False) for name, ask in _others.items()}
    return found


def _part(why: str | None, *, essential: bool = True) -> Part:
    return {"ok": True, "essential": essential} if why is None else {"ok": False, "essential": essential, "why": why}


def _database_and_leases(session: Session) -> dict[str, Part]:
    try:
        session.execute(text("SET LOCAL statement_timeout = '2s'"))
        rows = session.execute(text("SELECT name FROM leases WHERE expires_at > clock_timestamp()"))
        alive = {name for (name,) in rows}
    except SQLAlchemyError as error:
        session.rollback()
        away = f"the database does not answer ({type(error).__name__})"
        return {name: _part(away) for name in ("database", *SINGLES)}
    return {"database": _part(None)} | {
        name: _part(None if name in alive else f"no {name} holds the lease") for name in SINGLES
    }


def _switches(session: Session) -> dict[str, Part]:
    """Every telephone switch in use: whether its listener has heard from it lately."""
    heard = "seen_at > clock_timestamp() - :silence"
    rows = session.execute(
        text(f"SELECT name, {heard}, fault FROM switches WHERE is_enabled ORDER BY name"),  # noqa: S608 - words of ours
        {"silence": SWITCH_SILENCE},
    )
    return {
        f"switch:{name}": _part(None if is_heard else f"its listener does not hear it ({fault or 'no listener'})")
        for name, is_heard, fault in rows
    }


def _redis() -> Part:
    return _part(_asked_redis(lambda: None if outbox.redis().ping() else "no answer to PING"))


def _workers() -> Part:
    return _part(_asked_redis(unserved_queues))


def _asked_redis(ask: Callable[[], str | None]) -> str | None:
    try:
        return ask()
    except RedisError as error:
        return f"Redis does not answer ({type(error).__name__})"


def unserved_queues() -> str | None:
    """Which job queues no living worker serves, in words; from RQ's own registry (hashes `rq:worker:<name>`)."""
    client = outbox.redis()
    pipeline = client.pipeline(transaction=False)
    for key in client.smembers("rq:workers"):
        pipeline.hmget(key, "last_heartbeat", "queues", "state", "death")
    served: set[str] = set()
    for heartbeat, queues, state, death in pipeline.execute():
        if death is None and heartbeat and queues and (state == b"busy" or _is_recent(heartbeat.decode())):
            served.update(queues.decode().split(","))
    missing = [name for name in outbox.JOB_QUEUES if name not in served]
    return f"no worker serves {', '.join(missing)}" if missing else None


def _is_recent(heartbeat: str) -> bool:
    return real_now() - datetime.fromisoformat(heartbeat) < WORKER_SILENCE


def _disk(settings: Settings) -> Part:
    try:
        free = shutil.disk_usage(settings.var).free
    except OSError as error:
        return _part(f"the data folder cannot be read ({error.strerror})")
    return _part(None if free > DISK_LEFT else f"only {free // 2**20} MB are left for the data folder")


def _answers(host: str, port: int) -> Part:
    try:
        socket.create_connection((host, port), timeout=ANSWERS_IN).close()
    except OSError:
        return _part("it does not take connections")
    return _part(None)
