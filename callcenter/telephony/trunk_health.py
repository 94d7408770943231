"""How trunks fare: registration, failures that are ours and not the citizen's, rests and the way back.

A trunk rests after three failures of its own in a row, or when half of its last twenty calls failed: 30 s, doubling up
to ten minutes. After a rest one call at a time goes through it until one ends without such a failure."""

from datetime import timedelta

from sqlalchemy import Integer, Subquery, delete, false, func, insert, literal, select
from sqlalchemy.orm import Session

from callcenter import queues, switches
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound
from callcenter.base.outbox import tell_later
from callcenter.carriers.asterisk import causes
from callcenter.telephony import trunk_book
from callcenter.telephony.trunk_book import FAULTS_BEFORE_REST, Trunk, TrunkResult

# Who are you (401, 407), not you (403): these do not pass by themselves, somebody must change something.
REFUSED_SIP = frozenset({401, 403, 407})
FIRST_REST, LONGEST_REST = 30, 600  # seconds
SHARE_OF, SHARE = 20, 0.5
KEPT = timedelta(days=7)  # results older than this tell nothing any more
CARRIER = "asterisk"


def is_our_fault(q850: int | None, sip_code: int | None) -> bool:
    """Does this end of a call speak of our trunk rather than of the person called?"""
    return causes.is_ours(q850, sip_code)


def note_result(session: Session, trunk_id: int, q850: int | None, sip_code: int | None) -> None:
    """Hear how a call through a trunk ended. A trunk that is gone, and news while it rests, change nothing."""
    is_fault = is_our_fault(q850, sip_code)
    if not is_fault and _note_well(session, trunk_id, q850, sip_code):
        return
    try:
        trunk = trunk_book.find(session, trunk_id, lock=True)
    except NotFound:
        return
    session.add(TrunkResult(trunk_id=trunk_id, q850=q850, sip_code=sip_code, is_fault=is_fault))
    session.flush()
    if trunk.is_resting:  # calls that began before the rest
        return
    if not is_fault:
        _recover(session, trunk)
        return
    trunk.faults += 1
    trunk.last_fault_at = real_now()
    trunk.last_fault = f"sip {sip_code}" if sip_code else f"q850 {q850}"
    if trunk.faults >= FAULTS_BEFORE_REST or _share(session, trunk_id, SHARE_OF, full=True) >= SHARE:
        _rest(session, trunk, refused=sip_code in REFUSED_SIP)
    _tell(session)


def _note_well(session: Session, trunk_id: int, q850: int | None, sip_code: int | None) -> bool:
    """The usual case, in one statement and without a lock: a good end of a trunk that has no faults."""
    well = select(Trunk.id, literal(real_now()), literal(q850, Integer), literal(sip_code, Integer), false())
    rows = well.where(Trunk.id == trunk_id, Trunk.faults == 0, Trunk.resting_until.is_(None))
    noted = insert(TrunkResult).from_select(["trunk_id", "at", "q850", "sip_code", "is_fault"], rows)
    return session.execute(noted.returning(TrunkResult.id)).first() is not None


def heard(session: Session, trunk_id: int, registered: bool, detail: str = "") -> None:
    """The switch says whether the provider has our registration. `detail`: its own words."""
    _note(session, trunk_id, "registered", registered, detail)


def answers(session: Session, trunk_id: int, is_there: bool, detail: str = "") -> None:
    """The switch says whether the other side answers when it is asked."""
    _note(session, trunk_id, "reachable", is_there, detail)


def _note(session: Session, trunk_id: int, what: str, value: bool, detail: str) -> None:
    try:
        trunk = trunk_book.find(session, trunk_id, lock=True)
    except NotFound:
        return
    words = " ".join(detail.split())[:200] or None
    if what == "reachable" and trunk.registers:
        words = trunk.detail  # what is said of the registration tells more
    if getattr(trunk, what) is value and trunk.detail == words:
        return
    if what == "registered" and trunk.registered is not value:
        trunk.registered_at = real_now()
    setattr(trunk, what, value)
    trunk.detail = words
    _tell(session)


