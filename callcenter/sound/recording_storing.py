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
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger.call_ledger import Call
from callcenter.sound import recording_files, recording_sound, remote_sounds
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
    cannot; `leg_ref`: the leg of which the carrier holds the sound. `storage`: where its file is, or is to be."""

    id: UUID
    state: str
    in_spool: bool
    spool: str | None
    storage: str | None
    ended_at: datetime | None
    leg_ref: str | None = None


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
        recording.id, recording.state, recording.in_spool, spool, recording.storage, recording.ended_at,
        recording.leg_ref,
    )  # fmt: skip


def fetch(work: Work) -> Sound:
    """Make our file of the switch's, or of the carrier's, and keep it. Raises Trouble."""
    target = recording_files.work_file(work.id)
    source = _brought(work, target.with_suffix(".wav")) if work.leg_ref else _source(work)
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
        if work.leg_ref:
            source.unlink(missing_ok=True)
    return sound


def _brought(work: Work, target: Path) -> Path:
    """What the carrier recorded, here. Raises Trouble."""
    try:
        remote_sounds.bring(work.leg_ref or "", work.ended_at, target)
    except ProviderError as error:
        target.unlink(missing_ok=True)
        raise Trouble(error.code or "carrier_away", is_final=error.permanent) from error
    except OSError as error:
        target.unlink(missing_ok=True)
        raise Trouble(recording_files.disk_trouble(error).code or "storage") from error
    return target


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
    """Remove what must not be there: the switch's or the carrier's sound, and ours of a recording that was deleted.
    Raises Trouble."""
    try:
        if work.in_spool and work.leg_ref:
            remote_sounds.remove(work.leg_ref)
        for path in _spool_files(work) if work.in_spool and not work.leg_ref else ():
            path.unlink(missing_ok=True)
        if work.storage is not None and work.state != "stored":
            recording_files.work_file(work.id).unlink(missing_ok=True)
            recording_files.storage(work.storage).remove(work.id)
    except OSError as error:
        raise Trouble("no_right" if isinstance(error, PermissionError) else "storage") from error
    except ProviderError as error:
        raise Trouble("carrier_away" if error.code == "carrier_away" else "storage") from error


def finished_there(session: Session, recording_id: UUID) -> None:
    """The carrier says that it has finished a recording: a worker fetches it, or deletes there what nobody wants any
    more. Harmless when repeated. Raises NotFound."""
    recording = locked(session, recording_id)
    if recording.leg_ref is None or recording.state in LIVE or is_leased(recording):
        return
    recording.in_spool = recording.in_spool or recording.state in ("lost", "refused", "deleted")
    recording.next_at = real_now()
    enqueue_later(session, "callcenter.sound.recording_jobs.tend", str(recording.id), queue="bulk")


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
