"""Terms, a person's own recordings, and what health and the floor say of space."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.privacy import person_erasure, person_exports, privacy_jobs, retention, retention_policy
from callcenter.privacy.person_exports import PersonExport
from callcenter.sound import recording_files, recording_jobs, recording_keeping
from callcenter.sound.recording_ledger import Recording
from tests.callcenter.recording_cast import Talk, begun, hang_up, row, spoken, talk
from tests.conftest import ClientAs


@pytest.fixture
def stored(session: Session, spool: Path) -> Talk:
    """A recorded call whose sound is ours."""
    called = talk(session, name="Zoila Prueba Cantú")
    made = begun(session, called)
    recording_jobs.follow(str(made.id))
    hang_up(session, called)
    spoken(spool, made)
    recording_jobs.tend(str(made.id))
    assert row(session, called).state == "stored"
    return called


def person_of(session: Session, called: Talk) -> int:
    found = session.get_one(Attempt, called.id).contact_id
    assert found is not None
    return found


def ours(spool: Path) -> list[str]:
    return [path.stem for path in (spool.parent / "var").rglob("*.flac")]


def test_a_recording_goes_when_its_term_is_over_and_not_before(
    session: Session, stored: Talk, spool: Path, people: dict[str, User]
) -> None:
    terms = {kind: term.days for kind, term in retention_policy.TERMS.items()}
    retention_policy.change(session, terms, None, people["administrator"].id)
    retention_policy.confirm(session, people["administrator"].id)
    made = row(session, stored)

    def due() -> int:
        return next(one.count for one in retention.preview(session) if one.kind == "recordings")

    for days, count in ((29, 0), (31, 1)):
        made.ended_at = real_now() - timedelta(days=days)
        session.flush()
        assert due() == count
    session.commit()
    privacy_jobs.purge()
    made = row(session, stored)
    assert (made.state, made.deletion, made.next_at is not None) == ("deleted", "retention", True)
    recording_jobs.tend(str(made.id))
    assert ours(spool) == []
    assert due() == 0
    assert row(session, stored).next_at is None


def test_a_person_is_shown_their_recordings_with_the_sound(
    session: Session, stored: Talk, people: dict[str, User]
) -> None:
    asked = person_exports.ask(session, person_of(session, stored), people["administrator"].id)
    session.commit()
    privacy_jobs.make_export(asked.id)
    content = session.get_one(PersonExport, asked.id, populate_existing=True).content
    assert content
    made = row(session, stored)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        sound = file.read(f"recordings/{made.id}.flac")
        table = file.read("recordings.csv").decode("utf-8-sig")
    assert len(sound) == made.size
    assert sound[:4] == b"fLaC"
    assert "Esta llamada será grabada." in table
    assert f"recordings/{made.id}.flac" in table


def test_a_person_who_is_erased_takes_their_recordings_along(session: Session, stored: Talk, spool: Path) -> None:
    assert person_erasure.erase(session, [person_of(session, stored)])["recordings"] == 1
    session.commit()
    made = row(session, stored)
    assert (made.state, made.deletion, made.sha256, made.duration_ms) == ("deleted", "erased", None, None)
    assert ours(spool)
    recording_jobs.tend(str(made.id))
    assert ours(spool) == []


def test_what_is_held_for_a_dispute_goes_with_the_person_once_it_is_lifted(
    session: Session, stored: Talk, spool: Path, people: dict[str, User]
) -> None:
    made = row(session, stored)
    recording_keeping.hold(session, made.id, "queja de Zoila Prueba Cantú", people["supervisor"].id)
    person_erasure.erase(session, [person_of(session, stored)])
    session.commit()
    made = row(session, stored)
    assert (made.state, made.goes_after_hold, made.hold_reason) == ("stored", True, None)
    recording_keeping.lift(session, made.id, people["supervisor"].id)
    session.commit()
    assert row(session, stored).deletion == "erased"
    recording_jobs.tend(str(made.id))
    assert ours(spool) == []


def test_merged_people_keep_their_recordings(session: Session, stored: Talk) -> None:
    """They hang on the call, and the call moves."""
    assert session.get_one(Recording, row(session, stored).id).call_id == stored.id


def test_health_and_the_floor_say_that_the_disk_is_nearly_full(
    session: Session, spool: Path, client: FlaskClient, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part() -> dict[str, object]:
        answer = client.get("/healthz").json
        assert answer is not None
        found: dict[str, object] = answer["parts"]["recordings"]
        return found

    assert part() == {"ok": True, "essential": False}
    supervisor = client_as("supervisor")
    english = {"Accept-Language": "en"}
    assert "The disk is nearly full" not in supervisor.get("/floor/board", headers=english).text
    monkeypatch.setattr(recording_files, "space", lambda: recording_files.Space(5 * 2**20, 10 * 2**20))
    assert part() == {
        "ok": False, "essential": False, "why": "only 5 MB are left: no call is recorded, calls go on",
    }  # fmt: skip
    assert recording_keeping.trouble(session) is not None
    assert "The disk is nearly full" in supervisor.get("/floor/board", headers=english).text


def test_health_counts_what_has_waited_for_long(session: Session, spool: Path, client: FlaskClient) -> None:
    called = talk(session)
    made = begun(session, called)
    recording_jobs.follow(str(made.id))
    hang_up(session, called)
    assert recording_keeping.waiting(session) == 0
    row(session, called).since = real_now() - timedelta(hours=1)
    session.commit()
    assert recording_keeping.waiting(session) == 1
    answer = client.get("/healthz").json
    assert answer is not None
    assert "1 recordings have waited" in answer["parts"]["recordings"]["why"]
    assert recording_keeping.trouble(session)
