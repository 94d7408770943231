"""Calls that a recorded survey takes: what happened in each besides the answers; the keys pressed, and how fast.

A row outlives the program that talks: whatever was interrupted is taken up again, or closed with what it deserves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Identity, Index, Row, bindparam, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import calls, carriers, consent
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.ledger.call_ledger import Call
from callcenter.queues import CallQueue
from callcenter.switches import Switch
from surveys import interviews
from surveys.fieldwork import carried_talks
from surveys.fieldwork.carried_talks import CarriedTalk

AWAY = timedelta(seconds=15)  # a program that holds recorded surveys and was not heard of for so long is away
CARRIED = ("twilio", "simulated")  # carriers that ask for each step of a conversation (carried_interviews)
TALKED = ("answered", "connected")  # states of a call that a recorded survey may take
AFTER = (*TALKED, "wrap_up")  # of one of whom a word may still come
FORGOTTEN = timedelta(seconds=8)  # after a hang-up, when nobody has said what became of the call


class RecordedCall(Base):
    """One call that a recorded survey took. Times are real time; `heard_at`: when the program last heard of it (over a
    carrier's webhooks CarriedTalk.at says it).

    `interview_id`: None until the challenge key was pressed. `code`: the outcome, a code of ledger.dispositions."""

    __tablename__ = "recorded_calls"
    __table_args__ = (
        Index("ix_recorded_calls_open", "switch", postgresql_where=text("ended_at IS NULL")),
        Index("ix_recorded_calls_interview_id", "interview_id"),
    )
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    switch: Mapped[str]
    interview_id: Mapped[UUID | None] = mapped_column(ForeignKey("interviews.id", ondelete="SET NULL"))
    began_at: Mapped[datetime] = mapped_column(default=real_now)
    heard_at: Mapped[datetime] = mapped_column(default=real_now)
    met_challenge_at: Mapped[datetime | None]
    agreed_to_voice: Mapped[bool | None]
    code: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class Keystrokes(Base):
    """Keys pressed at one question. `offered`: key → code as they were read out; `prompt_ms`: how long the question
    takes to say; `after_ms`: from its end to the last key, negative for who did not wait for the end. Where a carrier
    says the question, nobody knows how long it takes: `prompt_ms` is None and `after_ms` counts from its beginning."""

    __tablename__ = "keystrokes"
    __table_args__ = (Index("ix_keystrokes_interview_id", "interview_id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    item: Mapped[str]
    keys: Mapped[str]
    offered: Mapped[dict[str, Any]]
    prompt_ms: Mapped[int | None]
    after_ms: Mapped[int]
    is_answer: Mapped[bool]
    at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Subject:
    """What a call is about, free of the session."""

    call_id: UUID
    survey_id: int
    sponsor: str
    notice: str
    direction: str
    queue_id: int | None
    contact_id: int | None


@dataclass(frozen=True)
class Talking:
    """A conversation between two steps. `subject`: None when its call takes none any more; `is_over`: its last word
    was said."""

    talk: CarriedTalk
    subject: Subject | None
    is_over: bool


def subject(session: Session, switch: str, channel: str) -> Subject | None:
    """What the call on this channel (its unique id) of a switch is about; None when it is no open call of ours."""
    row = session.execute(
        select(*_OF_CALL)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(Attempt, Attempt.id == Call.id)
        .where(_is_on(switch, channel), Call.state.in_(TALKED))
    ).first()
    return None if row is None else _subject(row)


def talking(session: Session, call_id: UUID) -> Talking | None:
    """The conversation of this call over a carrier's webhooks, held until the transaction ends, with what it is about;
    None when there is none. Also of one whose citizen has hung up: a last word may still come."""
    row = session.execute(_TALKING, {"call_id": call_id}).one_or_none()
    if row is None:
        return None
    is_open = row.state in AFTER
    return Talking(row.CarriedTalk, _subject(row) if is_open else None, row.ended_at is not None)


def _subject(row: Row[*tuple[Any, ...]]) -> Subject:
    kind, _slash, number = row.script.partition("/")
    return Subject(
        row.id, int(number) if kind == "survey" and number.isdecimal() else 0, row.on_behalf_of,
        row.privacy_notice_url, row.direction, row.queue_id, row.contact_id,
    )  # fmt: skip


_OF_CALL = (
    Call.id, Call.script, Call.direction, Call.state, Call.queue_id, CallQueue.on_behalf_of,
    CallQueue.privacy_notice_url, Attempt.contact_id,
)  # fmt: skip
# Built once, like those of interview_standing.
_TALKING = (
    select(CarriedTalk, RecordedCall.ended_at, *_OF_CALL)
    .outerjoin(RecordedCall, RecordedCall.call_id == CarriedTalk.call_id)
    .outerjoin(Call, Call.id == CarriedTalk.call_id)
    .outerjoin(CallQueue, CallQueue.id == Call.queue_id)
    .outerjoin(Attempt, Attempt.id == Call.id)
    .where(CarriedTalk.call_id == bindparam("call_id"))
    .with_for_update(of=CarriedTalk)
    .execution_options(populate_existing=True)
)


def _is_on(switch: str, channel: str) -> ColumnElement[bool]:
    """A call of ours has its own id as its channel's, also before the worker that placed it has written so."""
    named = Call.carrier_ref == f"{switch}/{channel}"
    try:
        return or_(named, Call.id == UUID(channel))
    except ValueError:
        return named


def begin(session: Session, call_id: UUID, switch: str) -> RecordedCall:
    """The row of this call, made when there is none."""
    now = real_now()
    row = insert(RecordedCall).values(call_id=call_id, switch=switch, began_at=now, heard_at=now)
    made = row.on_conflict_do_update(index_elements=["call_id"], set_={"switch": switch, "heard_at": now})
    found = made.returning(RecordedCall)
    return session.scalars(found, execution_options={"populate_existing": True}).one()


def enter_interview(session: Session, call_id: UUID, number: UUID, *, face: str = "agi") -> None:
    """The challenge was met: from now on it is an interview, with this id."""
    interview = interviews.open_for_call(session, call_id, None, face=face, number=number)
    met = {"interview_id": interview.id, "met_challenge_at": real_now(), "heard_at": real_now()}
    session.execute(update(RecordedCall).where(RecordedCall.call_id == call_id).values(met))


def agree_to_voice(session: Session, call_id: UUID, *, agreed: bool) -> None:
    session.get_one(RecordedCall, call_id, with_for_update=True).agreed_to_voice = agreed


def keep_keys(session: Session, call_id: UUID, strokes: Keystrokes) -> None:
    """Keys of a call whose interview has begun."""
    session.add(strokes)
    session.get_one(RecordedCall, call_id, with_for_update=True).heard_at = real_now()


def opt_out(session: Session, call_id: UUID) -> None:
    """Never again, said by key."""
    phone = session.scalar(select(Attempt.phone).where(Attempt.id == call_id))
    if phone is not None:
        consent.opt_out(session, phone, reason="call", proof=f"call/{call_id}", source="recording")


def finish(session: Session, call_id: UUID, code: str) -> bool:
    """The conversation is over with this outcome; False when it was closed before. Closes call and interview."""
    row = session.get(RecordedCall, call_id, with_for_update=True, populate_existing=True)
    if row is None or row.ended_at is not None:
        return False
    row.code, row.ended_at = code, real_now()
    calls.finish_unattended(session, call_id, code)
    interviews.close_call(session, call_id)
    return True


def interrupted(session: Session, switch: str) -> list[str]:
    """Channels (their unique ids) of recorded surveys on this switch that are up; with some of them nobody talks."""
    wanted = (
        select(Call.carrier_ref)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(RecordedCall, RecordedCall.call_id == Call.id)
        .where(CallQueue.answered_by == "recording", Call.state == "connected", Call.hung_up_at.is_(None))
        .where(RecordedCall.ended_at.is_(None), Call.carrier_ref.startswith(f"{switch}/", autoescape=True))
    )
    return [ref.partition("/")[2] for ref in session.scalars(wanted) if ref]


def deserved(session: Session, call_id: UUID) -> str:
    """The outcome of a conversation that ended without a word of ours: what its answers say."""
    if left := carried_talks.left_code(session, call_id):
        return left
    row = session.get(RecordedCall, call_id)
    if row is None or row.interview_id is None:
        return "no_reply"
    return interviews.suggested(session, call_id) or "refused"


def sweep(session: Session) -> int:
    """Close the conversations that nobody will close: their citizen has hung up, or their call was ended by others.

    Returns how many."""
    carried_talks.forget(session)
    late = real_now() - FORGOTTEN
    gone = (
        select(RecordedCall.call_id)
        .join(Call, Call.id == RecordedCall.call_id)
        .where(RecordedCall.ended_at.is_(None), or_(Call.hung_up_at < late, Call.ended_at < late))
        .limit(100)
    )
    return sum(finish(session, call_id, deserved(session, call_id)) for call_id in session.scalars(gone).all())


def say_alive(session: Session, switch: str) -> None:
    """The program of this switch runs."""
    session.query(Switch).filter(Switch.name == switch).update({"ivr_seen_at": real_now()}, synchronize_session=False)


def capacity(session: Session) -> int | None:
    """How many conversations are held at once: by the switches, None when no program that holds them runs anywhere;
    over a carrier's webhooks as many as it carries calls."""
    if carriers.the_name() in CARRIED:
        return carriers.the_carrier().lines(session)
    rows = session.execute(
        select(Switch.ivr_sessions).where(Switch.is_enabled, Switch.ivr_seen_at > real_now() - AWAY)
    ).all()
    return sum(row.ivr_sessions for row in rows) if rows else None
