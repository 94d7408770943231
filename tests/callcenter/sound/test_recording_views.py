"""The pages: who may enter, what the filter finds, parts of the sound, and that every listening is written down."""

import csv
import html
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import ROLES, Role, User
from callcenter.base.clock import ZONE, real_now
from callcenter.sound import recording_files, recording_jobs, recording_search, recording_wave
from callcenter.sound.recording_ledger import Recording
from tests.base.conftest import token
from tests.callcenter.recording_cast import Talk, begun, hang_up, row, spoken, talk
from tests.conftest import ClientAs


@pytest.fixture
def stored(session: Session, spool: Path) -> Recording:
    """A recorded call whose sound is ours, with an outcome."""
    return keep(session, spool, talk(session, name="Zoila Prueba Cantú"))


def keep(session: Session, spool: Path, called: Talk) -> Recording:
    made = begun(session, called)
    recording_jobs.follow(str(made.id))
    hang_up(session, called)
    calls.dispose(session, called.id, called.seat.id, "completed")
    session.commit()
    spoken(spool, made)
    recording_jobs.tend(str(made.id))
    return row(session, called)


def listened(session: Session) -> list[tuple[str, str]]:
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [(entry.action, entry.subject) for entry in entries if entry.action.startswith("recordings.")]


def file_of(made: Recording) -> bytes:
    return b"".join(recording_files.storage("folder").read(made.id, 0, made.size or 0))


def post(client: FlaskClient, path: str, **given: str) -> Any:
    return client.post(path, data={"csrf_token": token(client, "/recordings/"), **given})


@pytest.mark.parametrize("role", ROLES)
def test_only_supervisors_and_administrators_enter(client_as: ClientAs, stored: Recording, role: str) -> None:
    client = client_as(role)
    status = 200 if role in ("supervisor", "administrator") else 403
    for path in ("", "list.csv", f"{stored.id}", f"{stored.id}/sound", f"{stored.id}/download"):
        assert client.get(f"/recordings/{path}").status_code == status, path


def test_nobody_hears_anything_before_signing_in(client: FlaskClient, stored: Recording) -> None:
    assert client.get(f"/recordings/{stored.id}/sound").status_code == 302


def test_the_sound_comes_whole_and_in_parts_and_is_kept_by_no_browser(client_as: ClientAs, stored: Recording) -> None:
    client, whole = client_as("supervisor"), file_of(stored)
    answer = client.get(f"/recordings/{stored.id}/sound")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "audio/flac", whole)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "no-store"
    size = len(whole)
    for asked, first, last in (("0-", 0, size - 1), ("10-19", 10, 19), ("-5", size - 5, size - 1), ("0-0", 0, 0)):
        part = client.get(f"/recordings/{stored.id}/sound", headers={"Range": f"bytes={asked}"})
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert part.headers["Cache-Control"] == "no-store"
        assert part.data == whole[first : last + 1]


@pytest.mark.parametrize(("asked", "status"), [("bytes=9999999-", 416), ("bytes=0-1,4-5", 200), ("lines=1-2", 200),
                                               ("bytes=x", 200), ("", 200)])  # fmt: skip
def test_a_part_that_there_is_not_or_nonsense_does_no_harm(
    client_as: ClientAs, stored: Recording, asked: str, status: int
) -> None:
    answer = client_as("supervisor").get(f"/recordings/{stored.id}/sound", headers={"Range": asked})
    assert answer.status_code == status


