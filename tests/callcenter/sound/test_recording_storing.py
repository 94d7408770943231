"""After the call: the switch's file becomes ours and goes from its folder; what has to go goes until it has gone."""

import errno
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from callcenter.base.settings import Recordings, Settings
from callcenter.sound import recording_files, recording_jobs, recording_keeping, recording_sound, recording_storing
from callcenter.sound.recording_ledger import Recording
from tests.callcenter import bucket as buckets
from tests.callcenter import recording_cast as the
from tests.callcenter.recording_cast import Talk, begun, hang_up, row, spoken, talk


@pytest.fixture
def over(session: Session, spool: Path) -> Talk:
    """A call that was recorded and is over."""
    called = talk(session)
    made = begun(session, called)
    recording_jobs.follow(str(made.id))
    hang_up(session, called)
    return called


def tend(session: Session, of: Talk) -> Recording:
    session.commit()
    recording_jobs.tend(str(row(session, of).id))
    return row(session, of)


def ours(folder: Path) -> list[Path]:
    return list((folder.parent / "var").rglob("*.flac"))


def test_the_switchs_file_becomes_ours_and_goes(session: Session, spool: Path, over: Talk) -> None:
    raw = spoken(spool, row(session, over))
    made = tend(session, over)
    assert (made.state, made.storage, made.duration_ms, made.in_spool) == ("stored", "folder", 2000, False)
    (kept,) = ours(spool)
    assert (kept.stem, kept.stat().st_size) == (str(made.id), made.size)
    assert not raw.exists()
    assert made.next_at is None
    assert made.peaks is not None


def test_the_switchs_file_stays_until_ours_is_in_the_ledger(session: Session, spool: Path, over: Talk) -> None:
    made = row(session, over)
    raw = spoken(spool, made)
    work = recording_storing.claim(session, made.id)
    session.commit()
    assert work is not None
    recording_storing.fetch(work)
    assert raw.exists(), "and the worker dies here"
    assert recording_storing.claim(session, made.id) is None, "for now it may still be at it"
    made.leased_until = real_now() - timedelta(seconds=1)
    assert tend(session, over).state == "stored"
    assert not raw.exists()
    assert len(ours(spool)) == 1


def test_a_file_that_is_still_being_written_is_left_alone(session: Session, spool: Path, over: Talk) -> None:
    raw = spoken(spool, row(session, over), age=0)
    made = tend(session, over)
    assert (made.state, made.fault) == ("ended", "waiting")
    assert made.next_at is not None
    assert raw.exists()


@pytest.mark.parametrize(("sound", "fault"), [(b"", "empty"), (b"\x00" * 40, "empty")])
def test_a_file_without_sound_is_lost_in_words(
    session: Session, spool: Path, over: Talk, sound: bytes, fault: str
) -> None:
    raw = spoken(spool, row(session, over), sound)
    made = tend(session, over)
    assert (made.state, made.fault, made.storage) == ("lost", fault, None)
    assert ours(spool) == []
    made = tend(session, over)
    assert not raw.exists()
    assert (made.fault, made.in_spool, made.next_at) == (fault, False, None)


def test_an_unreadable_file_stays_for_who_can_mend_it_until_its_term(session: Session, spool: Path, over: Talk) -> None:
    path = spoken(spool, row(session, over)).with_suffix(".wav")
    path.write_bytes(b"no sound at all" * 100)
    path.with_suffix(".raw").unlink()
    os.utime(path, (time.time() - 60,) * 2)
    made = tend(session, over)
    assert (made.state, made.fault, made.in_spool) == ("lost", "unreadable", True)
    assert path.exists()
    assert [found for (found,) in session.execute(recording_keeping.due_before(real_now() + timedelta(days=1)))] == [
        made.id
    ]
    recording_keeping.purge(session, [made.id])
    tend(session, over)
    assert not path.exists()


def test_a_file_that_never_comes_is_lost_after_a_while(session: Session, spool: Path, over: Talk) -> None:
    assert tend(session, over).fault == "waiting"
    made = row(session, over)
    made.ended_at = real_now() - recording_storing.FILE_PATIENCE - timedelta(seconds=1)
    made = tend(session, over)
    assert (made.state, made.fault) == ("lost", "no_file")
    assert tend(session, over).next_at is None


