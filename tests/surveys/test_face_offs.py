"""Questions that set candidates against each other: the results page shows each like the vote."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import NotFound
from surveys import interviews, questionnaire, responses
from surveys.questionnaire import Survey
from surveys.vote import report, vote_options
from surveys.vote.report import Wanted
from tests.surveys.survey_forms import Rows, workbook

QUESTIONS: Rows = [
    ["type", "name", "label::English (en)", "relevant"],
    ["select_one yes_no", "consent", "Do you agree?", None],
    ["select_one vote", "vote", "Whom would you vote for?", "${consent} = 'yes'"],
    ["select_one two", "ana_or_beto", "And between Ana and Beto?", "${consent} = 'yes'"],
    ["select_one opinion", "opinion", "What do you think of Ana?", "${consent} = 'yes'"],
]
CHOICES: Rows = [
    ["list_name", "name", "label::English (en)", "role"],
    ["yes_no", "yes", "Yes", None], ["yes_no", "no", "No", None],
    ["vote", "ana", "Ana", "candidate"], ["vote", "beto", "Beto", "candidate"], ["vote", "carla", "Carla", "candidate"],
    ["vote", "dk", "Doesn't know", "dk"],
    ["two", "ana", "Ana", "candidate"], ["two", "beto", "Beto", "candidate"], ["two", "none", "Neither", "none"],
    ["opinion", "good", "Good", None], ["opinion", "bad", "Bad", None],
]  # fmt: skip
SETTINGS = [["form_title", "form_id", "default_language", "vote_question"], ["Two", "two", "English (en)", "vote"]]


@pytest.fixture
def survey(session: Session) -> Survey:
    return questionnaire.create_survey(session, "Two", "two.xlsx", workbook(QUESTIONS, CHOICES, SETTINGS))


@pytest.fixture
def asked(session: Session, new_call: Callable[..., UUID], rosa: User) -> None:
    """40 people: Carla's voters go to Beto when only two are left."""
    responses.forget()
    for number in range(40):
        interview = interviews.open_for_call(session, new_call(), rosa.id)
        vote = ("ana", "ana", "beto", "carla")[number % 4]
        between = {"ana": "ana", "beto": "beto", "carla": "beto" if number < 32 else "none"}[vote]
        for item, value in (("consent", "yes"), ("vote", vote), ("ana_or_beto", between), ("opinion", "good")):
            interviews.record_answer(session, interview.id, item, value)
    session.commit()


@pytest.fixture
def page(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


@pytest.mark.usefixtures("asked", "page")
def test_a_face_off_has_gross_and_effective_shares_and_its_own_lead(session: Session, survey: Survey) -> None:
    found = report.read(session, survey.id, Wanted(question="ana_or_beto"))
    assert {line.option: line.n for line in found.total.lines} == {"ana": 20, "beto": 18, "none": 2}
    effective = {line.option: line.effective for line in found.total.lines}
    assert effective["ana"] == pytest.approx(20 / 38)
    assert effective["none"] is None
    lead = found.lead("effective")
    assert lead is not None
    assert lead[2].is_too_close
    assert found.wording == "And between Ana and Beto?"


@pytest.mark.usefixtures("asked", "page")
def test_only_questions_between_candidates_are_face_offs(session: Session, survey: Survey) -> None:
    kept = responses.read(session, survey.id)
    assert [item.name for item in vote_options.face_offs(kept)] == ["ana_or_beto"]
    assert [item.name for item in vote_options.leanings(kept, "vote")] == ["ana_or_beto"]
    assert vote_options.require(kept, None) == vote_options.require(kept, "vote") == "vote"
    for name in ("opinion", "nothing"):
        with pytest.raises(NotFound):
            vote_options.require(kept, name)


@pytest.mark.usefixtures("asked")
def test_the_page_offers_the_face_off_and_keeps_it_in_its_addresses(
    survey: Survey, client_as: Callable[[str], FlaskClient]
) -> None:
    client = client_as("pollster")
    url = f"/surveys/{survey.id}/results"
    assert "Face-off: And between Ana and Beto?" in client.get(url, headers={"Accept-Language": "en"}).get_data(
        as_text=True
    )
    page = client.get(f"{url}?question=ana_or_beto", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Neither" in page
    assert "Carla" not in page
    assert "question=ana_or_beto" in page.split(f"{url}/gross.svg")[1][:120]
    assert client.get(f"{url}/effective.svg?question=ana_or_beto").status_code == 200
    assert client.get(f"{url}?question=opinion").status_code == 404
