"""The pages of studies: written, packed, shared, held back during the silence, open to whom they should be."""

import io
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base import clock
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, real_now
from callcenter.base.settings import Settings
from callcenter.gate import elections
from surveys import responses, studies
from surveys.publishing import study_files, study_links, study_packages
from surveys.publishing.study_packages import StudyPackage
from surveys.questionnaire import Survey
from surveys.studies import Study
from tests.surveys import study_cast
from tests.surveys.study_cast import PDF, PNG

ClientAs = Callable[[str], FlaskClient]
NOW = datetime(2027, 5, 20, 11, 0, tzinfo=ZONE)
FORM = {
    "title": "Estudio de mayo", "scope": "local", "states": ["30", "9"], "record.objectives": "Saber.",
    "parties.sponsor.name": "Periódico Inventado", "payer-0": "Periódico Inventado", "amount-0": "1000",
    "document-0": "A-1",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_tokens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    responses.forget()
    yield
    responses.forget()


@pytest.fixture
def pollster(client_as: ClientAs) -> FlaskClient:
    client = client_as("pollster")
    client.set_cookie("language", "en")
    return client


@pytest.fixture
def study(session: Session, survey: Survey, people: dict[str, User]) -> Study:
    clock.start_drill(session, NOW)
    made = studies.begin(session, survey.id, people["pollster"].id)
    session.commit()
    return made


@pytest.fixture
def package(
    session: Session, study: Study, new_call: Callable[..., UUID], rosa: User, people: dict[str, User]
) -> StudyPackage:
    study_cast.interviewed(session, new_call, rosa.id)
    made = study_cast.packaged(session, study, people["pollster"].id)
    assert made.state == "ready", made.fault
    return made


def hold_election(session: Session, day: date) -> None:
    elections.save(session, elections.Plan("Municipal", day, (30,), tuple(calendar.election_of(day))), None)
    session.commit()


def test_a_study_is_begun_and_names_everything_that_is_missing(
    pollster: FlaskClient, survey: Survey, session: Session
) -> None:
    assert "No study yet" in pollster.get(f"/surveys/{survey.id}/studies").text
    answer = pollster.post(f"/surveys/{survey.id}/studies", follow_redirects=True)
    assert answer.status_code == 200
    for said in ("Objectives of the study", "Rejection rate", "CV of who answers", "comes with the package"):
        assert said in answer.text
    assert survey.name in pollster.get(f"/surveys/{survey.id}/studies").text


def test_what_is_written_is_kept_and_shown_again(pollster: FlaskClient, study: Study, session: Session) -> None:
    answer = pollster.post(f"/surveys/studies/{study.id}", data=FORM, follow_redirects=True)
    assert answer.status_code == 200
    session.refresh(study)
    assert (study.title, study.scope, study.states) == ("Estudio de mayo", "local", [9, 30])
    assert study.resources == [{"payer": "Periódico Inventado", "amount": "1000", "document": "A-1"}]
    for said in ("Saber.", "OPL of Veracruz", 'value="A-1"'):
        assert said in answer.text


def test_a_fault_is_told_and_nothing_written_is_lost(pollster: FlaskClient, study: Study, session: Session) -> None:
    answer = pollster.post(f"/surveys/studies/{study.id}", data=FORM | {"amount-0": "<mucho>", "scope": "mundial"})
    assert answer.status_code == 422
    assert "is not an amount in pesos" in answer.text
    assert "&lt;mucho&gt;" in answer.text
    assert "Saber." in answer.text
    session.refresh(study)
    assert study.title != "Estudio de mayo"


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("contract", PDF, "The file was kept."),
        ("logo_sponsor", PDF, "A logo is a picture"),
        ("contract", b"MZ\x90 a program", "That is no PDF, PNG, JPEG or DOCX file."),
        ("contract", b"", "Choose the file to upload."),
        ("cv", PDF, "Choose what the file is."),
    ],
)
def test_files_are_taken_by_what_they_are(
    pollster: FlaskClient, study: Study, kind: str, content: bytes, said: str
) -> None:
    data = {"kind": kind, "file": (io.BytesIO(content), "../../contrato <b>.pdf")}
    answer = pollster.post(f"/surveys/studies/{study.id}/files", data=data, follow_redirects=True)
    assert said in answer.text


