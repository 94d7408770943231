"""Work on voice messages for a worker: an id in, nothing out, harmless when run twice. Each opens its own sessions."""

import logging
from pathlib import Path
from uuid import UUID

from callcenter import carriers
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.sound import recording_files, recording_sound, voice_messages
from callcenter.sound.recording_sound import Sound
from callcenter.sound.voice_messages import Work

log = logging.getLogger(__name__)


def tend(message_id: str) -> None:
    """Do what is due: look whether something was said, make a file of ours, remove what must not be there. What fails
    is tried again by the sweep."""
    with open_session() as session:
        work = voice_messages.claim(session, UUID(message_id))
        session.commit()
    if work is None:
        return
    try:
        if work.state == "asked":
            _look(work)
        elif work.state == "left":
            _keep(work)
        else:
            _clear(work)
    except ProviderError as error:
        log.warning("voice message %s: %s", work.id, error.code)


def _look(work: Work) -> None:
    """Nobody told us that a message was left: was one?"""
    if work.folder is not None:
        found, ref = voice_messages.spool_file(work.folder, work.id).exists(), None
    else:
        sounds = carriers.the_recorder().sounds_of(work.call_ref, source="RecordVerb")
        found, ref = bool(sounds), sounds[0].sid if sounds else None
    if not found and not work.is_late:
        return
    with open_session() as session:
        if found:
            voice_messages.left(session, work.id, ref)
        else:
            voice_messages.lost(session, work.id)
        session.commit()


def _keep(work: Work) -> None:
    """No transaction is open while the sound is fetched, made and stored."""
    target = recording_files.work_file(work.id)
    try:
        sound = _made(work, target)
    except OSError as error:
        raise recording_files.disk_trouble(error) from error
    finally:
        target.unlink(missing_ok=True)
        target.with_suffix(".wav").unlink(missing_ok=True)
    with open_session() as session:
        if sound is None:
            voice_messages.lost(session, work.id)
        else:
            voice_messages.kept(session, work, sound.duration_ms, sound.size)
        session.commit()
    _clear(work)


def _made(work: Work, target: Path) -> Sound | None:
    """Our file, kept; None when there is no sound, and never will be. Raises ProviderError, OSError."""
    try:
        sound = recording_sound.convert(_source(work, target.with_suffix(".wav")), target)
    except recording_sound.Unusable:
        return None
    except ProviderError as error:
        if error.permanent or (work.is_late and error.code == "not_there"):
            return None
        raise
    recording_files.storage(work.storage or "").keep(work.id, target)
    return sound


def _source(work: Work, copy: Path) -> Path:
    """The carrier's sound as a file: its own, or fetched to `copy`. Raises ProviderError."""
    if work.ref is not None:
        carriers.the_recorder().fetch_sound(work.ref, copy)
        return copy
    if work.folder is None:
        raise ProviderError("the switch's folder cannot be seen from here", code="no_folder")
    path = voice_messages.spool_file(work.folder, work.id)
    if not path.exists():
        raise ProviderError("the switch left no sound file", code="not_there")
    return path


def _clear(work: Work) -> None:
    """Remove the carrier's sound; and ours, when the message is to go."""
    if work.is_with_carrier and work.ref is not None:
        carriers.the_recorder().remove_sound(work.ref)
    elif work.folder is not None:
        voice_messages.spool_file(work.folder, work.id).unlink(missing_ok=True)
    if work.state == "going" and work.storage is not None:
        recording_files.storage(work.storage).remove(work.id)
    with open_session() as session:
        voice_messages.cleared(session, work)
        session.commit()
