"""Whose voice messages are, how long they stay, and what a person is shown of theirs."""

from collections.abc import Callable
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.privacy import person_register, retention
from callcenter.privacy.person_register import Attachment, Gone, Sheet
from callcenter.sound import recording_files, voice_messages
from callcenter.sound.voice_messages import STATES, VoiceMessage


def compose() -> None:
    """Put voice messages into the registers of personal data and of terms."""
    retention.register("voice_messages", voice_messages.older_than, _purge)
    person_register.register("voice_messages", export=export, erase=erase, tables=("voice_messages",))


def export(session: Session, contact_id: int) -> list[Sheet]:
    """The messages that a person left, with their sound."""
    found = _of(session, Attempt.contact_id == contact_id)
    rows = [
        (one.at, str(STATES[one.state]), (one.duration_ms or 0) // 1000, _name(one) if one.state == "kept" else None)
        for one in found
    ]
    files = [Attachment(_name(one), _reader(one)) for one in found if one.state == "kept"]
    columns = [_l("When"), _l("State"), _l("Seconds"), _l("File")]
    return [Sheet("voice_messages", _l("Messages you left by telephone"), columns, rows, files)]


def erase(session: Session, gone: Gone) -> dict[str, int]:
    """Their messages go, also those that came from their phone before anybody knew whose it was."""
    theirs = or_(Attempt.contact_id.in_(gone.ids), Attempt.phone.in_(gone.phones))
    return {"voice_messages": voice_messages.remove(session, [one.id for one in _of(session, theirs)], None)}


def _of(session: Session, condition: ColumnElement[bool]) -> list[VoiceMessage]:
    wanted = select(VoiceMessage).join(Attempt, Attempt.id == VoiceMessage.call_id).where(condition)
    return list(session.scalars(wanted.order_by(VoiceMessage.at)))


def _purge(session: Session, ids: list[UUID]) -> int:
    return voice_messages.remove(session, ids, None)


def _name(message: VoiceMessage) -> str:
    return f"voice_messages/{message.id}.flac"


def _reader(message: VoiceMessage) -> Callable[[], bytes]:
    storage, message_id, size = message.storage or "", message.id, message.size or 0
    return lambda: b"".join(recording_files.storage(storage).read(message_id, 0, size))