def test_a_new_logo_takes_the_place_of_the_old_one_and_files_come_back_as_they_were(
    pollster: FlaskClient, study: Study, session: Session
) -> None:
    for _time in range(2):
        data = {"kind": "logo_sponsor", "file": (io.BytesIO(PNG), "logo.png")}
        pollster.post(f"/surveys/studies/{study.id}/files", data=data)
    (kept,) = study_files.of_study(session, study.id)
    answer = pollster.get(f"/surveys/study-files/{kept.id}")
    assert answer.data == PNG
    assert answer.headers["Content-Disposition"].startswith("attachment")
    pollster.post(f"/surveys/study-files/{kept.id}/remove")
    assert study_files.of_study(session, study.id) == []


def test_who_we_are_goes_with_every_study(pollster: FlaskClient, survey: Survey, session: Session) -> None:
    pollster.post("/surveys/firm", data=study_cast.FIRM)
    pollster.post("/surveys/firm/files", data={"kind": "cv", "file": (io.BytesIO(PDF), "cv.pdf")})
    assert "Diez años" in pollster.get("/surveys/firm").text
    answer = pollster.post(f"/surveys/{survey.id}/studies", follow_redirects=True)
    assert "Encuestas Inventadas, S.C." in answer.text
    assert "CV of who answers" in answer.text


def test_the_package_is_followed_while_it_is_made(pollster: FlaskClient, study: Study, session: Session) -> None:
    answer = pollster.post(f"/surveys/studies/{study.id}/packages", follow_redirects=True)
    assert "every 2s" in answer.text
    assert "Reading the interviews" in answer.text
    (asked,) = study_packages.of_study(session, study.id)
    pollster.post(f"/surveys/study-packages/{asked.id}/cancel")
    part = pollster.get(f"/surveys/studies/{study.id}/packages").text
    assert "Cancelled" in part
    assert "every 2s" not in part


@pytest.mark.parametrize(
    ("name", "begins"),
    [("package.zip", b"PK"), ("study.pdf", b"%PDF-"), ("tables.xlsx", b"PK"), ("data.csv", b"\xef\xbb\xbfinterview"),
     ("data.sav", b"$FL2"), ("codebook.csv", b"\xef\xbb\xbf")],
)  # fmt: skip
def test_files_of_the_package_are_taken_out_and_audited(
    pollster: FlaskClient, package: StudyPackage, session: Session, name: str, begins: bytes
) -> None:
    answer = pollster.get(f"/surveys/study-packages/{package.id}/{name}")
    assert answer.status_code == 200
    assert answer.data.startswith(begins)
    taken = session.scalars(select(AuditEntry).where(AuditEntry.action == "studies.download")).all()
    assert [entry.detail["file"] for entry in taken] == [name]


def test_a_file_that_no_package_has_is_not_found(pollster: FlaskClient, package: StudyPackage) -> None:
    assert pollster.get(f"/surveys/study-packages/{package.id}/recipes.json").status_code == 404
    assert pollster.get("/surveys/study-packages/999999/package.zip").status_code == 404


def test_during_the_silence_no_file_leaves_but_with_a_reason(
    pollster: FlaskClient, client_as: ClientAs, package: StudyPackage, survey: Survey, session: Session
) -> None:
    hold_election(session, NOW.date() + timedelta(2))
    url = f"/surveys/study-packages/{package.id}/package.zip"
    refused = pollster.get(url)
    assert refused.status_code == 409
    assert "electoral silence" in refused.text
    assert "electoral silence" in pollster.get(f"/surveys/{survey.id}/studies").text
    assert (
        client_as("administrator").post(f"/surveys/{survey.id}/silence", data={"reason": "x" * 40}).status_code == 403
    )
    assert pollster.post(f"/surveys/{survey.id}/silence", data={"reason": "sí"}).status_code == 422
    pollster.post(f"/surveys/{survey.id}/silence", data={"reason": "La autoridad pidió la base por oficio."})
    assert pollster.get(url).status_code == 200


