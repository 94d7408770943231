"""The page of weights: written by one, looked at, signed off by another, and never lost."""

import io
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.territory import Section
from surveys import interviews, responses
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from surveys.weighting import weight_recipes

ClientAs = Callable[[str], FlaskClient]
TARGETS = "variable,category,share,includes\nsex,H,0.4719,H\nsex,M,0.5281,M|X\n"
FORM = {"targets": TARGETS, "method": "raking", "cap": "5", "base": "answered", "source": "Invented census"}


@pytest.fixture(autouse=True)
def _english_without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]
    responses.forget()
    yield
    responses.forget()


@pytest.fixture(name="client_as")
def _in_english(client_as: ClientAs) -> ClientAs:
    def enter(role: str) -> FlaskClient:
        client = client_as(role)
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    return enter


@pytest.fixture
def answered(session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User) -> list[Interview]:
    """Twelve people who said their vote: four men, eight women."""
    made = []
    for number in range(12):
        sex = "H" if number % 3 == 0 else "M"
        interview = interviews.open_for_call(session, new_call(sex=sex), rosa.id)
        answers = [("intro", ""), ("consent", "yes"), ("age", "34"), ("sex", sex), ("registered", "yes"),
                   ("likely", "10"), ("vote", "azul" if number % 2 else "rojo")]  # fmt: skip
        for item, value in answers:
            interviews.record_answer(session, interview.id, item, value)
        made.append(interview)
    session.commit()
    return made


def page(client: FlaskClient, survey: Survey) -> str:
    return client.get(f"/surveys/{survey.id}/weights").get_data(as_text=True)


@pytest.mark.usefixtures("answered")
def test_a_page_without_targets_begins_with_the_levels_that_people_have(client_as: ClientAs, survey: Survey) -> None:
    text = page(client_as("pollster"), survey)
    assert "every interview counts once" in text
    assert "sex,H,," in text
    assert "sex,X,," not in text
    assert "age_band,30-44,," in text


@pytest.mark.usefixtures("answered")
def test_what_is_written_is_looked_at_before_it_is_kept(client_as: ClientAs, survey: Survey, session: Session) -> None:
    part = client_as("pollster").post(
        f"/surveys/{survey.id}/weights/preview", data=FORM, headers={"HX-Request": "true"}
    ).get_data(as_text=True)  # fmt: skip
    assert "<html" not in part
    assert "Design effect" in part
    assert "47.2" in part
    assert "33.3" in part
    assert weight_recipes.versions(session, survey.id) == []


@pytest.mark.usefixtures("answered")
def test_one_writes_another_signs_and_results_are_weighed(
    client_as: ClientAs, survey: Survey, session: Session
) -> None:
    pollster = client_as("pollster")
    assert pollster.post(f"/surveys/{survey.id}/weights", data=FORM).status_code == 302
    waiting = page(pollster, survey)
    assert "Version 1" in waiting
    assert "somebody else has to look at it" in waiting
    assert pollster.post(f"/surveys/{survey.id}/weights/1/sign").status_code == 409
    assert weight_recipes.in_force(session, survey.id) is None
    administrator = client_as("administrator")
    assert "Sign off version 1" in page(administrator, survey)
    assert administrator.post(f"/surveys/{survey.id}/weights/1/sign").status_code == 302
    held = weight_recipes.in_force(session, survey.id)
    assert held is not None
    weights = weight_recipes.weigh(held, responses.read(session, survey.id))
    assert weights.n == 12
    assert "Signed off by" in page(pollster, survey)


def test_targets_may_be_written_before_the_first_interview(client_as: ClientAs, survey: Survey) -> None:
    client = client_as("pollster")
    assert client.post(f"/surveys/{survey.id}/weights", data=FORM).status_code == 302
    assert "There are no interviews to weigh yet." in page(client, survey)


