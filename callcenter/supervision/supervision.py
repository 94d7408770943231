"""Supervisors on the line: listening, coaching (only the operator hears them), joining. Who listened to what is kept.

A supervisor listens to an operator's own leg, which lasts from log-in to log-out: one listening spans many calls.
"""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import carriers
from callcenter.base import audit, flags
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.carriers import Ear
from callcenter.ledger import call_card
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator

MODES = ("listen", "coach", "join")
OPERATOR_SEES = "operator_sees_listening"  # the flag: does an operator see that somebody only listens?
ASKED = "asked-"  # how a reference begins until the carrier has named the leg
PATIENCE = timedelta(seconds=20)  # a page that did not take its leg by then does not


class Listening(Base):
    """One supervisor at one operator's line. `fault`: the carrier's code when it could not begin."""

    __tablename__ = "listenings"
    __table_args__ = (
        Index("uq_listenings_live", "user_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_listenings_operator", "operator_id", postgresql_where=text("ended_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    mode: Mapped[str]
    ref: Mapped[str | None]
    asked_at: Mapped[datetime] = mapped_column(default=real_now)
    heard_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    fault: Mapped[str | None]


def start(session: Session, user_id: int, operator_id: int, mode: str) -> Listening:
    """Begin at an operator's line; one that the supervisor has elsewhere ends. Raises Refused without an open room."""
    if not carriers.can("listen"):
        raise Refused("no_switchboard", _("This carrier cannot be listened to."))
    _check(mode)
    whose = operator(session, operator_id)
    if whose.user_id == user_id:
        raise Refused("own_line", _("This is your own line."))
    if whose.room_ref is None:
        raise Refused("no_room", _("This operator has no open line now."))
    stop(session, user_id)
    listening = Listening(user_id=user_id, operator_id=operator_id, mode=mode, asked_at=real_now())
    session.add(listening)
    session.flush()
    enqueue_later(session, "callcenter.ledger.call_act_jobs.listen", listening.id, queue="urgent")
    _note(session, listening, mode)
    return listening


def change(session: Session, user_id: int, mode: str) -> Listening:
    """Another mode on the line that the supervisor listens to. Raises NotFound without one."""
    _check(mode)
    listening = live_of(session, user_id)
    if listening is None:
        raise NotFound(_("You are listening to nobody."))
    if listening.mode == mode:
        return listening
    if listening.mode == "join" and carriers.has_switchboard():
        # Out of the room again: a new leg, since this one hears no single line any more.
        return start(session, user_id, listening.operator_id, mode)
    listening.mode = mode
    enqueue_later(session, "callcenter.ledger.call_act_jobs.set_listening", listening.id, queue="urgent")
    _note(session, listening, mode)
    return listening


def stop(session: Session, user_id: int) -> None:
    """End what the supervisor listens to; harmless without."""
    listening = live_of(session, user_id)
    if listening is None:
        return
    _hang_up_later(session, listening.ref)
    ended(session, listening.id)
    session.flush()


def live_of(session: Session, user_id: int) -> Listening | None:
    """What this supervisor listens to now, locked and fresh."""
    wanted = select(Listening).where(Listening.user_id == user_id, Listening.ended_at.is_(None))
    return session.scalar(wanted.with_for_update().execution_options(populate_existing=True))


def last_of(session: Session, user_id: int, operator_id: int) -> Listening | None:
    """The newest listening of this supervisor at this operator's line, with its fault when it could not begin."""
    wanted = select(Listening).where(Listening.user_id == user_id, Listening.operator_id == operator_id)
    return session.scalar(wanted.order_by(Listening.id.desc()).limit(1))


def call_of(session: Session, whose: Operator) -> dict[str, Any] | None:
    """The call on this line now, as a supervisor may see it: person, campaign, since when; None without one."""
    call = session.get(Call, whose.call_id, populate_existing=True) if whose.call_id else None
    return None if call is None else call_card.card(session, call)


def at_line(session: Session, operator_id: int) -> dict[str, Any] | None:
    """Who is at this operator's line, as the operator may know: always one who speaks, a mere listener by policy."""
    row = session.execute(
        select(Listening.mode, User.full_name)
        .join(User, User.id == Listening.user_id)
        .where(Listening.operator_id == operator_id, Listening.ended_at.is_(None), Listening.heard_at.is_not(None))
        .order_by(Listening.mode == "listen")
        .limit(1)
    ).first()
    if row is None or (row[0] == "listen" and not flags.is_on(session, OPERATOR_SEES)):
        return None
    return {"mode": row[0], "name": row[1]}


def claim(session: Session, listening_id: int) -> Ear | None:
    """Name the leg of a listening that nobody has asked the carrier for yet; None when it is over or asked for. Its
    reference is committed before the carrier hears of it, so that news of it are known however fast they come. A
    carrier that names legs itself tells of it by the listening's id (heard_of)."""
    wanted = find(session, listening_id)
    if wanted is None or wanted.ref is not None:
        return None
    listening, mark = _locked(session, listening_id), secrets.token_hex(4)
    switch = carriers.switch_of(wanted.operator_ref)
    listening.ref = f"{switch}/{wanted.account}-{mark}" if switch else ASKED + mark
    return replace(wanted, ref=listening.ref)


def begun(session: Session, listening_id: int, ref: str) -> None:
    """The carrier has taken the order; one that was given up meanwhile is taken down."""
    listening = _locked(session, listening_id)
    listening.ref = ref
    if listening.ended_at is not None:
        _hang_up_later(session, ref)


def find(session: Session, listening_id: int) -> Ear | None:
    """What the carrier is to be asked for; None when it is over or the operator's line is gone."""
    listening = session.get(Listening, listening_id, populate_existing=True, with_for_update=True)
    if listening is None or listening.ended_at is not None:
        return None
    whose = operator(session, listening.operator_id)
    if whose.room_ref is None:
        ended(session, listening_id, fault="no_room")
        return None
    account = f"sup-{listening.user_id}"
    return Ear(listening.id, account, whose.room_ref, f"op-{whose.id}", listening.mode, listening.ref)


def heard(session: Session, ref: str, kind: str) -> bool:
    """What the carrier says of a listener's leg: `up` or `ended`; False when it is none of ours."""
    listening_id = session.scalar(select(Listening.id).where(Listening.ref == ref))
    return listening_id is not None and heard_of(session, listening_id, ref, kind)


def heard_of(session: Session, listening_id: int, ref: str, kind: str) -> bool:
    """The same by the listening's own id; False when there is none, or it has another leg by now."""
    found = session.get(Listening, listening_id, with_for_update=True, populate_existing=True)
    if found is None or (found.ref != ref and not (found.ref or ASKED).startswith(ASKED)):
        return False
    found.ref = ref
    if kind == "ended":
        ended(session, listening_id)
    elif found.ended_at is not None:  # given up while the page was being rung
        _hang_up_later(session, ref)
    else:
        if found.heard_at is None and found.mode == "join":
            enqueue_later(session, "callcenter.ledger.call_act_jobs.set_listening", found.id, queue="urgent")
        found.heard_at = found.heard_at or real_now()
        tell_later(session, f"operator/{found.operator_id}")
    return True


def is_over(session: Session, ref: str) -> bool:
    """Has the listening to which this leg belongs ended?"""
    own = select(Listening.id).where(Listening.ref == ref, Listening.ended_at.is_not(None))
    return session.scalar(own.limit(1)) is not None


def ended(session: Session, listening_id: int, *, fault: str | None = None) -> None:
    """It is over; kept with its time. Harmless when repeated."""
    listening = _locked(session, listening_id)
    if listening.ended_at is None:
        listening.ended_at, listening.fault = real_now(), fault
        _note(session, listening, "end")


def sweep(session: Session) -> None:
    """End listenings that no page took, and those of people who may not sign in any more."""
    gone = select(Listening.user_id).join(User, User.id == Listening.user_id).where(Listening.ended_at.is_(None))
    for user_id in session.scalars(gone.where(User.active.is_(False))).all():
        stop(session, user_id)
    late = (Listening.heard_at.is_(None)) & (Listening.asked_at < real_now() - PATIENCE)
    for row in session.execute(select(Listening.id, Listening.ref).where(Listening.ended_at.is_(None), late)).all():
        _hang_up_later(session, row.ref)  # the page may have taken it, and the news have been lost
        ended(session, row.id, fault="not_taken")


def operator(session: Session, operator_id: int) -> Operator:
    """The operator, fresh. Raises NotFound."""
    found = session.get(Operator, operator_id, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such operator."))
    return found


def _check(mode: str) -> None:
    if mode not in MODES:
        raise InvalidInput({"mode": _("Choose: listen, coach or join.")})


def _hang_up_later(session: Session, ref: str | None) -> None:
    """After the commit, end the leg; one whose name we are only being told is ended when we know it (begun)."""
    if ref is not None and not ref.startswith(ASKED):
        enqueue_later(session, "callcenter.ledger.call_act_jobs.stop_listening", ref, queue="urgent")


def _locked(session: Session, listening_id: int) -> Listening:
    return session.get_one(Listening, listening_id, with_for_update=True, populate_existing=True)


def _note(session: Session, listening: Listening, act: str) -> None:
    whose = operator(session, listening.operator_id)
    call = str(whose.call_id) if whose.call_id else None
    audit.record(session, listening.user_id, f"floor.{act}", f"operator/{whose.id}", call=call)
    tell_later(session, f"operator/{whose.id}")
    tell_later(session, "floor")
