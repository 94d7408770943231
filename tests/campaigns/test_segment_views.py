"""The segment editor: what its form means, its live count, and what it refuses."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput
from campaigns import segment_forms
from campaigns.segments import Segment
from tests.callcenter.cast import person
from tests.conftest import ClientAs

FORM: dict[str, str | list[str]] = {
    "name": "Jóvenes", "mode": "all", "clause": ["a", "b"], "field-a": "age", "op-a": "between",
    "value-a": "18-29", "field-b": "sex", "op-b": "in", "value-b": ["M", "X"],
}  # fmt: skip
RULE = {
    "all": [
        {"field": "age", "op": "between", "value": [18, 29]},
        {"field": "sex", "op": "in", "value": ["M", "X"]},
    ]
}


def post(client: FlaskClient, url: str, data: dict[str, str | list[str]]) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/segments/").text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


def test_the_form_says_the_rule() -> None:
    assert segment_forms.read_rule(MultiDict(FORM)) == RULE


@pytest.mark.parametrize(
    "form",
    [
        {"clause": ["a"], "field-a": "age", "op-a": "is", "value-a": "x"},
        {"clause": ["a"], "field-a": "age", "op-a": "is", "value-a": ""},
        {"clause": ["a"], "field-a": "party", "op-a": "is", "value-a": "x"},
        {"clause": ["a"], "field-a": "section", "op-a": "in", "value-a": ""},
        {"mode": "some"},
        {"json": "{"},
        {"json": "[" * 100_000},
    ],
)
def test_a_form_that_says_no_rule_is_refused(form: dict[str, str | list[str]]) -> None:
    with pytest.raises(InvalidInput):
        segment_forms.read_rule(MultiDict(form))


def test_a_segment_is_saved_counted_and_shown_again(session: Session, client_as: ClientAs) -> None:
    client = client_as("strategist")
    assert client.get("/segments/").status_code == 200
    assert client.get("/segments/new").status_code == 200
    assert post(client, "/segments/", FORM).status_code == 302
    segment = session.scalars(select(Segment)).one()
    assert segment.rule == RULE
    page = client.get(f"/segments/{segment.id}").text
    assert 'value="18, 29"' in page
    assert page.count(" checked") == 2
    assert "stat-value" in post(client, "/segments/count", FORM).text


def test_counting_people_leaves_no_trace_and_looking_at_them_does(session: Session, client_as: ClientAs) -> None:
    who = person(session, "Luz Abad", sex="M", age=20)
    session.commit()
    client = client_as("strategist")
    samples = select(AuditEntry.detail).where(AuditEntry.action == "segments.sample")
    assert who.name not in post(client, "/segments/count", FORM).text
    assert session.scalars(samples).all() == []
    assert who.name in post(client, "/segments/sample", FORM).text
    assert session.scalars(samples).all() == [{"people": 1}]
    assert post(client, "/segments/sample", {**FORM, "value-a": "18"}).status_code == 200


def test_another_comparison_keeps_what_was_typed(client_as: ClientAs) -> None:
    client = client_as("strategist")
    text = "/segments/clause?key=ab12&field-ab12=section&op-ab12={}&value-ab12=2301"
    assert 'value="2301"' in client.get(text.format("in")).text
    assert 'value="2301"' in client.get(text.format("is")).text
    boxes = client.get("/segments/clause?key=ab12&field-ab12=sex&op-ab12=in&value-ab12=M&value-ab12=X").text
    assert boxes.count(" checked") == 2
    one = client.get("/segments/clause?key=ab12&field-ab12=sex&op-ab12=is&value-ab12=M").text
    assert one.count(" selected") == 3  # the field, the comparison, the value


def test_who_may_only_read_segments_is_offered_no_way_to_write_them(session: Session, client_as: ClientAs) -> None:
    post(client_as("strategist"), "/segments/", FORM)
    segment = session.scalars(select(Segment)).one()
    supervisor = client_as("supervisor")
    assert "/segments/new" not in supervisor.get("/segments/").text
    assert "#save" not in supervisor.get(f"/segments/{segment.id}").text


def test_a_half_written_rule_says_what_is_missing(client_as: ClientAs) -> None:
    answer = post(client_as("strategist"), "/segments/count", {**FORM, "value-a": "18"})
    assert answer.status_code == 200
    assert "alert-warning" in answer.text


def test_a_rule_that_cannot_be_saved_keeps_what_was_typed(client_as: ClientAs) -> None:
    answer = post(client_as("strategist"), "/segments/", {**FORM, "value-a": "eighteen"})
    assert answer.status_code == 422
    assert "eighteen" in answer.text


def test_groups_within_groups_are_edited_as_json(session: Session, client_as: ClientAs) -> None:
    client = client_as("strategist")
    assert post(client, "/segments/", {"name": "X", "json": '{"all": [{"not": []}]}'}).status_code == 302
    segment = session.scalars(select(Segment)).one()
    assert "<textarea" in client.get(f"/segments/{segment.id}").text


@pytest.mark.parametrize("field", ["section", "section_kind", "age", "sex", "promoter", "nonsense"])
def test_a_condition_has_inputs_for_its_field(client_as: ClientAs, field: str) -> None:
    answer = client_as("strategist").get(f"/segments/clause?key=ab12&field-ab12={field}")
    assert answer.status_code == 200
    assert "<fieldset" in answer.text


def test_data_clerks_and_operators_do_not_see_segments(client_as: ClientAs) -> None:
    assert {client_as(role).get("/segments/").status_code for role in ("operator", "data_clerk")} == {403}
