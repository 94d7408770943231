"""Samples of surveys meet campaigns: segments as frames, and a campaign for what was released."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaigns import segments
from campaigns.telephoning import call_drafts, sample_campaigns
from surveys import questionnaire, samples
from surveys.questionnaire import Survey
from surveys.sampling import sample_frames
from surveys.sampling.sample_tables import SampleCase
from tests.callcenter.cast import person
from tests.surveys import sample_cast as cast
from tests.surveys.survey_forms import SAMPLE

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture
def client_as(client_as: ClientAs) -> ClientAs:
    """Everybody reads English here."""

    def enter(role: str) -> FlaskClient:
        client = client_as(role)
        client.set_cookie("language", "en")
        return client

    return enter


@pytest.fixture
def survey(session: Session) -> Survey:
    sample_campaigns.compose()
    return questionnaire.create_survey(session, "Ola 1", SAMPLE.name, SAMPLE.read_bytes())


def test_a_segment_is_a_frame_with_strata_of_its_people(session: Session, survey: Survey) -> None:
    for number in range(30):
        person(session, sex="M" if number < 20 else "H", age=40)
    rule = {"all": [{"field": "age", "op": "is", "value": 40}]}
    segment = segments.save(session, None, "Cuarenta", rule, None)
    assert (str(segment.id), "Cuarenta") in sample_frames.frames()["segment"].choices(session, survey.id)
    made = cast.drawn(session, survey.id, "segment", str(segment.id), size=12, replicates=3, strata=("sex",))
    assert {one.name: (one.frame_size, one.drawn) for one in samples.strata(session, made.id)} == {
        "H": (10, 4), "M": (20, 8),
    }  # fmt: skip


def test_the_segment_of_a_sample_means_its_released_people(session: Session, survey: Survey) -> None:
    for _number in range(10):
        person(session, age=40)
    segment = segments.save(session, None, "x", {"all": [{"field": "age", "op": "is", "value": 40}]}, None)
    made = cast.drawn(session, survey.id, "segment", str(segment.id), size=6, replicates=3)
    rule = {"all": [{"field": "sample", "op": "is", "value": made.id}]}
    assert list(session.scalars(segments.compile_rule(session, rule))) == []
    samples.release(session, made.id, 2, None)
    released = select(SampleCase.contact_id).where(SampleCase.sample_id == made.id, SampleCase.replicate <= 2)
    assert set(session.scalars(segments.compile_rule(session, rule))) == set(session.scalars(released))
    assert segments.count(session, rule).matching == 4


def test_a_strategist_prepares_the_campaign_of_a_sample_once(
    client_as: ClientAs, session: Session, survey: Survey, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]
    person(session, age=40)
    segment = segments.save(session, None, "x", {"all": [{"field": "age", "op": "is", "value": 40}]}, None)
    made = cast.drawn(session, survey.id, "segment", str(segment.id), size=1, replicates=1)
    session.commit()
    address = f"/surveys/{survey.id}/samples/{made.id}"
    assert "Prepare a calling campaign" not in client_as("pollster").get(address).get_data(as_text=True)
    client = client_as("administrator")
    assert "Prepare a calling campaign" in client.get(address).get_data(as_text=True)
    for _twice in range(2):
        answer = client.post(f"/campaigns/samples/{made.id}/campaign")
        assert "/campaigns/calls/drafts/" in answer.headers["Location"]
    draft_id = int(answer.headers["Location"].split("/drafts/")[1].split("/")[0])
    form = call_drafts.find(session, draft_id).form
    assert form["script"] == f"survey/{survey.id}"
    assert form["purpose"] == "survey"
    rule = segments.get(session, int(form["segment_id"])).rule
    assert rule["all"] == [{"field": "sample", "op": "is", "value": made.id}]
    assert len([one for one in segments.all_segments(session) if one.name.startswith("Sample")]) == 1
