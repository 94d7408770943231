"""Pictures on pages: uploading them beside the form, who may see them, and the faces that show them."""

import io
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.auth import User
from callcenter.calls import Call
from surveys import interviews, questionnaire
from surveys.pictures import form_pictures, picture_files, picture_store
from surveys.publishing.package_archive import open_package
from surveys.questionnaire import Survey
from tests.surveys import study_cast
from tests.surveys.link_cast import code_of, person
from tests.surveys.pictures.picture_cast import ballot, jpeg, packed, png, whole_ballot
from tests.surveys.survey_forms import SAMPLE

ClientAs = Callable[[str], FlaskClient]
AZUL = picture_store.digest(png())


@pytest.fixture(autouse=True)
def _without_tokens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


@pytest.fixture
def survey(session: Session) -> Survey:
    survey = questionnaire.create_survey(session, "Boleta", "boleta.xlsx", ballot())
    session.commit()
    return survey


@pytest.fixture
def drawn(session: Session, survey: Survey) -> Survey:
    """The survey with every picture."""
    files = [picture_files.look(name, content) for name, content in whole_ballot()]
    form_pictures.keep(session, survey.id, files, None)
    session.commit()
    return survey


@pytest.fixture
def pollster(client_as: ClientAs) -> FlaskClient:
    client = client_as("pollster")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def send(*files: tuple[str, bytes]) -> dict[str, object]:
    return {"pictures": [(io.BytesIO(content), name) for name, content in files]}


def upload(client: FlaskClient, survey: Survey, *files: tuple[str, bytes]) -> str:
    return client.post(f"/surveys/{survey.id}/pictures", data=send(*files), follow_redirects=True).text


