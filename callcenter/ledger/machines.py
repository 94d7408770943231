"""Who picked up, as the carrier judges it while the call goes on already (Twilio's asynchronous machine detection).

The judgement comes seconds after the answer, when an operator or a recorded survey talks. A machine's call is taken
from them: it is closed as `machine`, or as `voicemail` when the campaign leaves a message. Whoever has answered a
question is a person, whatever is said.
https://www.twilio.com/docs/voice/answering-machine-detection
"""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import calls, queues, recordings
from callcenter.calls import Call, Event
from callcenter.ledger import voicemails
from callcenter.ledger.call_scripts import script_for
from callcenter.queueing import queue_entries

MAY_BE = ("ringing", "answered", "connected")  # states in which a judgement may still change something


def judged(session: Session, call_id: UUID, answered_by: str, said: dict[str, Any]) -> None:
    """Keep what the carrier says (`said`: raw, without phones), and do what the queue wants of it. Harmless when
    repeated. Raises NotFound."""
    call = calls.locked(session, call_id)
    calls.record_event(session, call_id, Event(voicemails.JUDGED, f"judged:{answered_by}", said))
    is_wanted = queues.get(session, call.queue_id).machine_detection == "on"
    if not is_wanted or not is_machine(answered_by):
        return
    if call.state == "ended" and call.attempt.outcome == "abandoned":
        _nobody_was_left_waiting(session, call)
    if call.state not in MAY_BE or _has_answers(session, call):
        return
    leaves = answered_by.startswith(voicemails.ENDED_GREETING) and voicemails.leaves_message(session, call)
    kind, was_connected = voicemails.CODE if leaves else "machine", call.state == "connected"
    calls.record_event(session, call_id, Event(kind, kind, said))
    script = script_for(call.script)
    if was_connected and script is not None:
        script.ended(session, call_id)
    recordings.handed_out(session, call_id)
    if leaves:
        voicemails.leave_later(session, call)
    else:
        calls.hang_up_later(session, call_id)


def _nobody_was_left_waiting(session: Session, call: Call) -> None:
    """No operator was free, and it was a machine that picked up: only a person can be abandoned. The machine's own rule
    says when they are called again; what the house had begun for a person (rest elsewhere, an apology) stays."""
    call.attempt.outcome = "machine"
    queue_entries.settle_again(session, call.entry_id, "machine")


def is_machine(answered_by: str) -> bool:
    """`human` and `unknown` are people; so is every word that we do not know."""
    return answered_by == "fax" or answered_by.startswith("machine_")


def _has_answers(session: Session, call: Call) -> bool:
    script = script_for(call.script)
    return call.state == "connected" and script is not None and script.suggested(session, call.id) is not None