@pytest.mark.parametrize(("change", "words"), [
    ({"source": ""}, "Write where the targets come from"),
    ({"cap": "half"}, "A cap is a number above 1"),
    ({"targets": TARGETS.replace("0.4719", "0.9")}, "its shares add up to 1.4281"),
    ({"targets": TARGETS.replace("sex,", "creed,")}, "no known value “creed”"),
    ({"targets": TARGETS.replace("M|X", "M|Z")}, "sex has no code “Z”"),
])  # fmt: skip
def test_a_fault_is_told_beside_its_field_and_nothing_written_is_lost(
    client_as: ClientAs, survey: Survey, session: Session, change: dict[str, str], words: str
) -> None:
    answer = client_as("pollster").post(f"/surveys/{survey.id}/weights", data=FORM | change)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in text
    assert (FORM | change)["targets"].splitlines()[2] in text
    assert weight_recipes.versions(session, survey.id) == []


@pytest.mark.usefixtures("answered")
def test_a_level_that_nobody_has_is_named_in_the_preview(client_as: ClientAs, survey: Survey) -> None:
    targets = "variable,category,share\nsex,H,0.4\nsex,M,0.5\nsex,X,0.1\n"
    text = client_as("pollster").post(f"/surveys/{survey.id}/weights/preview", data=FORM | {"targets": targets})
    assert "sex, level X: it has a target but no interview" in text.get_data(as_text=True)


def test_a_file_fills_the_form(client_as: ClientAs, survey: Survey, session: Session) -> None:
    client = client_as("pollster")
    content = {"file": (io.BytesIO(TARGETS.encode()), "margins.csv")}
    text = client.post(f"/surveys/{survey.id}/weights/file", data=content).get_data(as_text=True)
    assert "sex,M,0.5281,M|X" in text
    assert "File margins.csv" in text
    assert weight_recipes.versions(session, survey.id) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a workbook", b"name,share\nx,1"])
def test_a_file_that_is_no_table_of_targets_is_refused(client_as: ClientAs, survey: Survey, content: bytes) -> None:
    data = {"file": (io.BytesIO(content), "margins.csv")}
    assert client_as("pollster").post(f"/surveys/{survey.id}/weights/file", data=data).status_code == 422


def test_the_nominal_list_fills_the_form(client_as: ClientAs, survey: Survey, session: Session) -> None:
    client = client_as("pollster")
    session.add_all([
        Section(state=30, number=8001, municipality_code=1, kind="U", nominal_list=300, men=140, women=160),
        Section(state=30, number=8002, municipality_code=1, kind="R", nominal_list=100, men=60, women=40),
    ])  # fmt: skip
    session.commit()
    data = {"variable": ["sex", "section_kind"]}
    text = client.post(f"/surveys/{survey.id}/weights/sections", data=data).get_data(as_text=True)
    assert "sex,H,0.5," in text
    assert "section_kind,U,0.75," in text
    assert "Nominal list of 400 people in the 2 sections" in text
    refused = client.post(f"/surveys/{survey.id}/weights/sections", data={"variable": "federal_district"})
    assert refused.status_code == 422
    assert "The sections tell no shares of federal_district" in refused.get_data(as_text=True)


def test_the_targets_of_a_version_leave_as_the_file_that_comes_in(client_as: ClientAs, survey: Survey) -> None:
    client = client_as("pollster")
    client.post(f"/surveys/{survey.id}/weights", data=FORM)
    answer = client.get(f"/surveys/{survey.id}/weights/1.csv")
    assert answer.get_data(as_text=True).replace("\r\n", "\n").lstrip("\ufeff") == TARGETS
    assert client.get(f"/surveys/{survey.id}/weights/9.csv").status_code == 404


@pytest.mark.parametrize("role", ["strategist", "supervisor"])
def test_who_reads_results_sees_the_weights_and_changes_nothing(client_as: ClientAs, survey: Survey, role: str) -> None:
    client = client_as(role)
    assert "Write a new version" not in page(client, survey)
    assert client.post(f"/surveys/{survey.id}/weights", data=FORM).status_code == 403
    assert client.post(f"/surveys/{survey.id}/weights/1/sign").status_code == 403


def test_operators_see_no_weights(client_as: ClientAs, survey: Survey) -> None:
    assert client_as("operator").get(f"/surveys/{survey.id}/weights").status_code == 403
