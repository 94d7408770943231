"""A supervisor corrects what an operator said of a call. The ledger keeps both words, the reason, and who it was."""

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import calls, consent
from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_scripts import script_for
from callcenter.ledger.call_states import UNDO
from callcenter.ledger.dispositions import Disposition, disposition
from callcenter.queues import QueueEntry

LENGTH = 300


class OutcomeCorrection(Base):
    """From `was` to `now`, codes of ledger.dispositions. `is_followed`: the person's place in the queue followed
    the new word; not so where somebody has called them since."""

    __tablename__ = "outcome_corrections"
    __table_args__ = (Index("ix_outcome_corrections_call_id", "call_id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    was: Mapped[str]
    now: Mapped[str]
    reason: Mapped[str]
    is_followed: Mapped[bool]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(default=real_now)


def correct(session: Session, call_id: UUID, code: str, reason: str, user_id: int, *,
            callback_at: datetime | None = None) -> OutcomeCorrection:  # fmt: skip
    """Give a closed call another outcome, with what follows from it for the person. `callback_at`: campaign time.

    A person who was put on the list of those never called stays there. Raises InvalidInput, Refused, NotFound."""
    chosen, call = disposition(code), calls.locked(session, call_id)
    _refuse(call)
    was, reason = call.disposition or call.attempt.outcome or "", reason.strip()
    _check(session, chosen, was, reason, callback_at)
    is_followed = _may_follow(session, call)
    call.disposition, call.disposition_at = code, call.disposition_at or call.ended_at
    call.attempt.outcome = code
    made = OutcomeCorrection(call_id=call_id, was=was, now=code, reason=reason, is_followed=is_followed,
                             user_id=user_id)  # fmt: skip
    session.add(made)
    session.flush()
    calls.note_event(session, call, "corrected", was=was, now=code, correction=made.id)
    if is_followed:
        calls.take_effect(session, call, chosen, callback_at, None)
    elif chosen.effect == "suppress":
        consent.opt_out(session, call.attempt.phone, reason="call", proof=f"call/{call_id}", source="supervisor")
    script = script_for(call.script)
    if script is not None:
        script.ended(session, call_id)
    audit.record(session, user_id, "calls.correct_outcome", f"call/{call_id}", was=was, now=code)
    return made


def of_call(session: Session, call_id: UUID) -> list[tuple[OutcomeCorrection, str]]:
    """What was corrected, newest first, with the name of who did it."""
    rows = (
        select(OutcomeCorrection, User.full_name)
        .outerjoin(User, User.id == OutcomeCorrection.user_id)
        .where(OutcomeCorrection.call_id == call_id)
        .order_by(OutcomeCorrection.id.desc())
    )
    return [(row[0], row[1] or "") for row in session.execute(rows)]


def may_correct(call: Call) -> bool:
    """Is this a call of which an operator could say what became of it, and is it over?"""
    return call.state == "ended" and call.connected_at is not None and call.operator_id is not None


def _refuse(call: Call) -> None:
    if call.state != "ended":
        raise Refused("call_open", _("This call is not closed yet: the outcome is still its operator's to choose."))
    if not may_correct(call):
        raise Refused("nobody_spoke", _("No operator spoke in this call: its outcome is what the line said."))
    if call.disposition_at is not None and real_now() < call.disposition_at + UNDO:
        raise Refused("undo_open", _("The operator may still take this outcome back. Try again in ten seconds."))


def _check(session: Session, chosen: Disposition, was: str, reason: str, callback_at: datetime | None) -> None:
    faults = {}
    if chosen.code == was:
        faults["code"] = _("The call has this outcome already.")
    if not reason or len(reason) > LENGTH:
        faults["reason"] = _("Write why, in at most %(n)s characters.", n=LENGTH)
    if chosen.effect == "callback" and (callback_at is None or callback_at <= campaign_now(session)):
        faults["callback_at"] = _("Say when to call back: a time that is still to come.")
    if faults:
        raise InvalidInput(faults)


def _may_follow(session: Session, call: Call) -> bool:
    """Is this the last word on the person in this queue? Not when they are being called, were called since, or were
    taken out of the queue."""
    entry = session.get(QueueEntry, call.entry_id, with_for_update=True) if call.entry_id is not None else None
    if entry is None or entry.state not in ("waiting", "done"):
        return False
    later = exists().where(
        Call.entry_id == entry.id, Call.id != call.id, Attempt.id == Call.id, Attempt.at > call.attempt.at
    )
    return not session.scalar(select(later))
