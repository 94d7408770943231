"""Recordings that the carrier makes and holds: fetched, deleted there, asked for when nobody tells, lost by name."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter import carriers, recordings
from callcenter.base import outbox
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.carriers import OF_CALLS, OF_VERBS, RemoteSound
from callcenter.sound import recording_files, recording_jobs, remote_sounds
from callcenter.sound.recording_ledger import Recording
from tests.callcenter import recording_cast as the
from tests.callcenter.recording_cast import GONE, UNKNOWN, FakeRecorder, Talk, begun, hang_up, row

DONE = RemoteSound("RE1", "completed", OF_CALLS)


@pytest.fixture
def board(app: Flask, session: Session, tmp_path: Path, settings: Settings) -> Iterator[FakeRecorder]:
    fake = FakeRecorder(wav=the.wav())
    carriers.use({"simulated": fake})
    recording_files.configure(replace(settings, var=tmp_path / "var"))
    yield fake
    carriers.use({})
    recording_files.configure(settings)


@pytest.fixture
def over(session: Session, board: FakeRecorder) -> Talk:
    """A call that was recorded and is over."""
    called = the.talk(session, carrier="simulated")
    recording_jobs.follow(str(begun(session, called).id))
    hang_up(session, called)
    return called


def tend(session: Session, of: Talk) -> Recording:
    session.commit()
    recording_jobs.tend(str(row(session, of).id))
    session.expire_all()
    return row(session, of)


def ended_ago(session: Session, of: Talk, ago: timedelta) -> None:
    row(session, of).ended_at = real_now() - ago
    session.commit()


def test_a_leg_is_recorded_by_its_carrier(session: Session, board: FakeRecorder) -> None:
    called = the.talk(session, carrier="simulated")
    made = begun(session, called)
    assert (made.state, made.switch, made.leg_ref) == ("asked", "", called.call.carrier_ref)
    recording_jobs.follow(str(made.id))
    recordings.act(session, called.id, called.seat.id, "pause")
    session.commit()
    recording_jobs.follow(str(made.id))
    assert board.told == [(made.leg_ref, str(made.id), "start"), (made.leg_ref, str(made.id), "pause")]
    assert row(session, called).state == "paused"


def test_what_the_carrier_recorded_becomes_ours_and_goes_there(
    session: Session, board: FakeRecorder, over: Talk
) -> None:
    board.sounds = [RemoteSound("RE9", "completed", OF_VERBS), DONE]
    made = tend(session, over)
    assert (made.state, made.storage, made.duration_ms, made.in_spool, made.next_at) == (
        "stored", "folder", 2000, False, None
    )  # fmt: skip
    assert (board.fetched, board.removed) == (["RE1"], ["RE1"])  # a voice of the survey's stays where it is
    left = b"".join(recording_files.storage("folder").read(made.id, 0, made.size or 0))
    assert left[:4] == b"fLaC"


@pytest.mark.parametrize("status", ["in-progress", "paused", "stopped", "processing"])
def test_what_is_not_finished_is_waited_for_and_then_named_lost(
    session: Session, board: FakeRecorder, over: Talk, status: str
) -> None:
    board.sounds = [replace(DONE, status=status)]
    assert (tend(session, over).state, row(session, over).fault) == ("ended", "waiting")
    assert (row(session, over).next_at or real_now()) > real_now()
    ended_ago(session, over, remote_sounds.ARRIVAL + timedelta(seconds=1))
    assert (tend(session, over).state, row(session, over).fault) == ("lost", "not_arrived")
    assert tend(session, over).in_spool is False
    assert board.removed == ["RE1"]


def test_a_recording_that_never_began_is_lost_after_two_minutes(
    session: Session, board: FakeRecorder, over: Talk
) -> None:
    assert (tend(session, over).state, row(session, over).fault) == ("ended", "waiting")
    ended_ago(session, over, remote_sounds.BEGUN + timedelta(seconds=1))
    assert (tend(session, over).state, row(session, over).fault) == ("lost", "no_file")


@pytest.mark.parametrize("status", ["absent", "failed"])
def test_a_recording_without_sound_is_lost_at_once(
    session: Session, board: FakeRecorder, over: Talk, status: str
) -> None:
    board.sounds = [replace(DONE, status=status)]
    assert (tend(session, over).state, row(session, over).fault) == ("lost", "empty")


@pytest.mark.parametrize(
    ("fault", "state", "told"),
    [
        (ProviderError("x", code="cut_off"), "ended", "carrier_away"),
        (ProviderError("x", code="20003", permanent=True), "ended", "carrier_away"),
        (ProviderError("x", code="not_there"), "ended", "waiting"),
        (ProviderError("x", code="gone", permanent=True), "lost", "no_file"),
        (OSError(28, "No space left on device"), "ended", "no_space"),
    ],
)
def test_what_cannot_be_fetched_says_why(
    session: Session, board: FakeRecorder, over: Talk, monkeypatch: pytest.MonkeyPatch, fault: Exception, state: str,
    told: str,
) -> None:  # fmt: skip
    board.sounds = [DONE]

    def fetch(sid: str, target: Path) -> None:
        target.write_bytes(b"half")
        raise fault

    monkeypatch.setattr(board, "fetch_sound", fetch)
    made = tend(session, over)
    assert (made.state, made.fault) == (state, told)
    assert not list(recording_files.work_file(made.id).parent.iterdir())  # nothing half is left behind


def test_a_no_deletes_the_carriers_sound_too(session: Session, board: FakeRecorder) -> None:
    called = the.talk(session, carrier="simulated")
    made = begun(session, called)
    recording_jobs.follow(str(made.id))
    recordings.act(session, called.id, called.seat.id, "no")
    session.commit()
    recording_jobs.follow(str(made.id))
    board.sounds = [DONE]
    assert tend(session, called).state == "refused"
    assert (board.acts, board.fetched, board.removed) == (["start", "stop"], [], ["RE1"])


def test_a_start_whose_answer_was_lost_is_not_repeated_and_its_sound_is_found(
    session: Session, board: FakeRecorder
) -> None:
    called = the.talk(session, carrier="simulated")
    board.fails = UNKNOWN
    recording_jobs.follow(str(begun(session, called).id))
    board.fails = None
    recording_jobs.follow(str(row(session, called).id))
    assert board.acts == ["start"]
    hang_up(session, called)
    board.sounds = [DONE]
    assert tend(session, called).state == "stored"


def test_a_leg_that_is_gone_before_it_was_recorded_leaves_nothing(session: Session, board: FakeRecorder) -> None:
    called = the.talk(session, carrier="simulated")
    board.fails = GONE
    recording_jobs.follow(str(begun(session, called).id))
    assert (row(session, called).state, row(session, called).fault) == ("lost", "not_started")


def test_an_installation_with_another_carrier_keeps_asking(session: Session, board: FakeRecorder, over: Talk) -> None:
    carriers.use({"asterisk": board})
    assert (tend(session, over).state, row(session, over).fault) == ("ended", "carrier_away")


# What the carrier tells


def post(client: FlaskClient, settings: Settings, recording_id: UUID, *, token: str | None = None) -> int:
    path, form = f"/hooks/voice/recording/{recording_id}", {"RecordingSid": "RE1", "RecordingStatus": "completed"}
    signed = RequestValidator(token or settings.twilio.auth_token)
    signature = signed.compute_signature(settings.public_url + path, form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code


def waiting_jobs() -> int:
    return int(outbox.redis().llen("rq:queue:bulk"))


def test_news_of_a_finished_recording_bring_a_worker_at_once(
    app: Flask, session: Session, board: FakeRecorder, over: Talk, settings: Settings
) -> None:
    row(session, over).next_at = real_now() + timedelta(minutes=5)
    session.commit()
    before, made = waiting_jobs(), row(session, over).id
    session.commit()
    assert post(app.test_client(), settings, made, token="of-somebody-else") == 403
    assert waiting_jobs() == before
    assert [post(app.test_client(), settings, made) for _ in range(2)] == [204, 204]
    assert waiting_jobs() == before + 2
    session.expire_all()
    assert (row(session, over).next_at or real_now()) <= real_now()


def test_news_come_before_the_hang_up_was_told(
    app: Flask, session: Session, board: FakeRecorder, settings: Settings
) -> None:
    called = the.talk(session, carrier="simulated")
    made = begun(session, called)
    recording_jobs.follow(str(made.id))
    session.commit()
    assert post(app.test_client(), settings, made.id) == 204
    session.expire_all()
    assert row(session, called).state == "ended"


def test_what_arrives_after_it_was_named_lost_goes_there(
    app: Flask, session: Session, board: FakeRecorder, over: Talk, settings: Settings
) -> None:
    ended_ago(session, over, remote_sounds.ARRIVAL * 2)
    tend(session, over)
    assert tend(session, over).in_spool is False
    board.sounds = [DONE]
    made = row(session, over).id
    session.commit()
    assert post(app.test_client(), settings, made) == 204
    session.expire_all()
    assert tend(session, over).state == "lost"
    assert (board.fetched, board.removed) == ([], ["RE1"])


def test_news_of_a_recording_that_is_not_ours_are_nothing(app: Flask, settings: Settings) -> None:
    assert post(app.test_client(), settings, UUID(int=5)) == 404