def test_a_link_shows_the_figures_to_whoever_has_it(
    pollster: FlaskClient, client: FlaskClient, package: StudyPackage, session: Session, settings: Settings
) -> None:
    study_id = package.study_id
    pollster.post(f"/surveys/studies/{study_id}/links", data={"label": "Redacción", "days": "7"})
    (link,) = study_links.of_study(session, study_id)
    path = f"/study/{study_links.code(link.id, settings)}"
    assert study_links.url(link, settings) in pollster.get(f"/surveys/studies/{study_id}").text
    shown = client.get(path)
    assert shown.status_code == 200
    assert "Ana Robles" in shown.text
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert client.get(f"{path}/study.pdf").data.startswith(b"%PDF-")
    assert client.get(f"{path}/tables.xlsx").data.startswith(b"PK")
    assert client.get(f"{path}/data.csv").status_code == 404
    session.refresh(link)
    assert link.opened == 3


@pytest.mark.parametrize("spoiled", ["", "AAAA", "AAAAAQ", "ñ", "A" * 400])
def test_a_code_that_we_did_not_make_leads_nowhere(client: FlaskClient, spoiled: str) -> None:
    assert client.get(f"/study/{spoiled}").status_code == 404


def test_a_link_ends_by_time_by_hand_and_during_the_silence(
    client: FlaskClient, pollster: FlaskClient, package: StudyPackage, session: Session, settings: Settings
) -> None:
    for _link in range(3):
        pollster.post(f"/surveys/studies/{package.study_id}/links", data={"label": "Redacción", "days": "1"})
    old, ended, live = study_links.of_study(session, package.study_id)
    old.expires_at = real_now() - timedelta(seconds=1)
    session.commit()
    pollster.post(f"/surveys/study-links/{ended.id}/end")
    paths = [f"/study/{study_links.code(link.id, settings)}" for link in (old, ended, live)]
    assert [client.get(path).status_code for path in paths] == [410, 410, 200]
    assert "venció" in client.get(paths[0]).text
    hold_election(session, NOW.date() + timedelta(2))
    closed = client.get(paths[2])
    assert closed.status_code == 410
    assert "veda" in closed.text
    assert client.get(f"{paths[2]}/study.pdf").status_code == 410


@pytest.mark.parametrize(("label", "days"), [("", "7"), ("Redacción", "3650"), ("Redacción", "x")])
def test_a_link_needs_a_name_and_an_end(
    pollster: FlaskClient, package: StudyPackage, session: Session, label: str, days: str
) -> None:
    pollster.post(f"/surveys/studies/{package.study_id}/links", data={"label": label, "days": days})
    assert study_links.of_study(session, package.study_id) == []


def test_readers_look_and_change_nothing(client_as: ClientAs, study: Study, survey: Survey) -> None:
    reader = client_as("strategist")
    assert reader.get(f"/surveys/studies/{study.id}").status_code == 200
    assert reader.get(f"/surveys/{survey.id}/studies").status_code == 200
    assert reader.post(f"/surveys/studies/{study.id}", data=FORM).status_code == 403
    assert reader.post(f"/surveys/studies/{study.id}/packages").status_code == 403
    assert client_as("operator").get(f"/surveys/studies/{study.id}").status_code == 403
    assert client_as("pollster").get("/surveys/studies/999999").status_code == 404


def test_publishing_asks_for_what_is_missing_and_then_counts(
    pollster: FlaskClient, study: Study, session: Session
) -> None:
    published = {"published_on": NOW.date().isoformat(), "published_in": "Diario Inventado"}
    refused = pollster.post(f"/surveys/studies/{study.id}/publish", data=published)
    assert refused.status_code == 409
    assert "Make the package first" in refused.text


def test_the_list_of_surveys_says_which_study_waits(pollster: FlaskClient, study: Study, session: Session) -> None:
    assert "has to be delivered" not in pollster.get("/surveys/").text
    study.state, study.published_on, study.published_in = "published", NOW.date() - timedelta(7), "Diario Inventado"
    session.commit()
    text = pollster.get("/surveys/").text
    assert "has to be delivered" in text
    assert "2 days late" in text
