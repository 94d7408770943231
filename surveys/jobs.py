"""Work of the surveys for a worker: ids in, nothing out, harmless when run twice. Each opens its own sessions."""

import logging
from pathlib import Path
from uuid import UUID

from callcenter import switches
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.sound import recording_files, recording_sound
from surveys.voice import voice_answers

log = logging.getLogger(__name__)


def keep_voice(voice_id: str) -> None:
    """Take a voice over from its switch: a file of ours, then the switch's goes. What fails is tried by the sweep."""
    number = UUID(voice_id)
    with open_session() as session:
        voice = voice_answers.get(session, number)
        if voice.state != "left":
            return
        folder, is_late = switches.named(session, voice.switch).folder, voice.at < real_now() - voice_answers.PATIENCE
        voice.storage = recording_files.kind()
        kind = voice.storage
        session.commit()
    source = voice_answers.spool_file(folder, number) if folder else None
    if source is None or not source.exists():
        if is_late:
            _lose(number)
        return
    try:
        _keep(number, source, kind)
    except ProviderError as error:
        log.warning("voice %s: %s", number, error.code)


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
        folder, kind = switches.named(session, voice.switch).folder, voice.storage
        session.commit()
    if folder:
        voice_answers.spool_file(folder, number).unlink(missing_ok=True)
    if kind:
        recording_files.storage(kind).remove(number)
    with open_session() as session:
        voice_answers.removed(session, number)
        session.commit()