def test_a_listening_is_one_row_and_each_download_one(client_as: ClientAs, session: Session, stored: Recording) -> None:
    client = client_as("supervisor")
    client.get("/recordings/")
    client.get(f"/recordings/{stored.id}")
    assert listened(session) == [], "looking at a page is no listening"
    for part in ("0-", "100-", "7-"):
        client.get(f"/recordings/{stored.id}/sound", headers={"Range": f"bytes={part}"})
    assert listened(session) == [("recordings.listen", f"recording/{stored.id}")]
    client_as("administrator").get(f"/recordings/{stored.id}/sound")
    assert len(listened(session)) == 2
    for entry in session.scalars(select(AuditEntry).where(AuditEntry.action == "recordings.listen")):
        entry.at = real_now() - recording_search.STRETCH - timedelta(seconds=1)
    session.commit()
    client.get(f"/recordings/{stored.id}/sound")
    assert len(listened(session)) == 3
    for _ in range(2):
        answer = client.get(f"/recordings/{stored.id}/download")
        assert answer.headers["Content-Disposition"] == f"attachment; filename={stored.id}.flac"
    assert [action for action, _subject in listened(session)].count("recordings.download") == 2
    assert "Sofía Mena Prueba" in client.get(f"/recordings/{stored.id}").text


@pytest.mark.parametrize("path", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "1", "x.flac", str(UUID(int=7))])
def test_an_address_that_names_no_recording_finds_nothing(client_as: ClientAs, stored: Recording, path: str) -> None:
    for what in ("", "/sound", "/download"):
        assert client_as("administrator").get(f"/recordings/{path}{what}").status_code == 404


def test_a_recording_without_its_sound_says_so(client_as: ClientAs, session: Session, stored: Recording) -> None:
    recording_files.storage("folder").remove(stored.id)
    assert client_as("supervisor").get(f"/recordings/{stored.id}/sound").status_code == 404
    stored.state = "lost"
    session.commit()
    page = client_as("supervisor").get(f"/recordings/{stored.id}").text
    assert "<audio" not in page
    assert client_as("supervisor").get(f"/recordings/{stored.id}/sound").status_code == 404


def test_the_page_shows_the_notice_the_answer_and_the_picture(client_as: ClientAs, stored: Recording) -> None:
    page = client_as("supervisor").get(f"/recordings/{stored.id}").text
    assert "Esta llamada será grabada." in page
    assert "wave-left" in page
    assert "/contacts/" in page
    assert "Zoila" not in page, "the name stands on the page of the person"


def test_the_list_is_found_by_each_part_of_the_filter(client_as: ClientAs, session: Session, spool: Path) -> None:
    first, second = keep(session, spool, talk(session)), keep(session, spool, talk(session))
    second.asked_at, second.duration_ms = real_now() - timedelta(days=3), 65_000
    session.commit()
    today = real_now().astimezone(ZONE).date()
    call = session.get_one(calls.Call, first.call_id)
    client = client_as("supervisor")
    for asked, expected in {
        "": {first, second},
        f"since={today}": {first},
        f"until={today - timedelta(days=1)}": {second},
        f"since={today - timedelta(days=3)}&until={today - timedelta(days=3)}": {second},
        f"queue={call.queue_id}": {first},
        f"operator={call.operator_id}": {first},
        "outcome=completed": {first, second},
        "outcome=refused": set(),
        "seconds=60": {second},
        "state=stored": {first, second},
        "state=lost": set(),
        "since=ayer&queue=x&seconds=-1&state=y&outcome=z&page=0": {first, second},
    }.items():
        page = client.get(f"/recordings/?{asked}").text
        assert {made for made in (first, second) if str(made.id) in page} == expected, asked


def test_the_list_as_csv_names_no_citizen(client_as: ClientAs, session: Session, stored: Recording) -> None:
    answer = client_as("supervisor").get("/recordings/list.csv?state=stored")
    heads, line = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(heads) == len(line)
    assert line[-1] == str(stored.id)
    assert "Zoila" not in answer.text
    assert "+52" not in answer.text
    assert ("recordings.list", "recordings") in listened(session)


def test_space_is_shown_to_the_administrator_alone(client_as: ClientAs, stored: Recording) -> None:
    assert "stat-card" in client_as("administrator").get("/recordings/").text
    assert "stat-card" not in client_as("supervisor").get("/recordings/").text