def test_a_folder_that_cannot_be_seen_loses_nothing(session: Session, spool: Path, over: Talk) -> None:
    the.switch(session, None)
    made = tend(session, over)
    assert (made.state, made.fault) == ("ended", "no_folder")
    the.switch(session, spool)
    spoken(spool, made)
    assert tend(session, over).state == "stored"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "full"), "no_space"),
        (PermissionError(errno.EACCES, "no"), "no_right"),
        (OSError(errno.EIO, "broken"), "storage"),
        (ProviderError("away", code="storage"), "storage"),
        (ProviderError("full", code="no_space"), "no_space"),
    ],
)
def test_what_may_pass_is_tried_again_less_and_less_often(
    session: Session, spool: Path, over: Talk, monkeypatch: pytest.MonkeyPatch, error: Exception, fault: str
) -> None:
    raw = spoken(spool, row(session, over))

    def fail(*_paths: Any) -> None:
        raise error

    waits = []
    with monkeypatch.context() as broken:
        broken.setattr(recording_sound, "convert", fail)
        for _ in range(3):
            made = tend(session, over)
            assert (made.state, made.fault) == ("ended", fault)
            assert made.next_at is not None
            waits.append(made.next_at - real_now())
    assert waits == sorted(waits)
    assert raw.exists()
    assert ours(spool) == []
    assert tend(session, over).state == "stored"


def test_in_a_bucket_it_is_kept_and_removed_until_the_bucket_answers(
    session: Session, spool: Path, over: Talk, settings: Settings, tmp_path: Path
) -> None:
    with buckets.running() as bucket:
        place = Recordings(
            s3_url=bucket.url, s3_bucket="convoca", s3_region="mx-central-1", s3_key_id="key", s3_secret="s"
        )
        recording_files.configure(replace(settings, var=tmp_path / "var", recordings=place))
        spoken(spool, row(session, over))
        bucket.answers = [503]
        assert tend(session, over).fault == "storage"
        made = tend(session, over)
        assert (made.state, made.storage) == ("stored", "bucket")
        assert [len(each) for each in bucket.objects.values()] == [made.size]
        assert ours(spool) == []
        recording_keeping.purge(session, [made.id])
        bucket.answers = [500]
        made = tend(session, over)
        assert (made.state, made.fault, made.storage) == ("deleted", "storage", "bucket")
        assert made.next_at is not None
        assert bucket.objects
        made = tend(session, over)
        assert (made.storage, made.next_at) == (None, None)
        assert bucket.objects == {}


def test_one_deleted_while_it_is_being_stored_goes_all_the_same(
    session: Session, spool: Path, over: Talk, people: dict[str, User]
) -> None:
    made = row(session, over)
    raw = spoken(spool, made)
    work = recording_storing.claim(session, made.id)
    session.commit()
    assert work is not None
    sound = recording_storing.fetch(work)
    recording_keeping.delete(session, made.id, "por error", people["supervisor"].id)
    session.commit()
    recording_storing.stored(session, work, sound)
    made = tend(session, over)
    assert (made.state, made.size, made.peaks) == ("deleted", None, None)
    assert ours(spool) == []
    assert not raw.exists()


def stored(session: Session, spool: Path, over: Talk) -> Recording:
    spoken(spool, row(session, over))
    return tend(session, over)


def test_what_is_held_for_a_dispute_outlives_its_term_and_a_hand(
    session: Session, spool: Path, over: Talk, people: dict[str, User]
) -> None:
    made, who = stored(session, spool, over), people["supervisor"].id
    recording_keeping.hold(session, made.id, "queja 14", who)
    far = real_now() + timedelta(days=400)
    assert session.execute(recording_keeping.due_before(far)).all() == []
    for forbidden in (recording_keeping.delete, recording_keeping.hold):
        with pytest.raises(Refused):
            forbidden(session, made.id, "otra", who)
    recording_keeping.lift(session, made.id, who)
    assert session.execute(recording_keeping.due_before(far)).all() == [(made.id,)]
    with pytest.raises(Refused):
        recording_keeping.lift(session, made.id, who)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_who_deletes_or_holds_says_why(
    session: Session, spool: Path, over: Talk, people: dict[str, User], reason: str
) -> None:
    made = stored(session, spool, over)
    for act in (recording_keeping.delete, recording_keeping.hold):
        with pytest.raises(InvalidInput):
            act(session, made.id, reason, people["supervisor"].id)


def test_a_recording_that_is_going_on_is_not_deleted(session: Session, spool: Path, people: dict[str, User]) -> None:
    made = begun(session, talk(session))
    with pytest.raises(Refused):
        recording_keeping.delete(session, made.id, "por error", people["supervisor"].id)


def test_what_was_said_and_answered_outlives_the_sound(
    session: Session, spool: Path, over: Talk, people: dict[str, User]
) -> None:
    made = stored(session, spool, over)
    notice = (made.notice_id, made.notice_at)
    recording_keeping.delete(session, made.id, "por error", people["supervisor"].id)
    made = tend(session, over)
    assert (made.notice_id, made.notice_at) == notice
    assert (made.deletion, made.deletion_reason, made.sha256, made.duration_ms) == ("by_hand", "por error", None, None)
    assert ours(spool) == []
