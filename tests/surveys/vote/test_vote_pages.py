"""The page that leads from gross to effective, seen with the eyes of each role."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from surveys import responses
from surveys.questionnaire import Survey
from surveys.vote import vote_recipes
from tests.surveys.vote_cast import ask, signed

ClientAs = Callable[[str], FlaskClient]
VOTES = ["azul"] * 8 + ["rojo"] * 6 + ["verde"] * 2 + ["undecided"] * 6 + ["dk"] * 2
GIVEN: dict[str, Any] = {
    "likely": "threshold", "threshold": "8", "undecided": "groups", "shared": ["undecided", "dk"],
    "percents": "truncated",
    "decimals": "0", "note": "as agreed",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]
    responses.forget()


@pytest.fixture
def asked(session: Session, new_call: Callable[..., UUID], rosa: User) -> None:
    ask(session, new_call, rosa.id, VOTES, lambda number: {"likely": "5"} if number < 4 else {})
    session.commit()


def text_of(client: FlaskClient, url: str) -> str:
    return client.get(url, headers={"Accept-Language": "en"}).get_data(as_text=True).replace("\xa0", " ")


@pytest.mark.usefixtures("asked")
def test_every_step_is_shown_with_what_it_moved_and_other_ways_beside_it(survey: Survey, client_as: ClientAs) -> None:
    url = f"/surveys/{survey.id}/vote"
    for role in ("strategist", "supervisor", "administrator"):
        assert client_as(role).get(url).status_code == 200
    for role in ("operator", "data_clerk"):
        assert client_as(role).get(url).status_code == 403
    page = text_of(client_as("pollster"), url)
    for words in ("Every answer by its role", "Candidates alone", "Ways side by side", "The standard", "50.0 %"):
        assert words in page


@pytest.mark.usefixtures("asked")
def test_a_recipe_is_tried_kept_and_signed_by_somebody_else(
    session: Session, survey: Survey, client_as: ClientAs
) -> None:
    url = f"/surveys/{survey.id}/vote"
    author = client_as("pollster")
    tried = author.post(f"{url}/try", data=GIVEN, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "A trial: nothing is kept" in tried
    assert "8 of 10 or more; 20 people count" in tried
    assert vote_recipes.versions(session, survey.id) == []
    assert author.post(url, data=GIVEN).status_code == 302
    assert author.post(f"{url}/1/sign").status_code == 409
    assert "somebody else has to look at it" in text_of(author, url)
    assert client_as("strategist").post(f"{url}/1/sign").status_code == 403
    second = client_as("administrator")
    assert "Sign off version 1" in text_of(second, url)
    assert second.post(f"{url}/1/sign").status_code == 302
    assert "Version 1, in force" in text_of(author, url)
    assert vote_recipes.in_force(session, survey.id).percents == "truncated"
    assert "Version 1" in text_of(author, f"{url}?version=1")
    assert author.get(f"{url}?version=7").status_code == 404


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"threshold": "99"}, "Write a number above 0 and up to 10."),
        ({"threshold": "many"}, "Write a number above 0 and up to 10."),
        ({"undecided": "leaning", "leaning": ""}, "Choose the question that asks to whom they lean."),
        ({"shared": []}, "Choose whose vote is allocated"),
        ({"note": "x" * 501}, "at most 500"),
    ],
)
def test_what_cannot_be_done_is_told_beside_its_field_and_nothing_is_lost(
    session: Session, survey: Survey, client_as: ClientAs, said: dict[str, str], sentence: str
) -> None:
    url = f"/surveys/{survey.id}/vote"
    answer = client_as("pollster").post(url, data=GIVEN | said, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert sentence in page
    assert 'value="truncated" selected' in page
    assert vote_recipes.versions(session, survey.id) == []


def test_under_ten_answers_no_share_is_shown(
    session: Session, survey: Survey, client_as: ClientAs, new_call: Callable[..., UUID], rosa: User
) -> None:
    ask(session, new_call, rosa.id, ["azul"] * 9)
    session.commit()
    page = text_of(client_as("pollster"), f"/surveys/{survey.id}/vote")
    assert "Shares are shown from 10 on" in page
    assert "Ways side by side" not in page


def test_a_recipe_for_what_nobody_was_asked_yet_gives_way_to_the_standard(
    session: Session, survey: Survey, client_as: ClientAs, new_call: Callable[..., UUID], rosa: User
) -> None:
    ask(session, new_call, rosa.id, ["azul"] * 12)
    signed(session, survey.id, rosa.id, undecided="leaning", leaning="second", likely="threshold")
    session.commit()
    assert client_as("pollster").get(f"/surveys/{survey.id}/vote").status_code == 200
    assert client_as("pollster").get(f"/surveys/{survey.id}/results").status_code == 200
