"""Recordings while the call lives: what the operator says and wants, and what the switch is told, one thing at a time.

A row stands before the switch hears of a recording, and says for good which notice was read when, and what the citizen
answered. Its id names the files, and nothing else does.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import carriers, queues, switches
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger.call_ledger import Call
from callcenter.sound import recording_files
from callcenter.sound.recording_ledger import (
    FAULTS,
    LIVE,
    STATES,
    Recording,
    RecordingNotice,
    enter,
    forget,
    is_leased,
    locked,
    of_call,
)

ACTS = ("yes", "no", "pause", "resume")
AGAIN = timedelta(seconds=3)  # when the switch is asked again, or the sound looked for
LEASE = timedelta(seconds=20)  # in which one worker tells the switch one thing
PATIENCE = timedelta(minutes=1)  # then a job that Redis forgot is asked for again
FILE_PATIENCE = timedelta(minutes=10)  # the same for files: that queue's worker may be at a long list

# What the switch is told in a state when something else is wanted. Before the start a pause needs no word.
STEPS = {
    ("asked", "on"): "start", ("recording", "pause"): "pause", ("paused", "on"): "resume",
    ("recording", "off"): "stop", ("paused", "off"): "stop",
    ("recording", "end"): "stop", ("paused", "end"): "stop",
}  # fmt: skip
LEADS_TO = {"start": "recording", "pause": "paused", "resume": "recording"}


@dataclass(frozen=True)
class Order:
    """What to tell the switch: `act` (carriers.Switchboard.record) of the leg `ref`. `spool`: the switch's folder as
    this host sees it, None when it cannot."""

    id: UUID
    ref: str
    act: str
    spool: str | None = None


def begin(session: Session, call_id: UUID) -> Recording | None:
    """A call was connected: write down its recording when its queue records, and have the switch told after the commit.

    None when nothing is recorded. Asked again, it changes nothing."""
    call = session.get_one(Call, call_id)
    queue = queues.get(session, call.queue_id)
    ref = call.carrier_ref
    is_talk = call.operator_id is not None  # a machine that asks and takes keys is not recorded as a whole
    if queue.recording == "off" or not is_talk or ref is None or not carriers.can("record"):
        return None
    switch, must_ask = carriers.switch_of(ref), queue.recording == "ask"
    has_space = not recording_files.space().is_short
    row = {
        "id": uuid4(), "call_id": call_id, "switch": switch or "", "notice_id": queue.recording_notice_id,
        "leg_ref": None if switch else ref,
        "must_ask": must_ask, "wanted": "on" if has_space and not must_ask else "off",
        "state": "asked" if has_space else "lost", "fault": None if has_space else "no_space",
    }  # fmt: skip
    made: Recording | None = session.scalar(insert(Recording).values(row).on_conflict_do_nothing().returning(Recording))
    if made is None:
        return None
    if made.wanted == "on":
        _follow(session, made)
    if not has_space:
        tell_later(session, "floor")
    _tell(session, call)
    return made


def ended(session: Session, call_id: UUID) -> None:
    """The call is over, and with it its recording. Harmless when repeated, or when there is none."""
    recording = of_call(session, call_id)
    if recording is not None and recording.state in LIVE and not is_leased(recording):
        _close(recording)


def handed_out(session: Session, call_id: UUID) -> None:
    """The citizen talks on with somebody outside: that is no longer our call, and not recorded. Harmless when repeated,
    or when there is none."""
    recording = of_call(session, call_id)
    if recording is not None and recording.state in LIVE and recording.wanted not in ("off", "end"):
        recording.wanted = "end"
        _follow(session, recording)


def act(session: Session, call_id: UUID, operator_id: int, what: str) -> None:
    """What the operator says or wants, one of ACTS; `no` stops the recording and deletes it.

    Raises InvalidInput, NotFound, Refused."""
    if what not in ACTS:
        names = {"act": what[:20], "known": ", ".join(ACTS)}
        raise InvalidInput({"act": _("There is no such act: %(act)s. There are: %(known)s.", **names)})
    call = session.get(Call, call_id)
    if call is None or call.operator_id != operator_id or call.state not in ("connected", "wrap_up"):
        raise NotFound(_("There is no such call of yours."))
    recording = of_call(session, call_id)
    if recording is None:
        raise Refused("not_recorded", _("This call is not recorded."))
    if what == "yes":
        _accept(session, recording, operator_id)
    elif what == "no":
        _refuse(session, recording, operator_id)
    else:
        _change(session, recording, "on" if what == "resume" else "pause")
    _tell(session, call)


def _accept(session: Session, recording: Recording, operator_id: int) -> None:
    if recording.state not in LIVE or recording.answer == "no":
        raise Refused("recording_over", _("The recording of this call is over: nothing can be changed."))
    _note_answer(recording, operator_id, "yes")
    if recording.state == "asked":
        recording.wanted = "on"
        _follow(session, recording)


def _refuse(session: Session, recording: Recording, operator_id: int) -> None:
    if recording.held_at is not None:
        raise Refused("recording_held", _("This recording is being kept for a dispute. Tell your supervisor."))
    if recording.answer == "no":
        return
    _note_answer(recording, operator_id, "no")
    recording.wanted = "off"
    is_running = recording.state in ("recording", "paused") or is_leased(recording)
    if is_running and recording.state in LIVE:
        _follow(session, recording)
    elif recording.state not in ("lost", "deleted"):
        forget(recording, "refused", state="refused")


def _change(session: Session, recording: Recording, wanted: str) -> None:
    if recording.needs_consent:
        raise Refused("recording_unasked", _("Ask first whether the call may be recorded."))
    if recording.state not in LIVE or recording.wanted in ("off", "end"):
        raise Refused("recording_over", _("The recording of this call is over: nothing can be changed."))
    recording.wanted = wanted
    _follow(session, recording)


def _note_answer(recording: Recording, operator_id: int, answer: str) -> None:
    recording.answer, recording.answered_at, recording.answer_by = answer, real_now(), operator_id


def card(session: Session, call: Call) -> dict[str, Any] | None:
    """What the operator's screen shows of the call's recording; None when the call is not recorded."""
    found = session.execute(
        select(Recording, RecordingNotice.text)
        .join(RecordingNotice, RecordingNotice.id == Recording.notice_id)
        .where(Recording.call_id == call.id)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return None
    recording, notice = found
    return {
        "state": recording.state, "since": recording.since.isoformat(), "wanted": recording.wanted,
        "needs_consent": recording.needs_consent, "notice": notice, "label": str(STATES[recording.state]),
        "fault": str(FAULTS[recording.fault]) if recording.fault else None,
    }  # fmt: skip


def take(session: Session, recording_id: UUID) -> Order | None:
    """Claim the next thing to tell the switch; None when there is nothing, or somebody else is telling it."""
    recording = locked(session, recording_id)
    if is_leased(recording) or recording.state not in LIVE:
        return None
    recording.next_at = None
    if recording.state == "asked" and recording.in_spool:
        # Whoever told the switch to start died before its answer: it may be recording, and is never told twice.
        _enter_next(recording, "start")
    call = _open_call(session, recording)
    if call is None or call.carrier_ref is None:
        _close(recording)
        return None
    step = STEPS.get((recording.state, recording.wanted))
    if step is None:
        return None
    recording.leased_until = recording.next_at = real_now() + LEASE
    recording.in_spool = recording.in_spool or step == "start"
    return Order(recording.id, call.carrier_ref, step, switches.folder_of(session, recording.switch))


def told(session: Session, order: Order, fault: str | None = None, *, is_over: bool = False) -> None:
    """The switch has done what it was told; or `fault` (of FAULTS) says why not, or `is_over` that the leg is gone."""
    recording = locked(session, order.id)
    recording.leased_until = recording.next_at = None
    if recording.state not in LIVE:
        recording.next_at = real_now()  # deleted meanwhile: its file has to go
        return
    recording.fault = fault
    if fault is None and not is_over:
        _enter_next(recording, order.act)
    elif order.act == "start":
        recording.in_spool = False
    if fault is not None:
        recording.tries += 1
        recording.next_at = real_now() + AGAIN
    is_refused = fault in ("switch_refused", "no_space") and order.act == "start"
    if recording.state in LIVE and (is_over or is_refused or _open_call(session, recording) is None):
        _close(recording)
    call = session.get(Call, recording.call_id) if recording.call_id else None
    if call is not None:
        _tell(session, call)
    if fault == "no_space":
        tell_later(session, "floor")


def _enter_next(recording: Recording, step: str) -> None:
    recording.tries = 0
    recording.started_at = recording.started_at or real_now()
    if step == "stop":
        _close(recording)
    else:
        enter(recording, LEADS_TO[step])


def _close(recording: Recording) -> None:
    """The leg is gone: what was recorded is stored, unless the citizen refused."""
    recording.ended_at = recording.ended_at or real_now()
    recording.leased_until = recording.next_at = None
    if recording.answer == "no":
        forget(recording, "refused", state="refused")
    elif recording.state == "asked":
        unasked = recording.must_ask and recording.answer is None
        recording.fault = recording.fault or ("no_answer" if unasked else "not_started")
        recording.wanted = "off"
        enter(recording, "lost")
    else:
        enter(recording, "ended")
        recording.fault, recording.tries, recording.next_at = None, 0, real_now() + AGAIN


def _open_call(session: Session, recording: Recording) -> Call | None:
    """The call, while the citizen is there."""
    call = session.get(Call, recording.call_id, populate_existing=True) if recording.call_id else None
    return call if call is not None and call.hung_up_at is None else None


def close_forgotten(session: Session) -> int:
    """End the recordings whose call is over although nobody said so; returns how many."""
    over = select(Recording).join(Call, Call.id == Recording.call_id)
    over = over.where(Recording.state.in_(LIVE), Call.hung_up_at.is_not(None))
    found = session.scalars(over.with_for_update(of=Recording, skip_locked=True)).all()
    closed = [recording for recording in found if not is_leased(recording)]
    for recording in closed:
        _close(recording)
    return len(closed)


def sweep(session: Session, limit: int = 200) -> None:
    """Close what nobody closed, and give a worker what is due: the switch at once, files when there is time."""
    close_forgotten(session)
    session.flush()
    waiting = select(Recording).where(Recording.next_at <= real_now()).order_by(Recording.next_at).limit(limit)
    for recording in session.scalars(waiting.with_for_update(skip_locked=True)).all():
        recording.next_at = real_now() + (PATIENCE if recording.state in LIVE else FILE_PATIENCE)
        if recording.state in LIVE:
            enqueue_later(session, "callcenter.sound.recording_jobs.follow", str(recording.id), queue="urgent")
        else:
            enqueue_later(session, "callcenter.sound.recording_jobs.tend", str(recording.id), queue="bulk")


def _follow(session: Session, recording: Recording) -> None:
    """Have the switch told after the commit; when that job is lost, the sweep finds the row."""
    recording.next_at = recording.next_at or real_now() + AGAIN
    enqueue_later(session, "callcenter.sound.recording_jobs.follow", str(recording.id), queue="urgent")


def _tell(session: Session, call: Call) -> None:
    if call.operator_id is not None:
        tell_later(session, f"operator/{call.operator_id}")
