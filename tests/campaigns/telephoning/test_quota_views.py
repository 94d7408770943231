"""Pages of quotas: the cells as they stand, their table edited, pasted, uploaded and proposed."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base.audit import AuditEntry
from campaigns.calling import CallCampaign
from campaigns.segments import Segment
from campaigns.telephoning import quota_views
from surveys import questionnaire, quotas
from surveys.fieldwork import quota_entries
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.interviews import Interview
from tests.callcenter import cast
from tests.conftest import ClientAs
from tests.surveys.survey_forms import SAMPLE

TABLE = "sexo;meta\nM;1\nH;60\n"


@pytest.fixture
def pollster(app: Flask, client_as: ClientAs) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    client = client_as("pollster")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def campaign(session: Session) -> CallCampaign:
    """A running campaign of the sample's survey: three women, one man, and one whose sex nobody knows."""
    survey = questionnaire.create_survey(session, "Ola 1", SAMPLE.name, SAMPLE.read_bytes())
    people = [
        cast.person(session, f"P{n}", sex=sex, age=20 + 15 * n) for n, sex in enumerate(["M", "M", "M", "H", None])
    ]
    queue = cast.queue(session, *people, script=f"survey/{survey.id}")
    segment = Segment(name="Todas", rule={"all": []})
    made = CallCampaign(name="Ola 1", segment=segment, segment_version=1, queue=queue, frozen_at=datetime.now(UTC))
    session.add(made)
    session.commit()
    return made


def address(campaign: CallCampaign, rest: str = "") -> str:
    return f"/campaigns/calls/{campaign.id}/quotas{rest}"


def plan_of(session: Session, campaign: CallCampaign) -> QuotaPlan | None:
    return quotas.of(session, campaign.queue_id)


def interview(session: Session, campaign: CallCampaign, sex: str) -> None:
    survey_id = int(campaign.queue.script.partition("/")[2])
    session.add(
        Interview(id=uuid4(), survey_id=survey_id, questionnaire_id=questionnaire.current(session, survey_id).id,
                  queue_id=campaign.queue_id, state="complete", seed=1, hidden={"sex": sex},
                  at=datetime(2027, 5, 10, tzinfo=UTC), ended_at=datetime.now(UTC))
    )  # fmt: skip
    session.commit()


def test_a_pollster_pastes_cells_and_sees_them_stand(
    session: Session, pollster: FlaskClient, campaign: CallCampaign
) -> None:
    assert "This campaign has no quotas" in pollster.get(address(campaign)).text
    saved = pollster.post(
        address(campaign), data={"quota_cells": TABLE, "quota_when_full": "finish", "quota_stop_margin": "4.5"}
    )
    assert saved.status_code == 302
    plan = plan_of(session, campaign)
    assert plan == QuotaPlan((Dimension("sex", "sex", "code"),), (Cell(("M",), 1), Cell(("H",), 60)), "finish", 0.045)
    for sex in ("M", "M", "H"):
        interview(session, campaign, sex)
    page = pollster.get(address(campaign)).text
    assert "Interviews that count" in page
    assert "2 / 61" in page
    assert "asked in «sex», else from the record" in page
    assert "2 / 61" in pollster.get(address(campaign, "/live")).text
    assert "Ola 1" in pollster.get("/campaigns/quotas/").text


def test_a_file_takes_the_place_of_what_is_written(
    session: Session, pollster: FlaskClient, campaign: CallCampaign
) -> None:
    file = (BytesIO("Sexo;Edad;Meta\nMujer;18 a 29;7\n".encode("cp1252")), "cuotas.csv")
    data = {"quota_cells": TABLE, "quota_when_full": "screen", "quota_stop_margin": "", "file": file}
    saved = pollster.post(address(campaign), data=data)
    assert saved.status_code == 302
    plan = plan_of(session, campaign)
    assert plan is not None
    assert (plan.cells, plan.when_full, plan.stop_margin) == ((Cell(("M", "18-29"), 7),), "screen", None)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"quota_cells": "sexo;meta\nZ;1"}, "Line 2: «Z» is no value of «sex»"),
        ({"quota_stop_margin": "50"}, "Write a margin from 0.5 to 20 points, or nothing."),
        ({"quota_when_full": "shout"}, "Not a valid choice"),
        ({"file": (BytesIO(b"PK\x03\x04\x00"), "cuotas.xlsx")}, "Save it as CSV"),
    ],
)
def test_a_fault_is_told_beside_its_field_and_nothing_is_lost(
    session: Session, pollster: FlaskClient, campaign: CallCampaign, fields: dict[str, object], told: str
) -> None:
    data = {"quota_cells": TABLE, "quota_when_full": "screen", "quota_stop_margin": ""} | fields
    answer = pollster.post(address(campaign), data=data)
    assert answer.status_code == 422
    assert told in answer.text
    assert str(data["quota_cells"]).splitlines()[1] in answer.text
    assert plan_of(session, campaign) is None


