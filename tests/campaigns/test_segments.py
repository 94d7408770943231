"""Segments: what a rule refuses and where; counts and who may not be contacted; versions, frozen lists, comparison."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact
from campaigns import segments
from campaigns.messages import Message
from campaigns.segmenting import segment_counts, segment_rules, segment_versions
from campaigns.segmenting.frozen_segments import FrozenMember
from campaigns.texts import clicks
from tests.campaigns import segment_people
from tests.campaigns.segment_people import World

ANYBODY: dict[str, Any] = {"all": []}
DEEP: dict[str, Any] = {"all": [{"all": [{"all": [{"all": [{"all": [{"all": []}]}]}]}]}]}
KNOWN = {"field": "age", "op": "is_known"}
BAD: list[tuple[Any, str, str]] = [
    ([], "", "group"),
    ({"all": [], "any": []}, "", "group"),
    ({"all": "x"}, "", "list"),
    ({"version": 3, "all": []}, "", "version 3"),
    ({"all": [{"field": "religion", "op": "is", "value": "x"}]}, "0", "religion"),
    ({"all": [KNOWN, {"any": [KNOWN, {"field": ["a"], "op": "is", "value": "x"}]}]}, "1.1", "field"),
    ({"all": [{"field": "attr:nothing", "op": "is", "value": "x"}]}, "0", "attr:nothing"),
    ({"all": [{"field": "age", "op": "like", "value": 3}]}, "0", "like"),
    ({"all": [{"field": "age", "op": ["is"], "value": 3}]}, "0", "comparison"),
    ({"all": [{"field": "age", "op": "is", "value": "30"}]}, "0", "whole number"),
    ({"all": [{"field": "age", "op": "is", "value": True}]}, "0", "whole number"),
    ({"all": [{"field": "age", "op": "is", "value": 10**12}]}, "0", "whole number"),
    ({"all": [{"field": "age", "op": "between", "value": [1, 2, 3]}]}, "0", "between"),
    ({"all": [{"field": "sex", "op": "is", "value": "F"}]}, "0", "H, M, X"),
    ({"all": [{"field": "sex", "op": "in", "value": []}]}, "0", "list"),
    ({"all": [{"field": "source", "op": "is", "value": "x" * 201}]}, "0", "text"),
    ({"all": [{"field": "source", "op": "is", "value": "a\x00"}]}, "0", "text"),
    ({"all": [{"field": "is_member", "op": "is", "value": 1}]}, "0", "true or false"),
    ({"all": [{"field": "created", "op": "at_least", "value": "2027-02-30"}]}, "0", "day like"),
    ({"all": [{"field": "created", "op": "within_days", "value": -1}]}, "0", "days"),
    ({"all": [{"field": "attr:score", "op": "is", "value": float("nan")}]}, "0", "number"),
    ({"all": [{"field": "age", "op": "is", "value": 3, "sql": "x"}]}, "0", "nothing else"),
    ({"all": [{"did": "married"}]}, "0", "married"),
    ({"all": [{"did": "called", "queue": 10**6}]}, "0", "queue 1000000"),
    ({"all": [{"did": "called", "item": "x"}]}, "0", "item"),
    ({"all": [{"did": "outcome"}]}, "0", "value"),
    ({"all": [{"did": "outcome", "value": "glad"}]}, "0", "glad"),
    ({"all": [{"did": "called", "within_days": 0}]}, "0", "days"),
    ({"all": [{"did": "called", "within_days": 3, "between": ["2027-01-01", "2027-01-02"]}]}, "0", "not both"),
    ({"all": [{"did": "called", "between": ["2027-01-01"]}]}, "0", "two days"),
    ({"all": [{"did": "called", "at_least": 0}]}, "0", "times"),
    ({"all": [{"did": "answered", "survey": 10**6, "item": "vote"}]}, "0", "survey 1000000"),
    ({"all": [{"did": "answered", "survey": "SURVEY", "item": "color"}]}, "0", "color"),
    ({"all": [{"did": "answered", "survey": "SURVEY", "item": "vote", "value": "z"}]}, "0", "a, b, dk"),
    ({"all": [{"segment": 10**6}]}, "0", "no segment 1000000"),
    ({"all": [{"segment": "x"}]}, "0", "number"),
    ({"all": [{"frozen": 10**6}]}, "0", "no frozen list 1000000"),
    (DEEP, "0.0.0.0.0", "deep"),
    ({"all": [KNOWN] * 201}, "", "200"),
    ({"all": [KNOWN] * 10_000}, "", "200"),
    ({"all": [{"any": [KNOWN] * 150}] * 2}, "", "200"),
]


@pytest.fixture
def world(session: Session) -> World:
    return segment_people.make(session)


@pytest.mark.parametrize(("rule", "path", "word"), BAD)
def test_a_rule_that_cannot_be_is_refused_in_words_at_its_place(
    session: Session, world: World, rule: Any, path: str, word: str
) -> None:
    rule = json.loads(json.dumps(rule).replace('"SURVEY"', str(world.survey)))
    with pytest.raises(InvalidInput, match=re.escape(word)) as refused:
        segments.validate(session, rule)
    assert list(refused.value.faults) == [path]
    place = ".".join(str(int(part) + 1) for part in path.split(".") if part)
    assert str(refused.value).startswith(f"{place}: " if place else "")


def test_ten_thousand_conditions_are_refused_at_once(session: Session, world: World) -> None:
    begun = time.perf_counter()
    for rule in ({"all": [KNOWN] * 10_000}, {"all": [{"any": [KNOWN] * 100}] * 100}):
        with pytest.raises(InvalidInput, match="200"):
            segments.validate(session, rule)
    assert time.perf_counter() - begun < 1


def test_ten_thousand_values_are_one_bound_array(session: Session, world: World) -> None:
    rule = {"all": [{"field": "section", "op": "in", "value": list(range(10_000))}]}
    assert segments.count(session, rule).matching == sum(one["section"] is not None for one in world.people)


def test_the_shape_of_a_rule_is_checked_without_the_database() -> None:
    segment_rules.validate({"all": [{"field": "attr:any", "op": "is", "value": 1}, {"segment": 5}, {"did": "replied"}]})
    with pytest.raises(InvalidInput, match="religion"):
        segment_rules.validate({"all": [{"field": "religion", "op": "is", "value": 1}]})


def test_a_segment_that_would_contain_itself_is_refused_with_the_chain(session: Session) -> None:
    first = segments.save(session, None, "First", ANYBODY, None)
    second = segments.save(session, None, "Second", {"all": [{"segment": first.id}]}, None)
    third = segments.save(session, None, "Third", {"not": [{"segment": second.id}]}, None)
    with pytest.raises(InvalidInput, match="«First» → «Third» → «Second» → «First»"):
        segments.save(session, first.id, "First", {"any": [{"segment": third.id}]}, None)
    with pytest.raises(InvalidInput, match="«First» → «First»"):
        segments.save(session, first.id, "First", {"any": [{"segment": first.id}]}, None)


def test_segments_that_multiply_are_refused_before_they_fill_the_memory(session: Session) -> None:
    inner = segments.save(session, None, "0", {"all": [KNOWN] * 100}, None)
    for name in "12":
        try:
            inner = segments.save(session, None, name, {"any": [{"segment": inner.id}] * 100}, None)
        except InvalidInput as fault:
            assert "2000" in str(fault)  # noqa: PT017  # at one of the steps, whichever
            return
    pytest.fail("a million conditions were let through")


def test_union_intersection_and_difference(session: Session, world: World) -> None:
    women = segments.save(session, None, "Women", {"all": [{"field": "sex", "op": "is", "value": "M"}]}, None)
    grown = segments.save(session, None, "Grown", {"all": [{"field": "age", "op": "at_least", "value": 45}]}, None)
    operands = [{"segment": women.id}, {"segment": grown.id}]

    def ids(rule: Any) -> set[int]:
        return set(session.scalars(segments.compile_rule(session, rule)))

    of_women, of_grown = ids(women.rule), ids(grown.rule)
    assert of_women
    assert of_grown
    assert ids({"any": operands}) == of_women | of_grown
    assert ids({"all": operands}) == of_women & of_grown
    assert ids({"all": [operands[0], {"not": [operands[1]]}]}) == of_women - of_grown


def test_a_count_sets_apart_who_may_not_be_contacted(session: Session, world: World) -> None:
    counted = segments.count(session, ANYBODY)
    blocked = [one for one in world.people if one["blocked_at"]]
    suppressed = [one for one in world.people if one["suppressed"] and one not in blocked]
    refused = [one for one in world.people if one["consent"] == "opted_out" and one not in blocked + suppressed]
    assert counted.excluded == {
        "blocked": len(blocked), "opted_out": len(refused), "suppressed": len(suppressed)
    }  # fmt: skip
    assert counted.matching == len(world.people)
    asked = segments.count(session, ANYBODY, purpose="persuasion")
    assert asked.matching == len(world.people)
    assert asked.excluded["not_opted_in"] == counted.count - asked.count > 0


def test_an_estimate_says_that_it_is_one_and_is_exact_for_few_people(session: Session, world: World) -> None:
    rule = {"all": [{"field": "age", "op": "at_least", "value": 30}, {"did_not": "called", "within_days": 7}]}
    guessed, counted = segments.estimate(session, rule), segments.count(session, rule)
    assert guessed.is_estimate
    assert not counted.is_estimate
    assert (guessed.count, guessed.excluded) == (counted.count, counted.excluded)


def test_an_estimate_of_many_people_is_of_some_of_them(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_counts, "SAMPLED", 20)
    guessed = segments.estimate(session, ANYBODY)
    assert guessed.matching == pytest.approx(len(world.people), abs=6)
    women = {"all": [{"field": "sex", "op": "is", "value": "M"}]}
    assert segments.estimate(session, women).matching <= guessed.matching


def test_nobody_whose_data_are_blocked_is_in_a_list_or_a_sample(session: Session, world: World) -> None:
    open_ids = {one["id"] for one in world.people if not one["blocked_at"]}
    assert set(session.scalars(segments.compile_rule(session, ANYBODY))) == open_ids
    assert {one.id for one in segments.sample(session, ANYBODY, limit=1000)} == open_ids
    assert sum(each.people for each in segments.by_section(session, ANYBODY)) == len(open_ids)


def test_sections_are_counted_by_number_with_the_unknown_last(session: Session, world: World) -> None:
    found = segments.by_section(session, ANYBODY)
    assert [each.number for each in found] == [2301, 2302, 2303, None]
    for each in found:
        here = [one for one in world.people if one["section"] == each.number and not one["blocked_at"]]
        assert each.people == len(here)


def test_two_rules_are_compared(session: Session, world: World) -> None:
    one = {"all": [{"field": "age", "op": "at_least", "value": 45}]}
    other = {"all": [{"field": "sex", "op": "is", "value": "M"}]}
    compared = segments.compare(session, one, other)
    assert compared.both.matching == segments.count(session, {"all": [one, other]}).matching
    assert compared.only_a.matching + compared.both.matching == segments.count(session, one).matching
    assert compared.only_b.matching + compared.both.matching == segments.count(session, other).matching


def test_a_frozen_list_stays_as_it_was(session: Session, world: World) -> None:
    segment = segments.save(session, None, "Grown", {"all": [{"field": "age", "op": "at_least", "value": 45}]}, None)
    ids = set(session.scalars(segments.compile_rule(session, segment.rule)))
    frozen = segments.freeze(session, segment.id, None)
    assert (frozen.people, frozen.segment_version, frozen.segment_name) == (len(ids), 1, "Grown")
    for contact in session.scalars(select(Contact)):
        contact.age = 20
    session.flush()
    assert set(session.scalars(segments.compile_rule(session, {"all": [{"frozen": frozen.id}]}))) == ids
    assert segments.count(session, segment.rule).matching == 0
    gone = session.get_one(Contact, min(ids))
    session.delete(gone)
    session.flush()
    assert segments.count(session, {"all": [{"frozen": frozen.id}]}).matching == len(ids) - 1
    assert session.scalar(select(func.count()).where(FrozenMember.frozen_id == frozen.id)) == len(ids)


def test_a_changed_rule_is_a_new_version_that_is_kept_and_a_name_is_taken_once(session: Session) -> None:
    segment = segments.save(session, None, " Jóvenes ", ANYBODY, None)
    assert (segment.name, segment.version, segment.rule) == ("Jóvenes", 1, {"version": 2, "all": []})
    assert segments.save(session, segment.id, "Jóvenes", ANYBODY, None).version == 1
    assert segments.save(session, segment.id, "Jóvenes", {"any": []}, None).version == 2
    assert [one.rule for one in segment_versions.history(session, segment.id)] == [
        {"version": 2, "any": []}, {"version": 2, "all": []}
    ]  # fmt: skip
    for name in ("jóvenes", "  "):
        with pytest.raises(InvalidInput):
            segments.save(session, None, name, ANYBODY, None)


def test_the_sample_of_a_rule_stays_the_same(session: Session, world: World) -> None:
    first = [one.id for one in segments.sample(session, ANYBODY)]
    assert len(first) == 10
    assert [one.id for one in segments.sample(session, ANYBODY)] == first


def test_a_click_is_kept_with_its_person(session: Session, world: World) -> None:
    message = session.scalars(select(Message).where(Message.contact_id.is_not(None))).first()
    nobodys = session.scalars(select(Message).where(Message.contact_id.is_(None))).first()
    assert message is not None
    assert nobodys is not None
    assert clicks.record(session, message.id, real_now())
    assert not clicks.record(session, nobodys.id, real_now())
    rule = {"all": [{"did": "clicked", "within_days": 1, "campaign": message.campaign_id}]}
    assert message.contact_id in set(session.scalars(select(Contact.id).where(Contact.id.in_(
        segments.compile_rule(session, rule)))))  # fmt: skip


def test_the_builder_learns_every_field_and_deed_with_its_choices(session: Session, world: World) -> None:
    fields, deeds = segment_rules.fields(session), segment_rules.deeds(session)
    assert fields["attr:size"].kind == "choice"
    assert list(fields["attr:size"].choices) == ["S", "M", "L"]
    assert set(deeds["called"].choices["queue"]) == set(world.queues)
    assert segment_rules.items(session, world.survey) == {"vote": "¿Por quién?", "why": "why"}
    assert list(segment_rules.answers(session, world.survey, "vote")) == ["a", "b", "dk"]


SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "segment-rule.schema.json").read_text())


def test_the_schema_names_the_same_words_as_the_rules() -> None:
    said = SCHEMA["$defs"]
    ours = said["field"]["properties"]["field"]["anyOf"][0]["enum"]
    assert ours == list(segment_rules.FIELDS)
    assert said["field"]["properties"]["op"]["enum"] == list(segment_rules.OPS)
    assert said["deed"]["enum"] == list(segment_rules.DEEDS)
    options = {option for deed in segment_rules.DEEDS.values() for option in deed.options}
    assert options == set(said["did"]["properties"]) - {"did", "within_days", "between", "at_least"}
    assert set(said["group"]["properties"]) == set(segment_rules.GROUPS)


def test_the_examples_of_the_schema_are_rules() -> None:
    assert SCHEMA["examples"]
    for rule in SCHEMA["examples"]:
        segment_rules.validate(rule)