def test_a_dispute_is_opened_and_ended_and_a_recording_deleted_with_reasons(
    client_as: ClientAs, session: Session, stored: Recording
) -> None:
    client, path = client_as("supervisor"), f"/recordings/{stored.id}"
    bad = post(client, f"{path}/hold", reason="  ")
    assert bad.status_code == 422
    assert 'role="alert"' in bad.text
    assert post(client, f"{path}/hold", reason="queja 14").status_code == 302
    assert "queja 14" in client.get(path).text
    assert post(client, f"{path}/delete", reason="por error").status_code == 409
    assert post(client, f"{path}/lift").status_code == 302
    long = post(client, f"{path}/delete", reason="x" * 301)
    assert long.status_code == 422
    assert "x" * 301 in long.text, "what was typed is not lost"
    assert post(client, f"{path}/delete", reason="por error").status_code == 302
    session.refresh(stored)
    assert (stored.state, stored.deletion_reason) == ("deleted", "por error")
    assert [action for action, _ in listened(session)] == ["recordings.hold", "recordings.lift", "recordings.delete"]
    assert "por error" in client.get(path).text


def test_a_deletion_without_the_pages_token_is_refused(client_as: ClientAs, stored: Recording) -> None:
    assert client_as("supervisor").post(f"/recordings/{stored.id}/delete", data={"reason": "x"}).status_code == 400


def test_the_operator_says_it_in_the_console(app: Flask, session: Session, spool: Path) -> None:
    called = talk(session, "ask")
    begun(session, called)
    client = app.test_client()
    with client.session_transaction() as cookie:
        user = session.get_one(User, called.seat.user_id)
        cookie["_user_id"], cookie["_fresh"] = user.fs_uniquifier, True
    user.roles = [session.scalars(select(Role).where(Role.name == "operator")).first() or Role(name="operator")]
    session.commit()
    headers = {"X-CSRFToken": token(client, "/console/"), "Accept": "application/json"}

    def act(what: object) -> Any:
        return client.post(f"/console/calls/{called.id}/recording", json={"act": what}, headers=headers)

    shown = client.get("/console/state").json
    assert shown is not None
    assert shown["call"]["recording"]["needs_consent"]
    assert shown["call"]["recording"]["notice"] == "Esta llamada será grabada."
    assert act("pause").status_code == 409
    assert act("maybe").status_code == 422
    assert act(None).status_code == 422
    assert act("yes").json["call"]["recording"]["wanted"] == "on"
    recording_jobs.follow(str(row(session, called).id))
    paused = act("pause").json["call"]["recording"]
    assert (paused["state"], paused["wanted"], paused["fault"]) == ("recording", "pause", None)
    assert act("no").json["call"]["recording"]["wanted"] == "off"
    recording_jobs.follow(str(row(session, called).id))
    state = client.get("/console/state").json
    assert state is not None
    assert state["call"]["recording"]["state"] == "refused"


@given(peaks=st.lists(st.integers(-5, 200), max_size=30))
def test_the_picture_stays_inside_its_frame(peaks: list[int]) -> None:
    drawn = recording_wave.wave({"left": peaks, "right": peaks[::-1]})
    if not peaks:
        assert drawn is None
        return
    assert f'viewBox="0 0 {len(peaks)} 100"' in str(drawn)
    levels = [float(level) for level in re.findall(r"V(-?[\d.]+)", str(drawn))]
    assert all(0 <= level <= 100 for level in levels)


def test_days_are_those_of_the_house() -> None:
    assert recording_search._midnight(date(2026, 11, 21)).utcoffset() == timedelta(hours=-6)


def test_why_a_call_was_not_recorded_stands_in_words(client_as: ClientAs, session: Session, stored: Recording) -> None:
    stored.state, stored.fault = "lost", "unreadable"
    session.commit()
    for path in ("/recordings/", f"/recordings/{stored.id}"):
        page = client_as("supervisor").get(path, headers={"Accept-Language": "en"}).text
        assert "The sound file of the switch cannot be read." in html.unescape(page)
