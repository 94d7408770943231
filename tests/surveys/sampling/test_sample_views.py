"""The pages of samples, waves, numbering plans and outcomes, seen with the eyes of each role."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from surveys import samples
from surveys.questionnaire import Survey
from surveys.sampling import outcomes, waves
from surveys.sampling.sample_tables import NumberingPlan, Sample
from tests.callcenter.cast import person
from tests.queued import run_jobs
from tests.surveys import sample_cast as cast

ClientAs = Callable[[str], FlaskClient]
WANTED = {"title": "Mayo", "size": "40", "replicates": "4", "seed": "7", "allocation": "proportional"}


@pytest.fixture(autouse=True)
def _english_without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]
    outcomes._kept.clear()


@pytest.fixture
def client_as(client_as: ClientAs) -> ClientAs:
    """Everybody reads English here."""

    def enter(role: str) -> FlaskClient:
        client = client_as(role)
        client.set_cookie("language", "en")
        return client

    return enter


@pytest.fixture
def plan(session: Session, tmp_path: Path) -> NumberingPlan:
    made = cast.plan(session, tmp_path)
    session.commit()
    return made


def test_a_pollster_uploads_a_plan_and_sees_what_was_read_of_it(client_as: ClientAs) -> None:
    client = client_as("pollster")
    file = (io.BytesIO(cast.plan_text().encode()), "pnn.csv")
    answer = client.post("/surveys/numbering-plans", data={"title": "Plan 2026", "file": file})
    assert answer.status_code == 302
    page = client.get("/surveys/numbering-plans").get_data(as_text=True)
    assert "Being read" in page
    assert "every 2s" in page
    run_jobs()
    part = client.get("/surveys/numbering-plans", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert part.strip().startswith('<div id="plans">')
    assert "Plan 2026" in part
    assert "2,000" in part


def test_a_file_that_cannot_be_a_plan_is_refused_beside_its_field(client_as: ClientAs) -> None:
    client = client_as("pollster")
    for data in ({}, {"file": (io.BytesIO(b"x"), "plan.pdf")}):
        answer = client.post("/surveys/numbering-plans", data=data)
        assert answer.status_code == 422
        assert "file-fault" in answer.get_data(as_text=True)


def test_a_sample_is_drawn_released_into_a_campaign_and_told(
    client_as: ClientAs, session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    client, base = client_as("pollster"), f"/surveys/{survey.id}/samples"
    queue = cast.campaign(session, survey.id, name="Llamadas de mayo")
    session.commit()
    assert "Plan inventado" in client.get(f"{base}/new").get_data(as_text=True)
    answer = client.post(base, data={**WANTED, "source": f"rdd:{plan.id}", "stratum_1": "line_kind"})
    address = answer.headers["Location"]
    assert "The sample is being drawn." in client.get(address).get_data(as_text=True)
    run_jobs()
    part = client.get(address, query_string={"state": "drawing"}, headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"
    assert client.post(f"{address}/queue", data={"queue": str(queue.id)}).status_code == 302
    assert client.post(f"{address}/release", data={"replicates": "2"}).status_code == 302
    page = client.get(address).get_data(as_text=True)
    assert "20 people are new" in page
    assert "2 of 4 replicates" in page
    assert "Landline" in page
    (sample,) = samples.listed(session, survey.id)
    assert sample.digest is not None
    assert sample.digest in page
    lines = client.get(f"{address}/cases.csv").get_data(as_text=True).splitlines()
    assert len(lines) == 41
    assert "+52" not in "".join(lines)
    assert "Mayo" in client.get(base).get_data(as_text=True)


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    client_as: ClientAs, session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    wrong = {**WANTED, "source": f"rdd:{plan.id}", "size": "muchos", "areas": "922, 55"}
    answer = client_as("pollster").post(f"/surveys/{survey.id}/samples", data=wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "size-fault" in page
    assert 'value="muchos"' in page
    assert 'value="922, 55"' in page
    assert session.scalars(select(Sample)).all() == []


def test_more_replicates_than_there_are_cannot_be_released(
    client_as: ClientAs, session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = cast.drawn(session, survey.id, "rdd", str(plan.id))
    session.commit()
    answer = client_as("pollster").post(f"/surveys/{survey.id}/samples/{made.id}/release", data={"replicates": "11"})
    assert answer.status_code == 422
    assert "from 1 to 10" in answer.get_data(as_text=True)
    assert samples.get(session, made.id).released == 0


def test_a_sample_is_found_under_its_own_survey_only(
    client_as: ClientAs, session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = cast.drawn(session, survey.id, "rdd", str(plan.id))
    session.commit()
    client = client_as("pollster")
    assert client.get(f"/surveys/{survey.id + 1}/samples/{made.id}").status_code == 404
    assert client.post(f"/surveys/{survey.id}/samples/{made.id}/remove").status_code == 302
    assert client.get(f"/surveys/{survey.id}/samples/{made.id}").status_code == 404


def test_waves_are_written_changed_and_deleted(client_as: ClientAs, session: Session, survey: Survey) -> None:
    client = client_as("pollster")
    given = {"code": "1", "label": "Mayo", "opens_on": "2027-05-01", "closes_on": "2027-05-09"}
    assert client.post(f"/surveys/{survey.id}/waves", data=given).status_code == 302
    second = {"code": "2", "label": "Junio", "opens_on": "2027-05-10", "break_reason": "Otra redacción"}
    client.post(f"/surveys/{survey.id}/waves", data=second)
    page = client.get(f"/surveys/{survey.id}/samples").get_data(as_text=True)
    assert "Otra redacción" in page
    assert 'value="2027-05-10"' not in page
    assert 'value="2027-05-10"' in client.get(f"/surveys/{survey.id}/samples?wave=2").get_data(as_text=True)
    answer = client.post(f"/surveys/{survey.id}/waves", data={"code": "3", "opens_on": "mañana"})
    assert answer.status_code == 422
    assert "opens_on-fault" in answer.get_data(as_text=True)
    client.post(f"/surveys/{survey.id}/waves/remove", data={"code": "1"})
    assert [wave.code for wave in waves.listed(session, survey.id)] == ["2"]


def test_others_see_samples_and_may_not_draw_or_release(
    client_as: ClientAs, session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = cast.drawn(session, survey.id, "rdd", str(plan.id))
    session.commit()
    client = client_as("supervisor")
    page = client.get(f"/surveys/{survey.id}/samples/{made.id}")
    assert page.status_code == 200
    assert "/release" not in page.get_data(as_text=True)
    for address in (f"/surveys/{survey.id}/samples", f"/surveys/{survey.id}/samples/{made.id}/release",
                    f"/surveys/{survey.id}/waves", "/surveys/numbering-plans"):  # fmt: skip
        assert client.post(address, data={}).status_code == 403
    assert client_as("operator").get(f"/surveys/{survey.id}/samples").status_code == 403


# ── outcomes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_outcomes_show_codes_rates_with_e_and_both_rejection_rates(
    client_as: ClientAs, session: Session, survey: Survey
) -> None:
    people = [person(session) for _number in range(4)]
    queue = cast.campaign(session, survey.id, *people)
    call_id = cast.over(session, queue, people[0], disposition="completed")
    cast.interview(session, survey.id, "complete", call_id=call_id)
    cast.over(session, queue, people[1], disposition="refused")
    cast.over(session, queue, people[2], disposition="wrong_number")
    session.commit()
    page = client_as("supervisor").get(f"/surveys/{survey.id}/outcomes").get_data(as_text=True)
    assert "33.3 %" in page  # RR1: 1 of 3 (the wrong number is none of the population)
    assert "e = 66.7 %" in page
    assert "1 / 3" in page
    assert "n/d" not in page.split("codes-title")[1]
    asked = client_as("supervisor").get(f"/surveys/{survey.id}/outcomes", query_string={"e": "0,5"})
    assert "e = 50.0 %" in asked.get_data(as_text=True)


def test_a_rate_without_a_denominator_says_so(client_as: ClientAs, session: Session, survey: Survey) -> None:
    ana = person(session)
    queue = cast.campaign(session, survey.id, ana)
    cast.over(session, queue, ana, disposition="no_reply")
    session.commit()
    page = client_as("supervisor").get(f"/surveys/{survey.id}/outcomes").get_data(as_text=True)
    assert ">n/d<" in page
    assert "all unknown ones are taken as eligible" in page


@pytest.mark.parametrize("e", ["2", "mucho", "-1"])
def test_an_e_that_is_no_share_is_refused_beside_its_field(client_as: ClientAs, survey: Survey, e: str) -> None:
    answer = client_as("pollster").get(f"/surveys/{survey.id}/outcomes", query_string={"e": e})
    assert answer.status_code == 422
    assert "e-fault" in answer.get_data(as_text=True)


def test_a_campaign_or_sample_of_another_survey_is_not_found(
    client_as: ClientAs, session: Session, survey: Survey
) -> None:
    queue = cast.campaign(session, survey.id + 1)
    session.commit()
    client = client_as("pollster")
    for of in (f"queue-{queue.id}", "sample-1", "x-1", "queue-x"):
        assert client.get(f"/surveys/{survey.id}/outcomes", query_string={"of": of}).status_code == 404


def test_the_part_refreshes_itself_and_the_file_has_every_code(
    client_as: ClientAs, session: Session, survey: Survey
) -> None:
    ana = person(session)
    queue = cast.campaign(session, survey.id, ana)
    session.commit()
    client, of = client_as("pollster"), {"of": f"queue-{queue.id}"}
    part = client.get(f"/surveys/{survey.id}/outcomes", query_string=of, headers={"HX-Request": "true"})
    text = part.get_data(as_text=True)
    assert text.lstrip().startswith('<div id="outcomes"')
    assert f"of=queue-{queue.id}" in text
    lines = client.get(f"/surveys/{survey.id}/outcomes.csv", query_string=of).get_data(as_text=True).splitlines()
    assert any(line.startswith(("outcome,3.11", '"outcome","3.11"')) for line in lines)
    assert len(lines) == 1 + 23 + 16 + 1 + 4
