"""Work of the surveys for a worker: ids in, nothing out, harmless when run twice. Each opens its own sessions."""

import logging
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import carriers, switches
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.sound import recording_files, recording_sound
from surveys.fieldwork.carried_talks import CARRIER
from surveys.voice import voice_answers
from surveys.voice.voice_answers import VoiceAnswer

log = logging.getLogger(__name__)


def keep_voice(voice_id: str) -> None:
    """Take a voice over from its switch or carrier: a file of ours, then theirs goes. What fails is tried by the
    sweep."""
    number = UUID(voice_id)
    with open_session() as session:
        voice = voice_answers.get(session, number)
        is_left, is_late = voice.state == "left", voice.at < real_now() - voice_answers.PATIENCE
        folder, ref = _place(session, voice)
        if is_left:
            voice.storage = recording_files.kind()
        kind = voice.storage or ""
        session.commit()
    try:
        if is_left and not _take_over(number, folder, ref, kind):
            if is_late:
                _lose(number)
            return
        if ref:
            _remove_from_carrier(number, ref)
    except ProviderError as error:
        log.warning("voice %s: %s", number, error.code)
        if is_left and ref and (error.permanent or is_late):  # the carrier has none, or never made one
            _lose(number)


def _take_over(number: UUID, folder: str | None, ref: str | None, kind: str) -> bool:
    """Make a file of ours of the voice; False when there is nothing to take yet. Raises ProviderError."""
    source = _fetch(number, ref) if ref else voice_answers.spool_file(folder, number) if folder else None
    if source is None or not source.exists():
        return False
    _keep(number, source, kind)
    return True


def _remove_from_carrier(number: UUID, ref: str) -> None:
    """What the carrier holds goes; until it says so, the sweep asks again. Raises ProviderError."""
    carriers.the_recorder().remove_sound(ref)
    with open_session() as session:
        voice_answers.get(session, number).carrier_ref = None
        session.commit()


def _place(session: Session, voice: VoiceAnswer) -> tuple[str | None, str | None]:
    """Where the sound is until we have it: a switch's folder, or a carrier's name for its recording."""
    if voice.switch == CARRIER:
        return None, voice.carrier_ref
    return switches.named(session, voice.switch).folder, None


def _fetch(number: UUID, ref: str) -> Path:
    """The carrier's recording as a file of ours. Raises ProviderError; `not_there` while it is being made."""
    target = recording_files.work_file(number).with_suffix(".wav")
    carriers.the_recorder().fetch_sound(ref, target)
    return target


def _keep(number: UUID, source: Path, kind: str) -> None:
    """No transaction is open while the file is made and stored."""
    target = recording_files.work_file(number)
    try:
        sound = recording_sound.convert(source, target)
    except recording_sound.Unusable:
        target.unlink(missing_ok=True)
        _lose(number)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise recording_files.disk_trouble(error) from error
    else:
        recording_files.storage(kind).keep(number, target)
        with open_session() as session:
            voice_answers.kept(session, number, storage=kind, duration_ms=sound.duration_ms, size=sound.size)
            session.commit()
    source.unlink(missing_ok=True)


def _lose(number: UUID) -> None:
    with open_session() as session:
        voice_answers.lost(session, number)
        session.commit()


def remove_voice(voice_id: str) -> None:
    """Remove the files of a voice that was deleted."""
    number = UUID(voice_id)
    with open_session() as session:
        voice = voice_answers.get(session, number)
        if voice.state != "going":
            return
        (folder, ref), kind = _place(session, voice), voice.storage
        session.commit()
    if folder:
        voice_answers.spool_file(folder, number).unlink(missing_ok=True)
    if ref:
        _remove_from_carrier(number, ref)
    if kind:
        recording_files.storage(kind).remove(number)
    with open_session() as session:
        voice_answers.removed(session, number)
        session.commit()