def test_files_and_zips_go_where_their_names_say_and_each_other_file_is_told(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    page = pollster.get(f"/surveys/{survey.id}/pictures").text
    assert "4 pictures are missing" in page
    assert page.count("not uploaded yet") == 4
    files = dict(whole_ballot())
    page = upload(
        pollster, survey, ("azul.png", files["azul.png"]), ("cartel.png", png()), ("verde.jpg", b"<svg/>"),
        ("resto.zip", packed(("../../boleta.png", files["boleta.png"]), ("x/rojo.webp", files["rojo.webp"]))),
    )  # fmt: skip
    assert "3 pictures are in their place." in page
    assert "cartel.png: the form names no such picture." in page
    assert "verde.jpg is no PNG, JPEG or WebP picture" in page
    assert "1 picture is missing" in page
    assert f"/surveys/{survey.id}/pictures/{AZUL}" in page
    assert form_pictures.missing(session, survey.id).count("verde.jpg") == 1


def test_a_bomb_is_refused_by_name_and_nothing_chosen_is_said(pollster: FlaskClient, survey: Survey) -> None:
    bomb = packed(("azul.png", png() + b"\0" * (200 << 20)))
    assert "azul.png is larger than 2 MB" in upload(pollster, survey, ("bomba.zip", bomb))
    assert "Choose the picture files first." in upload(pollster, survey)


def test_the_web_process_itself_never_reads_an_uploaded_picture(
    session: Session, pollster: FlaskClient, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_here(*_file: object) -> None:
        raise AssertionError("read in the web process")

    monkeypatch.setattr(picture_files, "read_upload", read_here)
    monkeypatch.setattr(picture_files, "look", read_here)
    assert "1 picture is in its place." in upload(pollster, survey, ("azul.png", png()))


def test_a_picture_is_taken_away_until_somebody_has_answered(
    session: Session, pollster: FlaskClient, drawn: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    gone = pollster.post(f"/surveys/{drawn.id}/pictures/remove", data={"name": "rojo.webp"}, follow_redirects=True)
    assert "1 picture is missing" in gone.text
    interview = interviews.open_for_call(session, new_call(), rosa.id)
    interviews.record_answer(session, interview.id, "consent", "yes")
    session.commit()
    refused = pollster.post(f"/surveys/{drawn.id}/pictures/remove", data={"name": "azul.png"})
    assert refused.status_code == 409
    page = upload(pollster, drawn, ("azul.png", jpeg()))
    assert "what it showed stays" in page
    assert "answered: stays" in page
    assert "/pictures/remove" not in page
    assert pollster.get(f"/surveys/{drawn.id}/pictures/{AZUL}").data == png()


def test_pictures_come_along_with_the_form(session: Session, pollster: FlaskClient) -> None:
    form = {"name": "Con todo", "file": (io.BytesIO(ballot()), "b.xlsx")}
    answer = pollster.post("/surveys/", data={**form, **send(*whole_ballot()[:3], ("nada.txt", b"x"))})
    page = pollster.get(answer.headers["Location"]).text
    assert "3 pictures are in their place." in page
    assert "nada.txt is no PNG" in page
    assert "not uploaded: rojo.webp." in page
    survey_id = int(answer.headers["Location"].rpartition("/")[2])
    form = {"file": (io.BytesIO(ballot()), "b.xlsx")}
    again = pollster.post(f"/surveys/{survey_id}/form", data={**form, **send(whole_ballot()[3])}, follow_redirects=True)
    assert "not uploaded" not in again.text
    assert "not uploaded" not in pollster.get(f"/surveys/{survey_id}/links").text


def test_what_is_missing_is_told_where_fieldwork_begins(pollster: FlaskClient, survey: Survey) -> None:
    for page in ("", "/links", "/builder"):
        assert "not uploaded: boleta.png, azul.png" in pollster.get(f"/surveys/{survey.id}{page}").text


def test_only_a_form_with_pictures_has_their_tab(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    plain = questionnaire.create_survey(session, "Sin", SAMPLE.name, SAMPLE.read_bytes())
    session.commit()
    assert f"/surveys/{survey.id}/pictures" in pollster.get(f"/surveys/{survey.id}").text
    assert f"/surveys/{plain.id}/pictures" not in pollster.get(f"/surveys/{plain.id}").text
    assert "names no picture" in pollster.get(f"/surveys/{plain.id}/pictures").text


def test_who_may_read_sees_and_only_who_makes_surveys_changes(
    client_as: ClientAs, client: FlaskClient, drawn: Survey
) -> None:
    page, one = f"/surveys/{drawn.id}/pictures", f"/surveys/{drawn.id}/pictures/{AZUL}"
    for role in ("administrator", "strategist", "supervisor", "pollster"):
        assert client_as(role).get(page).status_code == 200
        assert client_as(role).get(one).status_code == 200
    assert client_as("operator").get(page).status_code == 403
    assert client_as("operator").get(one).status_code == 200
    for role in ("strategist", "supervisor", "operator", "data_clerk"):
        assert client_as(role).post(page, data=send(("azul.png", png()))).status_code == 403
        assert client_as(role).post(f"{page}/remove", data={"name": "azul.png"}).status_code == 403
    assert client_as("data_clerk").get(one).status_code == 403
    assert client.get(one).status_code in (302, 401)


def test_a_picture_is_served_as_what_it_is_and_may_be_kept(
    session: Session, pollster: FlaskClient, drawn: Survey
) -> None:
    answer = pollster.get(f"/surveys/{drawn.id}/pictures/{picture_store.digest(jpeg())}")
    assert answer.data == jpeg()
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for name in ("0" * 64, "..%2f..%2fetc", AZUL[:-1], "x"):
        assert pollster.get(f"/surveys/{drawn.id}/pictures/{name}").status_code == 404
    other = questionnaire.create_survey(session, "Otra", SAMPLE.name, SAMPLE.read_bytes())
    session.commit()
    assert pollster.get(f"/surveys/{other.id}/pictures/{AZUL}").status_code == 404


def test_a_citizen_sees_the_ballot_of_their_own_link_only(session: Session, client: FlaskClient, drawn: Survey) -> None:
    way = f"/e/{code_of(session, drawn.id, person(session))}"
    client.post(f"{way}/begin")
    form = {"item": "consent", "value": "yes", "key": "consent"}
    page = client.post(f"{way}/answers", data=form, headers={"HX-Request": "true"}).text
    shown = re.findall(r'<img class="(picture-\w+)" src="([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]+)"', page)
    assert [(kind, width, words) for kind, _address, width, _height, words in shown] == [
        ("picture-question", "60", "Marque su boleta"), ("picture-choice", "40", "Partido Azul"),
        ("picture-choice", "40", "Partido Verde Inventado"), ("picture-choice", "40", "Partido Rojo"),
    ]  # fmt: skip
    assert 'class="options options-drawn"' in page
    assert '<span aria-hidden="true">Partido Azul</span>' in page
    assert "<span>Anularía</span>" in page
    answer = client.get(shown[1][1])
    assert (answer.status_code, answer.data, answer.headers["Content-Type"]) == (200, png(), "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    other = questionnaire.create_survey(session, "Otra", SAMPLE.name, SAMPLE.read_bytes())
    strange = f"/e/{code_of(session, other.id, person(session, 'Otro Prueba'))}"
    assert client.get(f"{strange}/pictures/{AZUL}").status_code == 404
    assert client.get(f"/e/bbbbbbbbbbbbbbbb/pictures/{AZUL}").status_code == 404
    assert client.get(f"{way}/pictures/{'0' * 64}").status_code == 404


def test_an_operator_and_who_tries_it_see_what_the_citizen_would(
    session: Session, client_as: ClientAs, drawn: Survey, people: dict[str, User], new_call: Callable[..., UUID]
) -> None:
    call_id = new_call()
    session.get_one(Call, call_id).operator_id = operators.of_user(session, people["operator"].id).id
    session.commit()
    client, address = client_as("operator"), f"/surveys/{drawn.id}/pictures/{AZUL}"
    state = client.get(f"/surveys/calls/{call_id}", headers={"Accept": "application/json"}).get_json()
    page = client.post(state["answers_url"], data={"item": "consent", "value": "yes"}).text
    assert f'src="{address}"' in page
    assert 'alt="Partido Azul"' in page
    liked = client.post(state["answers_url"], data={"item": "vote", "value": "azul"}).text
    assert f'src="{address}"' in liked
    form = {"item": "consent", "value": "yes", "kept": "{}"}
    assert f'src="{address}"' in client_as("pollster").post(f"/surveys/{drawn.id}/try", data=form).text
    assert f'src="{address}"' in client_as("pollster").get(f"/surveys/{drawn.id}/builder?place=1").text


def test_a_question_without_its_picture_is_asked_by_its_words(
    session: Session, client: FlaskClient, survey: Survey
) -> None:
    way = f"/e/{code_of(session, survey.id, person(session))}"
    client.post(f"{way}/begin")
    form = {"item": "consent", "value": "yes", "key": "consent"}
    page = client.post(f"{way}/answers", data=form, headers={"HX-Request": "true"}).text
    assert "<img" not in page
    assert "options-drawn" not in page
    assert "<span>Partido Azul</span>" in page


def test_the_package_of_a_study_holds_the_pictures_of_its_questionnaires(
    session: Session, drawn: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    interview = interviews.open_for_call(session, new_call(), rosa.id)
    for item, value in (("consent", "yes"), ("vote", "azul"), ("liked", "azul"), ("why", "Porque sí")):
        interviews.record_answer(session, interview.id, item, value)
    study = study_cast.whole_study(session, drawn.id, rosa.id)
    session.commit()
    package = study_cast.packaged(session, study, rosa.id)
    opened = open_package(package.content or b"")
    named = opened.json("questionnaire/version-1-pictures.json")
    assert set(named) == {"boleta.png", "azul.png", "verde.jpg", "rojo.webp"}
    assert opened.read(f"questionnaire/{named['verde.jpg']}") == jpeg()
    assert named["azul.png"] == f"pictures/{AZUL}.png"
    assert opened.changed() == []
