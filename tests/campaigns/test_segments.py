"""Segments: what a rule means, whatever rule; what it refuses; who of its people may not be contacted."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact, name_key
from callcenter.territory import Section
from campaigns import segments
from campaigns.segment_rules import FIELDS

PROMOTERS = (None, "Promotor 01", "PROMOTOR 1", "promotor  01", "Promotora Peña", "promotora pena", "10")
MUNICIPALITIES = (None, "MINATITLÁN", "Minatitlan", "Cosoleacaque")
NUMBERS = (None, 18, 30, 45, 80)
SECTIONS = (None, 2301, 2302, 2303)


@pytest.fixture
def people(session: Session) -> list[dict[str, Any]]:
    """Sixty invented people who differ in everything a rule can ask."""
    kinds: dict[int | None, str] = {2301: "U", 2302: "R"}
    for number, kind in kinds.items():
        session.add(Section(state=30, municipality_code=109, number=number, kind=kind, nominal_list=9, men=4, women=5))
    session.flush()
    ids: dict[int | None, int] = dict(session.execute(select(Section.number, Section.id)).all())
    rows = []
    for n in range(60):
        number = SECTIONS[n % 4]
        row: dict[str, Any] = {
            "name": f"Persona {n}", "given_names": "Persona", "name_key": f"persona {n}", "phone": f"+5222812300{n:02}",
            "sex": (None, "H", "M", "X")[n // 2 % 4], "age": NUMBERS[n % 5], "municipality": MUNICIPALITIES[n // 3 % 4],
            "section_number": number, "section_id": ids.get(number), "promoter": PROMOTERS[n % 7],
            "source": ("a", "b")[n % 2], "consent": ("opted_in", "opted_out", "unknown")[n // 5 % 3],
            "line_kind": ("mobile", "landline", "unknown")[n // 7 % 3],
        }  # fmt: skip
        rows.append({**row, "section": number, "section_kind": kinds.get(number)})
    columns = [{key: row[key] for key in row if key not in ("section", "section_kind")} for row in rows]
    session.execute(insert(Contact), columns)
    found = dict(session.execute(select(Contact.name_key, Contact.id)).all())
    return [{**row, "id": found[row["name_key"]]} for row in rows]


def key(text: str) -> str:
    return re.sub(r"(^| )0+(?=\d+( |$))", r"\1", name_key(text))


def holds(rule: dict[str, Any], person: dict[str, Any]) -> bool:
    """The slow, plain meaning of a rule."""
    if "field" in rule:
        return clause_holds(rule, person)
    ((group, members),) = rule.items()
    said = [holds(member, person) for member in members]
    return {"all": all(said), "any": any(said), "not": not any(said)}[group]


def clause_holds(clause: dict[str, Any], person: dict[str, Any]) -> bool:
    actual, op = person[clause["field"]], clause["op"]
    value: Any = clause.get("value")
    if op in ("is_known", "is_unknown"):
        return bool((actual is None) == (op == "is_unknown"))
    if FIELDS[clause["field"]].kind == "text":
        actual = actual and key(actual)
        value = [key(one) for one in value] if isinstance(value, list) else key(value)
    if op in ("is_not", "not_in"):
        return bool(actual != value) if op == "is_not" else actual not in value
    if actual is None:
        return False
    least, most = value if op == "between" else (value, value)
    verdicts: dict[str, bool] = {
        "is": actual == value,
        "in": op == "in" and actual in value,
        "at_least": op == "at_least" and actual >= least,
        "at_most": op == "at_most" and actual <= most,
        "between": op == "between" and least <= actual <= most,
    }
    return verdicts[op]


def values(name: str) -> st.SearchStrategy[Any]:
    known: dict[str, list[Any]] = {
        "section": [2301, 2302, 2309], "age": [0, 18, 30, 44, 45, 99],
        "promoter": ["promotor 1", "PROMOTORA PEÑA", "x"],
        "municipality": ["minatitlán", "Cosoleacaque", "otro"], "source": ["a", "b", "c"],
    }  # fmt: skip
    return st.sampled_from(known.get(name) or list(FIELDS[name].choices))


@st.composite
def clauses(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    op = draw(st.sampled_from(FIELDS[name].ops))
    if op in ("is_known", "is_unknown"):
        return {"field": name, "op": op}
    if op == "between":
        return {"field": name, "op": op, "value": [draw(values(name)), draw(values(name))]}
    if op in ("in", "not_in"):
        return {"field": name, "op": op, "value": draw(st.lists(values(name), min_size=1, max_size=3))}
    return {"field": name, "op": op, "value": draw(values(name))}


def grouped(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(
        st.sampled_from(("all", "any", "not")), st.lists(members, max_size=3), min_size=1, max_size=1
    )


RULES = grouped(st.recursive(clauses(), grouped, max_leaves=6))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES)
def test_the_select_means_what_the_rule_says(session: Session, people: list[dict[str, Any]], rule: Any) -> None:
    try:
        segments.validate(rule)
    except InvalidInput as fault:
        assert "deep" in str(fault)  # noqa: PT017  # the one limit that these rules can break
        return
    assert set(session.scalars(segments.compile_rule(rule))) == {one["id"] for one in people if holds(rule, one)}


BAD = [
    ([], "group"),
    ({"all": [], "any": []}, "group"),
    ({"all": "x"}, "list"),
    ({"all": [{"field": "religion", "op": "is", "value": "x"}]}, "religion"),
    ({"all": [{"field": ["a"], "op": "is", "value": "x"}]}, "field"),
    ({"all": [{"field": "age", "op": "like", "value": 3}]}, "like"),
    ({"all": [{"field": "age", "op": ["is"], "value": 3}]}, "comparison"),
    ({"all": [{"field": "age", "op": "is", "value": "30"}]}, "whole number"),
    ({"all": [{"field": "age", "op": "is", "value": True}]}, "whole number"),
    ({"all": [{"field": "age", "op": "is", "value": 10**12}]}, "whole number"),
    ({"all": [{"field": "age", "op": "between", "value": [1, 2, 3]}]}, "between"),
    ({"all": [{"field": "sex", "op": "is", "value": "F"}]}, "H, M, X"),
    ({"all": [{"field": "sex", "op": "in", "value": []}]}, "list"),
    ({"all": [{"field": "source", "op": "is", "value": "x" * 201}]}, "text"),
    ({"all": [{"field": "source", "op": "is", "value": "a\x00"}]}, "text"),
    ({"all": [{"field": "age", "op": "is", "value": 3, "sql": "x"}]}, "nothing else"),
    ({"all": [{"all": [{"all": [{"all": [{"all": [{"all": []}]}]}]}]}]}, "deep"),
    ({"all": [{"field": "age", "op": "is_known"}] * 201}, "200"),
    ({"all": [{"any": [{"field": "age", "op": "is_known"}] * 150}] * 2}, "200"),
]


@pytest.mark.parametrize(("rule", "word"), BAD)
def test_a_rule_that_cannot_be_is_refused_in_words(rule: Any, word: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(word)):
        segments.validate(rule)


def test_a_count_sets_apart_who_may_not_be_contacted(session: Session, people: list[dict[str, Any]]) -> None:
    suppressions.configure(b"key-of-the-tests")
    free = next(one for one in people if one["consent"] == "unknown")
    suppressions.add(session, free["phone"], reason="import", source="t", at=real_now())
    session.flush()
    counted = segments.count(session, {"all": []})
    assert counted.excluded == {"opted_out": 20, "suppressed": 1}
    assert (counted.count, counted.matching) == (39, 60)


def test_a_purpose_that_needs_consent_excludes_who_has_not_given_it(session: Session, people: list[Any]) -> None:
    suppressions.configure(b"key-of-the-tests")
    counted = segments.count(session, {"all": []}, purpose="persuasion")
    assert (counted.count, counted.excluded) == (20, {"not_opted_in": 20, "opted_out": 20})


def test_a_changed_rule_is_a_new_version_and_a_name_is_taken_once(session: Session) -> None:
    segment = segments.save(session, None, " Jóvenes ", {"all": []}, None)
    assert (segment.name, segment.version) == ("Jóvenes", 1)
    assert segments.save(session, segment.id, "Jóvenes", {"all": []}, None).version == 1
    assert segments.save(session, segment.id, "Jóvenes", {"any": []}, None).version == 2
    with pytest.raises(InvalidInput):
        segments.save(session, None, "jóvenes", {"all": []}, None)
    with pytest.raises(InvalidInput):
        segments.save(session, None, "  ", {"all": []}, None)


def test_the_sample_of_a_rule_stays_the_same(session: Session, people: list[Any]) -> None:
    first = [one.id for one in segments.sample(session, {"all": []})]
    assert len(first) == 10
    assert [one.id for one in segments.sample(session, {"all": []})] == first