def test_targets_are_changed_one_by_one(session: Session, pollster: FlaskClient, campaign: CallCampaign) -> None:
    quotas.set_plan(session, campaign.queue_id, QuotaPlan((Dimension("sex", "sex", "code"),),
                                                          (Cell(("M",), 1), Cell(("H",), 60))), None)  # fmt: skip
    session.commit()
    named = {"cell": ["M", "H"]}
    assert pollster.post(address(campaign, "/targets"), data=named | {"target": ["5", ""]}).status_code == 302
    assert plan_of(session, campaign).cells == (Cell(("M",), 5), Cell(("H",), None))  # type: ignore[union-attr]  # it has quotas
    wrong = pollster.post(address(campaign, "/targets"), data=named | {"target": ["many", ""]})
    assert wrong.status_code == 422
    assert "«many» is no target of «Woman»" in wrong.text
    late = pollster.post(address(campaign, "/targets"), data={"cell": ["H", "M"], "target": ["1", "2"]})
    assert "Somebody has changed the cells in the meantime" in late.text
    assert plan_of(session, campaign).cells == (Cell(("M",), 5), Cell(("H",), None))  # type: ignore[union-attr]  # it has quotas


def test_cells_are_proposed_in_the_proportions_of_the_list(
    session: Session, pollster: FlaskClient, campaign: CallCampaign
) -> None:
    page = pollster.post(address(campaign, "/propose"), data={"strata": ["sex"], "total": "400"})
    assert page.status_code == 200
    assert "sex;target\nH;100\nM;300" in page.text
    assert plan_of(session, campaign) is None
    both = pollster.post(address(campaign, "/propose"), data={"strata": ["sex", "age"], "total": "400"}).text
    assert "sex;age;target\nH;60+;100\nM;18-29;100\nM;30-44;100\nM;45-59;100" in both


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"total": "400"}, "Choose from 1 to 4 strata."),
        ({"strata": ["sex"], "total": "lots"}, "Write how many interviews you want"),
        ({"strata": ["section_kind"], "total": "400"}, "The record of nobody on the list knows these strata."),
    ],
)
def test_what_cannot_be_proposed_is_said(
    pollster: FlaskClient, campaign: CallCampaign, fields: dict[str, object], told: str
) -> None:
    answer = pollster.post(address(campaign, "/propose"), data=fields)
    assert answer.status_code == 422
    assert told in answer.text


def test_an_empty_table_takes_the_quotas_off(session: Session, pollster: FlaskClient, campaign: CallCampaign) -> None:
    quotas.set_plan(session, campaign.queue_id, QuotaPlan((Dimension("sex", "", "code"),), (Cell(("M",), 0),)), None)
    quota_entries.sort_all(session, campaign.queue_id)
    session.commit()
    data = {"quota_cells": " ", "quota_when_full": "screen", "quota_stop_margin": ""}
    assert pollster.post(address(campaign), data=data).status_code == 302
    assert plan_of(session, campaign) is None


def test_cells_and_marks_leave_as_files_without_a_person(
    session: Session, pollster: FlaskClient, campaign: CallCampaign
) -> None:
    data = {"quota_cells": TABLE, "quota_when_full": "screen", "quota_stop_margin": ""}
    pollster.post(address(campaign), data=data)
    interview(session, campaign, "M")
    interview(session, campaign, "M")
    assert pollster.get(address(campaign, "/cells.csv")).text == "\ufeffsex;target\nM;1\nH;60\n"
    lines = pollster.get(address(campaign, "/interviews.csv")).text.lstrip("\ufeff").splitlines()
    assert lines[0] == "interview,Sex,beyond the target"
    assert sorted(line.partition(",")[2] for line in lines[1:]) == ["M,no", "M,yes"]
    assert session.scalars(select(AuditEntry.action).where(AuditEntry.action == "quotas.export")).all()


def test_a_campaign_without_a_survey_or_at_its_end_has_no_quotas_to_set(
    session: Session, pollster: FlaskClient, campaign: CallCampaign
) -> None:
    data = {"quota_cells": TABLE, "quota_when_full": "screen", "quota_stop_margin": ""}
    script, campaign.queue.script = campaign.queue.script, "operator"
    session.commit()
    assert "Only a campaign that asks a survey has quotas." in pollster.get(address(campaign)).text
    assert pollster.post(address(campaign), data=data).status_code == 409
    campaign.queue.script = script
    queues.set_state(session, campaign.queue_id, "finished", "review", None)
    session.commit()
    assert pollster.post(address(campaign), data=data).status_code == 409
    assert plan_of(session, campaign) is None


def test_a_supervisor_looks_and_an_operator_does_not(
    app: Flask, session: Session, client_as: ClientAs, campaign: CallCampaign
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    assert client_as("supervisor").get(address(campaign)).status_code == 200
    assert client_as("supervisor").post(address(campaign), data={"quota_cells": TABLE}).status_code == 403
    assert client_as("operator").get(address(campaign)).status_code == 403


def test_a_page_of_a_campaign_without_quotas_shows_no_part_of_them(session: Session, campaign: CallCampaign) -> None:
    assert quota_views.picture(session, campaign) == {}
