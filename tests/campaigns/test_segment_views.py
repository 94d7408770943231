"""The segment editor: what its form means, its live count, and what it refuses."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from callcenter.base.errors import InvalidInput
from campaigns import segment_forms
from campaigns.segments import Segment
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
