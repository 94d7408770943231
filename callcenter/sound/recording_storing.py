"""Recordings after the call: the switch's file becomes ours, and whatever has to go goes, again and again until it has.

A worker claims a row and commits, works on files without a transaction, and then writes down what came of it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.outbox import tell_later
from callcenter.ledger.call_ledger import Call
from callcenter.sound import recording_files, recording_sound
from callcenter.sound.recording_ledger import LIVE, Recording, enter, is_leased, locked
from callcenter.sound.recording_sound import Sound, Unusable

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=10)  # one file
SETTLED = timedelta(seconds=2)  # a file that was written to since may not be whole
FILE_PATIENCE = timedelta(minutes=2)  # a file that is not there by then was never written
REPAIRABLE = "unreadable"  # the switch's file stays for who can mend it, until its term
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)


@dataclass(frozen=True)
class Work:
    """One claimed recording, free of the session. `spool`: the switch's folder as this host sees it, None when it
    cannot. `storage`: where its file is, or is to be."""

    id: UUID
    state: str
    in_spool: bool
    spool: str | None
    storage: str | None
    ended_at: datetime | None


class Trouble(Exception):
    """The file cannot be had. `code`: one of recording_ledger.FAULTS; `is_final`: it never will."""

    def __init__(self, code: str, *, is_final: bool = False) -> None:
        self.code, self.is_final = code, is_final
        super().__init__(code)


def claim(session: Session, recording_id: UUID) -> Work | None:
    """Take a recording whose call is over for work on its files; None when there is nothing to do, or somebody does."""
    recording = locked(session, recording_id)
    is_kept_for_repair = recording.state == "lost" and recording.fault == REPAIRABLE
    if is_leased(recording) or recording.state in LIVE or is_kept_for_repair:
        return None
    has_files = recording.in_spool or (recording.storage is not None and recording.state != "stored")
    if not has_files:
        recording.next_at = None
        return None
    if recording.state == "ended":
        recording.storage = recording_files.kind()  # before it is filled: whatever breaks off is found again
    recording.leased_until = recording.next_at = real_now() + LEASE
    spool = switches.folder_of(session, recording.switch)
    return Work(
        recording.id, recording.state, recording.in_spool, spool, recording.storage, recording.ended_at
    )  # fmt: skip


def fetch(work: Work) -> Sound:
    """Make our file of the switch's, and keep it. Raises Trouble."""
    source, target = _source(work), recording_files.work_file(work.id)
    try:
        sound = recording_sound.convert(source, target)
        recording_files.storage(work.storage or "").keep(work.id, target)
    except Unusable as error:
        raise Trouble(error.code, is_final=True) from error
    except PermissionError as error:
        raise Trouble("no_right") from error
    except OSError as error:
        raise Trouble(recording_files.disk_trouble(error).code) from error
    except ProviderError as error:
        raise Trouble("no_space" if error.code == "no_space" else "storage") from error
    finally:
        target.unlink(missing_ok=True)
    return sound


def _source(work: Work) -> Path:
    """The switch's file, whole. Raises Trouble."""
    try:
        found = next((path for path in _spool_files(work) if path.exists()), None)
        written_at = found.stat().st_mtime if found else 0.0
    except OSError as error:
        raise Trouble("no_right" if isinstance(error, PermissionError) else "waiting") from error
    if found is None and (work.ended_at is None or work.ended_at < real_now() - FILE_PATIENCE):
        raise Trouble("no_file", is_final=True)
    if found is None or written_at > (real_now() - SETTLED).timestamp():
        raise Trouble("waiting")
    return found


def _spool_files(work: Work) -> tuple[Path, ...]:
    if work.spool is None or not Path(work.spool).is_dir():
        raise Trouble("no_folder")
    return recording_files.raw_files(work.spool, work.id)


def clear(work: Work) -> None:
    """Remove what must not be there: the switch's file, and ours of a recording that was deleted. Raises Trouble."""
    try:
        for path in _spool_files(work) if work.in_spool else ():
            path.unlink(missing_ok=True)
        if work.storage is not None and work.state != "stored":
            recording_files.work_file(work.id).unlink(missing_ok=True)
            recording_files.storage(work.storage).remove(work.id)
    except OSError as error:
        raise Trouble("no_right" if isinstance(error, PermissionError) else "storage") from error
    except ProviderError as error:
        raise Trouble("storage") from error


def stored(session: Session, work: Work, sound: Sound) -> None:
    """Our file is there, whole: now the switch's may go. One that was deleted meanwhile goes, too."""
    recording = locked(session, work.id)
    recording.leased_until, recording.next_at = None, real_now()
    if recording.state != "ended":
        return
    enter(recording, "stored")
    recording.stored_at, recording.fault, recording.tries = real_now(), None, 0
    recording.duration_ms, recording.size, recording.sha256 = sound.duration_ms, sound.size, sound.sha256
    recording.peaks = sound.peaks
    _tell(session, recording)


def cleared(session: Session, work: Work) -> None:
    """What must not be there is no longer there."""
    recording = locked(session, work.id)
    recording.leased_until = recording.next_at = None
    recording.in_spool, recording.tries = False, 0
    recording.fault = recording.fault if recording.state == "lost" else None
    if recording.state == work.state and work.state != "stored":
        recording.storage = None
    elif recording.state != work.state:
        recording.next_at = real_now()  # deleted meanwhile


def failed(session: Session, work: Work, trouble: Trouble) -> None:
    """Write down why; what may still come is tried again, less and less often."""
    recording = locked(session, work.id)
    recording.leased_until = None
    recording.fault = recording.fault if recording.state == "lost" else trouble.code
    recording.tries += 1
    wait = min(FIRST_WAIT * 2 ** min(recording.tries - 1, 10), LONGEST_WAIT)
    recording.next_at = real_now() + wait
    if recording.state != work.state:
        recording.next_at = real_now()
    elif trouble.is_final and recording.state == "ended":
        enter(recording, "lost")
        recording.storage = None
        recording.next_at = None if trouble.code == REPAIRABLE else real_now()
    _tell(session, recording)
    log.info("recording %s: %s, %d tries", work.id, trouble.code, recording.tries)


def _tell(session: Session, recording: Recording) -> None:
    """The operator may still be writing the call up."""
    call = session.get(Call, recording.call_id) if recording.call_id else None
    if call is not None and call.operator_id is not None:
        tell_later(session, f"operator/{call.operator_id}")
