"""Hearing single questions: their place in the recording, who is heard next, what was judged."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.sound import recording_ledger
from callcenter.sound.recording_ledger import Recording
from surveys.checks import question_sounds
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Survey
from tests.surveys import quality_cast
from tests.surveys.quality_cast import person

ClientAs = Callable[[str], FlaskClient]
NewCall = Callable[..., UUID]


@pytest.fixture(autouse=True)
def _without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


def recorded(session: Session, one: Interview, *, state: str = "stored") -> Recording:
    """A recording of the interview's call that began a minute before its first answer and lasts three."""
    answers = session.scalars(select(Answer).where(Answer.interview_id == one.id).order_by(Answer.id)).all()
    for number, answer in enumerate(answers):
        answer.at = one.started_at + timedelta(seconds=60 + 20 * number)
    made = Recording(
        id=uuid4(), call_id=one.call_id, switch="s", notice_id=recording_ledger.notice_version(session, "Se graba."),
        state=state, started_at=one.started_at, duration_ms=180_000, size=1000, storage="folder",
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


@pytest.fixture
def carla(session: Session) -> User:
    return person(session, "Carla Prueba")


@pytest.fixture
def one(session: Session, survey: Survey, new_call: NewCall, carla: User) -> Interview:
    made = quality_cast.ended(session, new_call(), carla.id, {})
    recorded(session, made)
    session.commit()
    return made


def test_a_question_is_found_where_it_was_asked(session: Session, survey: Survey, one: Interview, rosa: User) -> None:
    found = question_sounds.next_extract(session, survey.id, rosa.id, "vote")
    assert found is not None
    # The third answer was saved 100 s after the beginning, and its question stood there for 11 s.
    assert (found.first, found.last) == (100 - 11 - question_sounds.BEFORE, 100 + question_sounds.AFTER)
    assert (found.value, found.interviewer) == ("azul", "Carla Prueba")


def test_what_was_answered_before_or_after_the_recording_is_not_heard(
    session: Session, survey: Survey, one: Interview, rosa: User
) -> None:
    recording = session.scalars(select(Recording)).one()
    recording.started_at = one.started_at + timedelta(seconds=70)
    recording.duration_ms = 60_000
    session.flush()
    assert question_sounds.items_heard(session, survey.id) == ["age", "op_azul", "vote"]
    first = question_sounds.next_extract(session, survey.id, rosa.id, "age")
    assert first is not None
    assert first.first == 2.5


@pytest.mark.parametrize("state", ["recording", "lost", "deleted", "refused"])
def test_only_stored_recordings_are_heard(
    session: Session, survey: Survey, new_call: NewCall, carla: User, rosa: User, state: str
) -> None:
    recorded(session, quality_cast.ended(session, new_call(), carla.id, {}), state=state)
    assert question_sounds.next_extract(session, survey.id, rosa.id) is None


def test_nothing_is_heard_twice_by_the_same_person_and_nobody_hears_themselves(
    session: Session, survey: Survey, one: Interview, carla: User, rosa: User
) -> None:
    heard = []
    while (found := question_sounds.next_extract(session, survey.id, rosa.id)) is not None:
        heard.append(found.item)
        question_sounds.judge(session, survey.id, (found.interview_id, found.item), "right", rosa.id)
    assert sorted(heard) == sorted(quality_cast.CALM)
    assert question_sounds.next_extract(session, survey.id, carla.id) is None


def test_who_was_heard_least_comes_next(
    session: Session, survey: Survey, one: Interview, new_call: NewCall, rosa: User
) -> None:
    dora = person(session, "Dora Prueba")
    recorded(session, quality_cast.ended(session, new_call(), dora.id, {}))
    turns = []
    for _turn in range(6):
        found = question_sounds.next_extract(session, survey.id, rosa.id)
        assert found is not None
        turns.append(found.interviewer)
        question_sounds.judge(session, survey.id, (found.interview_id, found.item), "right", rosa.id)
    assert turns.count("Dora Prueba") == 3


def test_faults_are_a_share_of_what_could_be_heard(
    session: Session, survey: Survey, one: Interview, rosa: User
) -> None:
    for item, verdict in (("vote", "led"), ("age", "right"), ("op_azul", "unclear")):
        question_sounds.judge(session, survey.id, (one.id, item), verdict, rosa.id)
    (found,) = question_sounds.judged(session, survey.id)
    assert found.share is not None
    assert found.share[0] == 0.5
    question_sounds.judge(session, survey.id, (one.id, "vote"), "right", rosa.id)
    (found,) = question_sounds.judged(session, survey.id)
    assert found.share is not None
    assert found.share[0] == 0.0


def test_a_verdict_that_is_none_and_a_sound_that_is_none_are_refused(
    session: Session, survey: Survey, one: Interview, rosa: User
) -> None:
    with pytest.raises(InvalidInput):
        question_sounds.judge(session, survey.id, (one.id, "vote"), "nice", rosa.id)
    with pytest.raises(NotFound):
        question_sounds.judge(session, survey.id, (uuid4(), "vote"), "right", rosa.id)


def test_the_page_plays_the_stretch_and_goes_on_after_a_verdict(
    session: Session, survey: Survey, one: Interview, client_as: ClientAs
) -> None:
    client, page = client_as("supervisor"), f"/surveys/{survey.id}/hearing"
    text = client.get(f"{page}?item=vote").get_data(as_text=True)
    assert "#t=87.5,101.0" in text
    assert "Ana Robles" in text
    told = {"interview": str(one.id), "heard": "vote", "item": "vote", "verdict": "changed"}
    assert client.post(page, data=told).status_code == 302
    assert "empty-state" in client.get(f"{page}?item=vote").get_data(as_text=True)
    assert client.post(page, data=told | {"verdict": ""}).status_code == 422
    assert client.post(page, data=told | {"interview": "x"}).status_code == 404


@pytest.mark.parametrize(("role", "status"), [("administrator", 200), ("pollster", 403), ("operator", 403)])
def test_only_who_may_hear_calls_hears_questions(
    survey: Survey, one: Interview, client_as: ClientAs, role: str, status: int
) -> None:
    assert client_as(role).get(f"/surveys/{survey.id}/hearing").status_code == status
