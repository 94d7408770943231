"""The segment builder through its pages: what its rows mean, what they say of faults, what is kept and counted."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter.base.audit import AuditEntry
from callcenter.people.attributes import define
from callcenter.territory import Section
from campaigns import segments
from campaigns.segmenting import segment_drafts
from campaigns.segments import Segment
from tests.callcenter.cast import person
from tests.campaigns.form_reader import form_on
from tests.conftest import ClientAs

Form = dict[str, Any]
FORM: Form = {
    "name": "Jóvenes", "node": ["r", "a", "b"], "group-r": "all",
    "in-a": "r", "field-a": "age", "op-a": "between", "value-a": ["18", "29"],
    "in-b": "r", "field-b": "sex", "op-b": "in", "value-b": ["M", "X"],
}  # fmt: skip
RULE = {
    "version": 2,
    "all": [
        {"field": "age", "op": "between", "value": [18, 29]},
        {"field": "sex", "op": "in", "value": ["M", "X"]},
    ],
}


def post(client: FlaskClient, url: str, data: Form, *, htmx: bool = False) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/segments/").text)
    assert token
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(url, data={"csrf_token": token[1], **data}, headers=headers)


def rule_with(**row: Any) -> Form:
    """A form with one condition `a`."""
    return {"name": "X", "node": ["r", "a"], "group-r": "all", "in-a": "r"} | {f"{k}-a": v for k, v in row.items()}


def saved(session: Session) -> Any:
    return session.scalars(select(Segment.rule).order_by(Segment.id.desc()).limit(1)).one()


def fault_at(text: str, key: str) -> str:
    found = re.search(rf'id="fault-{key}"[^>]*>(.*?)</div>', text, re.S)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


def test_a_segment_is_saved_and_shown_again(session: Session, client_as: ClientAs) -> None:
    client = client_as("strategist")
    assert client.get("/segments/").status_code == 200
    assert client.get("/segments/new").status_code == 200
    assert post(client, "/segments/", FORM).status_code == 302
    segment = session.scalars(select(Segment)).one()
    assert segment.rule == RULE
    page = client.get(f"/segments/{segment.id}").text
    assert 'value="18"' in page
    assert 'value="29"' in page
    assert page.count(" checked") == 2


@pytest.mark.parametrize(
    ("row", "clause"),
    [
        ({"field": "section", "op": "in", "value": "2301, 2302; 2303"},
         {"field": "section", "op": "in", "value": [2301, 2302, 2303]}),
        ({"field": "age", "op": "at_least", "value": "18"}, {"field": "age", "op": "at_least", "value": 18}),
        ({"field": "age", "op": "is_known"}, {"field": "age", "op": "is_known"}),
        ({"field": "sex", "op": "is", "value": "M"}, {"field": "sex", "op": "is", "value": "M"}),
        ({"field": "promoter", "op": "in", "value": ["Ana, hija", "Luz", ""]},
         {"field": "promoter", "op": "in", "value": ["Ana, hija", "Luz"]}),
        ({"field": "is_member", "op": "is", "value": "no"}, {"field": "is_member", "op": "is", "value": False}),
        ({"field": "created", "op": "between", "value": ["2027-01-01", "2027-02-01"]},
         {"field": "created", "op": "between", "value": ["2027-01-01", "2027-02-01"]}),
        ({"field": "created", "op": "within_days", "value": "30"},
         {"field": "created", "op": "within_days", "value": 30}),
        ({"field": "attr:height", "op": "at_least", "value": "1.5"},
         {"field": "attr:height", "op": "at_least", "value": 1.5}),
        ({"field": "did:called", "op": "did_not", "when": "within", "days": "7"},
         {"did_not": "called", "within_days": 7}),
        ({"field": "did:outcome", "op": "did", "value": ["completed", "refused"], "times": "2"},
         {"did": "outcome", "value": ["completed", "refused"], "at_least": 2}),
        ({"field": "did:received", "op": "did", "channel": "sms", "purpose": "survey", "when": "between",
          "from": "2027-01-01", "to": "2027-01-31"},
         {"did": "received", "channel": "sms", "purpose": "survey", "between": ["2027-01-01", "2027-01-31"]}),
    ],
)  # fmt: skip
def test_a_row_means_its_clause_and_is_shown_as_it_was(
    session: Session, client_as: ClientAs, row: dict[str, Any], clause: dict[str, Any]
) -> None:
    define(session, "height", "Height", "number", user_id=None)
    session.commit()
    client = client_as("strategist")
    assert post(client, "/segments/", rule_with(**row)).status_code == 302
    assert saved(session) == {"version": 2, "all": [clause]}
    segment_id = session.scalars(select(Segment.id).order_by(Segment.id.desc())).first()
    page = client.get(f"/segments/{segment_id}").text
    assert page.count('class="rule-row"') == 1
    assert fault_at(page, "a") == ""
    form = form_on(page)
    form["name"] = "Y"
    assert post(client, "/segments/", form).status_code == 302
    assert saved(session) == {"version": 2, "all": [clause]}


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({}, "Choose"),
        ({"field": "party", "op": "is", "value": "x"}, "party"),
        ({"field": "age", "op": "like", "value": "3"}, ""),
        ({"field": "age", "op": "is", "value": "eighteen"}, "eighteen"),
        ({"field": "age", "op": "is", "value": ["1", "2"]}, "one value"),
        ({"field": "age", "op": "is", "value": ""}, "missing"),
        ({"field": "age", "op": "between", "value": ["18", ""]}, "both"),
        ({"field": "age", "op": "between", "value": ["29", "18"]}, "larger"),
        ({"field": "age", "op": "is", "value": "99999999"}, "100"),
        ({"field": "section", "op": "in", "value": ""}, "missing"),
        ({"field": "source", "op": "is", "value": "x" * 201}, "200"),
        ({"field": "created", "op": "at_least", "value": "1 May"}, "2027-05-01"),
        ({"field": "created", "op": "within_days", "value": "many"}, "days"),
        ({"field": "did:danced", "op": "did"}, "Choose"),
        ({"field": "did:outcome", "op": "did"}, "outcome"),
        ({"field": "did:answered", "op": "did"}, "survey"),
        ({"field": "did:answered", "op": "did", "survey": "999"}, "question"),
        ({"field": "did:answered", "op": "did", "survey": "999", "item": "vote"}, "999"),
        ({"field": "did:called", "op": "did", "queue": "999"}, "999"),
        ({"field": "did:called", "op": "did", "times": "0"}, "times"),
        ({"field": "did:called", "op": "did", "when": "within", "days": "0"}, "days"),
        ({"field": "did:called", "op": "did", "when": "between", "from": "2027-01-01"}, "dates"),
        ({"field": "did:called", "op": "did", "when": "between", "from": "2027-02-01", "to": "2027-01-01"}, "after"),
        ({"field": "did:called", "op": "did", "when": "between", "from": "x", "to": "y"}, "2027-05-01"),
        ({"field": "segment", "op": "in"}, "segment"),
        ({"field": "segment", "op": "in", "value": "999"}, "999"),
        ({"field": "frozen", "op": "not_in", "value": "999"}, "999"),
    ],
)
def test_a_row_that_cannot_be_says_so_at_the_row_and_keeps_what_was_typed(
    session: Session, client_as: ClientAs, row: dict[str, Any], word: str
) -> None:
    client = client_as("strategist")
    if row.get("op") == "like":  # an unknown comparison becomes the usual one: nothing is wrong, nothing is lost
        row = {**row, "value": ""}
    form = rule_with(**row)
    answer = post(client, "/segments/", form | {"language": "en"})
    assert answer.status_code == 422
    assert word in fault_at(english(client, form), "a")
    assert session.scalars(select(Segment)).all() == []
    typed = row.get("value")
    if isinstance(typed, str) and typed and len(typed) < 50 and row["field"] in ("age", "section"):
        assert typed in answer.text


def english(client: FlaskClient, form: Form) -> str:
    """The page after a failed save, in English."""
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/segments/").text)
    assert token
    return client.post("/segments/", data={"csrf_token": token[1], **form}, headers={"Accept-Language": "en"}).text


def test_the_buttons_build_groups_without_a_script(client_as: ClientAs) -> None:
    client = client_as("strategist")
    page = post(client, "/segments/", {**FORM, "act": "nest:r"}).text
    assert page.count("rule-group") >= 2
    assert page.count("data-picker-group") > 3
    page = post(client, "/segments/", {**FORM, "act": "remove:a"}).text
    assert page.count('class="rule-row"') == 1
    undone = post(client, "/segments/", {**form_on(page), "act": "undo"}).text
    assert undone.count('class="rule-row"') == 2
    assert re.search(r'name="value-a"[^>]*value="18"', undone)


def test_a_field_that_is_picked_gets_the_inputs_it_needs(client_as: ClientAs) -> None:
    client = client_as("strategist")
    form = {"node": ["r", "a"], "group-r": "any", "in-a": "r"}
    for code, needs in (
        ("age", 'name="op-a"'), ("sex", "checkbox"), ("source", "datalist"), ("created", 'type="date"'),
        ("is_member", '<option value="yes"'), ("did:called", 'name="when-a"'), ("did:answered", 'name="survey-a"'),
        ("section_kind", "checkbox"), ("neighborhood", "datalist"),
    ):  # fmt: skip
        assert needs in post(client, "/segments/rule", {**form, "act": f"pick:a:{code}"}, htmx=True).text


def test_a_row_drawn_again_keeps_what_fits(client_as: ClientAs) -> None:
    client = client_as("strategist")
    form = rule_with(field="section", op="is", value="2301") | {"row": "a"}
    assert 'value="2301"' in post(client, "/segments/row", form, htmx=True).text
    assert 'id="rule-tree"' in post(client, "/segments/row", {**form, "row": "gone"}, htmx=True).text


def test_what_is_half_written_is_there_after_a_reload_until_it_is_discarded(
    session: Session, client_as: ClientAs
) -> None:
    client = client_as("strategist")
    post(client, "/segments/count?quick=1", rule_with(field="age", op="is", value="eigh"), htmx=True)
    assert 'value="eigh"' in client.get("/segments/new").text
    post(client, "/segments/discard", {"segment": ""})
    assert 'value="eigh"' not in client.get("/segments/new").text
    assert session.scalars(select(segment_drafts.SegmentDraft)).all() == []


def test_looking_at_a_segment_leaves_no_draft(session: Session, client_as: ClientAs) -> None:
    client = client_as("strategist")
    post(client, "/segments/", FORM)
    segment = session.scalars(select(Segment)).one()
    form = form_on(client.get(f"/segments/{segment.id}").text)
    for name, drafts in ((["Jóvenes"], 0), (["Other"], 1), (["Jóvenes"], 0)):
        post(client, "/segments/count?quick=1", {**form, "name": name}, htmx=True)
        assert len(session.scalars(select(segment_drafts.SegmentDraft)).all()) == drafts
    post(client, "/segments/count?quick=1", form_on(client.get("/segments/new").text), htmx=True)
    assert session.scalars(select(segment_drafts.SegmentDraft)).all() == []


def test_what_somebody_else_saved_meanwhile_is_said_before_it_is_replaced(
    session: Session, client_as: ClientAs
) -> None:
    client = client_as("strategist")
    post(client, "/segments/", FORM)
    segment = session.scalars(select(Segment)).one()
    form = form_on(client.get(f"/segments/{segment.id}").text)
    segments.save(session, segment.id, segment.name, {"all": []}, None)
    session.commit()
    refused = post(client, f"/segments/{segment.id}", form)
    assert refused.status_code == 422
    assert post(client, f"/segments/{segment.id}", form_on(refused.text)).status_code == 302
    session.expire_all()
    assert (segment.version, segment.rule) == (3, RULE)


def test_the_count_leaves_out_what_is_unfinished_and_says_so(session: Session, client_as: ClientAs) -> None:
    person(session, "Luz Abad", sex="M", age=20)
    person(session, "Ana Ruiz", sex="M", age=50)
    person(session, "Leo Paz", sex="H", age=20)
    session.commit()
    client = client_as("strategist")
    whole = post(client, "/segments/count", FORM, htmx=True).text
    assert 'data-count="1"' in whole
    half = post(client, "/segments/count", {**FORM, "value-a": ["18", ""]}, htmx=True).text
    assert 'data-count="2"' in half
    assert fault_at(half, "a") != ""
    assert fault_at(half, "b") == ""


def test_a_purpose_changes_who_is_left_out_and_says_what_lifts_it(session: Session, client_as: ClientAs) -> None:
    person(session, "Luz Abad", sex="M", age=20).consent = "unknown"
    session.commit()
    client = client_as("strategist")
    assert 'data-count="1"' in post(client, "/segments/count", FORM, htmx=True).text
    asked = post(client, "/segments/count", {**FORM, "purpose": "persuasion"}, htmx=True).text
    assert 'data-count="0"' in asked
    assert "/campaigns/calls/new" in asked


def test_the_first_number_is_an_estimate_that_asks_for_the_exact_one(session: Session, client_as: ClientAs) -> None:
    person(session, "Luz Abad", sex="M", age=20)
    session.commit()
    first = post(client_as("strategist"), "/segments/count?quick=1", FORM, htmx=True).text
    assert "/segments/count" in first or 'data-count="1"' in first


def test_counting_people_leaves_no_trace_and_looking_at_them_does(session: Session, client_as: ClientAs) -> None:
    who = person(session, "Luz Abad", sex="M", age=20)
    session.commit()
    client = client_as("strategist")
    samples = select(AuditEntry.detail).where(AuditEntry.action == "segments.sample")
    assert who.name not in post(client, "/segments/count", FORM, htmx=True).text
    assert session.scalars(samples).all() == []
    shown = post(client, "/segments/sample", FORM, htmx=True).text
    assert who.name in shown
    assert who.phone not in shown
    assert session.scalars(samples).all() == [{"people": 1}]


def test_sections_hide_small_numbers(session: Session, client_as: ClientAs) -> None:
    for number, people in ((2301, 7), (2302, 6), (2303, 2), (2304, 3)):
        place = Section(state=30, municipality_code=109, number=number, kind="U", nominal_list=9, men=4, women=5)
        session.add(place)
        session.flush()
        for _one in range(people):
            person(session, "Luz Abad", sex="M", age=20, section_number=number, section_id=place.id)
    session.commit()
    page = post(client_as("strategist"), "/segments/sections", FORM, htmx=True).text
    cells = re.findall(r'<th scope="row">(\d+)</th><td class="number">([^<]+)</td>', page)
    assert dict(cells)["2301"] == "7"
    assert not re.match(r"\d", dict(cells)["2303"])
    assert not re.match(r"\d", dict(cells)["2304"])


def test_a_rule_is_taken_from_json_and_faulty_json_stays_with_its_sentence(
    session: Session, client_as: ClientAs
) -> None:
    client = client_as("strategist")
    text = '{"all": [{"not": [{"field": "age", "op": "is", "value": 3}]}]}'
    page = post(client, "/segments/rule", {**FORM, "json": text, "act": "json"}, htmx=True).text
    assert "rule-not" in page
    for bad in ("{", "[" * 100_000, '{"all": [{"field": "party"}]}'):
        answer = post(client, "/segments/", {**FORM, "json": bad})
        assert answer.status_code == 422
        assert "invalid-feedback d-block" in answer.text
    assert session.scalars(select(Segment)).all() == []
    assert post(client, "/segments/", {**FORM, "json": text}).status_code == 302
    assert "not" in saved(session)["all"][0]


def test_ten_thousand_conditions_get_a_sentence(client_as: ClientAs) -> None:
    rule = json.dumps({"all": [{"any": [{"field": "age", "op": "at_least", "value": 18}] * 100}] * 100}, indent=1)
    answer = post(client_as("strategist"), "/segments/rule", {**FORM, "json": rule, "act": "json"}, htmx=True)
    assert answer.status_code == 200
    assert re.search(r'id="json-fault"[^>]*>[^<]*200', answer.text)


def test_a_whole_rule_that_is_too_deep_says_so_and_nothing_is_shown(session: Session, client_as: ClientAs) -> None:
    who = person(session, "Luz Abad", sex="M", age=20)
    session.commit()
    client = client_as("strategist")
    keys = list("abcdefgh")
    form: Form = {"name": "Deep", "node": keys, **{f"group-{key}": "all" for key in keys},
                  **{f"in-{key}": above for above, key in pairwise(keys)}}  # fmt: skip
    assert post(client, "/segments/", form).status_code == 422
    assert "alert-warning" in post(client, "/segments/count", form, htmx=True).text
    assert who.name not in post(client, "/segments/sample", form, htmx=True).text


def test_values_that_lists_have_are_suggested(session: Session, client_as: ClientAs) -> None:
    for promoter in ("Luz Ñandú", "Ana", None):
        person(session, promoter=promoter)
    session.commit()
    client = client_as("strategist")
    page = client.get("/segments/suggest?field=promoter&typed=NANDU", headers={"HX-Request": "true"}).text
    assert "Luz Ñandú" in page
    assert "Ana" not in page
    assert client.get("/segments/suggest?field=age&typed=1").text.strip() == ""


def test_who_may_only_read_segments_is_offered_no_way_to_write_them(session: Session, client_as: ClientAs) -> None:
    post(client_as("strategist"), "/segments/", FORM)
    segment = session.scalars(select(Segment)).one()
    supervisor = client_as("supervisor")
    assert "/segments/new" not in supervisor.get("/segments/").text
    assert "#save" not in supervisor.get(f"/segments/{segment.id}").text
    assert post(supervisor, f"/segments/{segment.id}", FORM).status_code == 403


def test_data_clerks_and_operators_do_not_see_segments(client_as: ClientAs) -> None:
    assert {client_as(role).get("/segments/").status_code for role in ("operator", "data_clerk")} == {403}


def test_every_saved_rule_is_valid(session: Session, client_as: ClientAs) -> None:
    post(client_as("strategist"), "/segments/", FORM)
    segments.validate(session, saved(session))


def test_a_pollster_sees_figures_of_people_and_never_people(session: Session, client_as: ClientAs) -> None:
    person(session, "Zenaida Quirarte", "+522281234567", age=20, sex="M")
    one, other = (segments.save(session, None, name, RULE, None) for name in ("Una", "Otra"))
    session.commit()
    pair = {"a": f"segment-{one.id}", "b": f"segment-{other.id}", "part": "both"}
    asked: list[tuple[str, Form]] = [("/segments/sample", FORM), ("/segments/compare/sample", pair)]
    page = f"/segments/compare?a={pair['a']}&b={pair['b']}"
    for role, sees in (("pollster", False), ("strategist", True)):
        client = client_as(role)
        for url, form in asked:
            answer = post(client, url, form, htmx=True)
            assert (answer.status_code, "Zenaida" in answer.text) == ((200, True) if sees else (403, False))
        for each in (page, f"/segments/{one.id}"):
            assert ("/sample" in client.get(each).text) is sees
        assert ">1<" in post(client, "/segments/count", FORM, htmx=True).text
