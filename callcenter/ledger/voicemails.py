"""Messages left on answering machines: the campaign's own words, said once a person and campaign after the tone.

A call whose message is to be left is closed in the ledger as `voicemail`: no operator has it any more, and its leg is
on its way out of their room (voicemail_jobs). What the machine hears is asked for by the carrier itself
(machine_webhooks), as often as it likes.
"""

from datetime import timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers, queues
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound
from callcenter.base.outbox import enqueue_later
from callcenter.ledger.call_ledger import Call, CallEvent, keep_events, lock

CODE = "voicemail"  # both an outcome and an operator's word
JUDGED, SAID = "judged", "message_said"  # events: what the carrier thinks who picked up; the message was handed out
ENDED_GREETING = "machine_end"  # how the judgements begin that come with the tone
# Twilio judges for 30 s at most (https://www.twilio.com/docs/voice/answering-machine-detection).
TONE_PATIENCE = timedelta(seconds=35)
SAYING = timedelta(minutes=2)  # a leg that hears a message for longer is hung up: its end was never told


def leaves_message(session: Session, call: Call) -> bool:
    """Is a machine that takes this call to hear the campaign's message? Nobody hears it twice from one campaign."""
    queue = queues.get(session, call.queue_id)
    if not queue.voicemail_text or queue.machine_detection != "on" or not carriers.can("leave_messages"):
        return False
    said = select(CallEvent.id).join(Call, Call.id == CallEvent.call_id)
    said = said.where(Call.entry_id == call.entry_id, CallEvent.kind == SAID, Call.id != call.id)
    return call.entry_id is None or session.scalar(said.limit(1)) is None


def leave_later(session: Session, call: Call) -> None:
    """After the commit, take the leg out of the operator's room to where it hears the message."""
    enqueue_later(session, "callcenter.ledger.voicemail_jobs.leave", str(call.id), queue="urgent")


def words(session: Session, call_id: UUID) -> str | None:
    """What the leg hears now: the message; '' while the tone is still to come; None when there is nothing to say.

    The message is noted as said with the first answer that holds it. Raises NotFound."""
    call = lock(session, call_id)
    if call is None:
        raise NotFound(_("There is no such call."))
    if call.attempt.outcome != CODE:
        return None  # an operator took their word back, or a person was there after all
    judged = select(CallEvent.payload).where(CallEvent.call_id == call_id, CallEvent.kind == JUDGED)
    found = session.scalars(judged.order_by(CallEvent.id.desc()).limit(1)).first()
    if found is None:
        waits = call.answered_at is not None and real_now() < call.answered_at + TONE_PATIENCE
        return "" if waits else None
    if not str(found.get("AnsweredBy", "")).startswith(ENDED_GREETING):
        return None
    keep_events(session, [(call_id, SAID, SAID, {})])
    return queues.get(session, call.queue_id).voicemail_text


def overdue(session: Session) -> list[UUID]:
    """Calls that have heard their message for too long: nobody told us of their end."""
    late = select(Call.id).join(Attempt, Attempt.id == Call.id).where(
        Attempt.outcome == CODE, Call.connected_at.is_not(None), Call.hung_up_at.is_(None),
        Call.handed_out_at < real_now() - SAYING,
    )  # fmt: skip
    return list(session.scalars(late))