def of_registration(session: Session, switch: str, username: str, domain: str) -> list[int]:
    """The trunks of which AMI's event `Registry` speaks. `username`: `sip:user@host`; `domain`: the far URI."""
    user, _at, _host = _bare(username).partition("@")
    where = _bare(domain).partition("@")[2] or _bare(domain)
    host, _colon, port = where.partition(":")
    return [
        trunk.id for trunk in trunk_book.every(session)
        if trunk.registers and trunk.switch.name == switch and trunk.username == user
        and trunk.host.lower() == host.lower() and trunk.port == int(port if port.isdecimal() else 5060)
    ]  # fmt: skip


def wake(session: Session, trunk_id: int, user_id: int | None) -> None:
    """Somebody says that the trunk is well again: its rest is over and its failures are forgotten."""
    trunk = trunk_book.find(session, trunk_id, lock=True)
    forgive(trunk)
    audit.record(session, user_id, "trunks.wake", f"trunk/{trunk_id}")
    _tell(session)


def forgive(trunk: Trunk) -> None:
    """Forget its failures: it begins anew."""
    trunk.faults = trunk.rest_seconds = 0
    trunk.resting_until = trunk.last_fault = trunk.last_fault_at = None


def is_usable(trunk: Trunk) -> bool:
    """May calls go through it now, but for its capacity?"""
    return not trunk.is_resting and not trunk.is_cut_off and not switches.is_away(trunk.switch)


def fault_share(session: Session, trunk_id: int, last: int = 50) -> tuple[float, int]:
    """The share of its last calls that failed for our reasons (0–1), and how many calls that is of."""
    newest = _newest(trunk_id, last)
    failed, total = session.execute(
        select(func.count().filter(newest.c.is_fault), func.count()).select_from(newest)
    ).one()
    return (failed / total if total else 0.0), total


def sweep(session: Session) -> None:
    """Forget old results."""
    session.execute(delete(TrunkResult).where(TrunkResult.at < real_now() - KEPT))


def _recover(session: Session, trunk: Trunk) -> None:
    if trunk.faults:
        was_resting = trunk.rest_seconds > 0
        forgive(trunk)
        if was_resting:
            audit.record(session, None, "trunks.recover", f"trunk/{trunk.id}")
        _tell(session)


def _rest(session: Session, trunk: Trunk, *, refused: bool) -> None:
    trunk.faults = max(trunk.faults, FAULTS_BEFORE_REST)  # also when the share sent it to rest
    trunk.rest_seconds = min(trunk.rest_seconds * 2, LONGEST_REST) if trunk.rest_seconds else FIRST_REST
    trunk.resting_until = real_now() + timedelta(seconds=trunk.rest_seconds)
    session.flush()
    audit.record(session, None, "trunks.rest", f"trunk/{trunk.id}", why=trunk.last_fault, seconds=trunk.rest_seconds)
    tell_later(session, "floor", alert="trunk", trunk_id=trunk.id)
    if refused and not any(is_usable(other) for other in trunk_book.enabled(session)):
        for queue in queues.running(session):
            if queue.carrier == CARRIER:
                queues.set_state(session, queue.id, "paused", "carrier:trunks_refused", None)


def _share(session: Session, trunk_id: int, last: int, *, full: bool) -> float:
    share, total = fault_share(session, trunk_id, last)
    return share if total == last or not full else 0.0


def _newest(trunk_id: int, last: int) -> Subquery:
    rows = select(TrunkResult.is_fault).where(TrunkResult.trunk_id == trunk_id)
    return rows.order_by(TrunkResult.id.desc()).limit(last).subquery()


def _bare(uri: str) -> str:
    """`user@host:port` of a SIP URI."""
    return uri.strip("<> ").removeprefix("sips:").removeprefix("sip:").partition(";")[0]


def _tell(session: Session) -> None:
    tell_later(session, "trunks")
    tell_later(session, "floor")
    tell_later(session, "dialer")
