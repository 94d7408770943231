"""The rows of the builder, without pages: rule to rows and back, moving them about, and saying them in words."""

import json
from collections import Counter
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from campaigns.segmenting import segment_forms, segment_rules, segment_tree, segment_words
from campaigns.segmenting.segment_fields import EQUALS, KNOWN, LISTS, RANGES
from campaigns.segmenting.segment_forms import Catalogue, Question
from campaigns.segmenting.segment_rules import DEEDS, FIELDS
from campaigns.segmenting.segment_tree import Node

CATALOGUE = Catalogue(
    fields=FIELDS,
    deeds=DEEDS,
    names={"promoter_id": {3: "Ana"}},
    questions={1: {"vote": Question("How would you vote?", {"dk": "Does not know", "azul": "Blue"})}},
    segments={4: "Women"},
    frozen={7: "Women · 3 May · 12"},
)
DAYS = ("2027-01-01", "2027-05-09", "2027-06-30")


def values(name: str) -> st.SearchStrategy[Any]:
    field = FIELDS[name]
    if field.choices:
        return st.sampled_from(list(field.choices))
    return {
        "number": st.integers(0, 99_999),
        "date": st.sampled_from(DAYS),
        "yes_no": st.booleans(),
    }.get(field.kind, st.sampled_from(["Ana", "Luz, hija", "Peña Nieva 10", "x-y"]))


@st.composite
def own_clauses(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    op = draw(st.sampled_from(FIELDS[name].ops))
    if op in KNOWN:
        return {"field": name, "op": op}
    if op == "within_days":
        return {"field": name, "op": op, "value": draw(st.integers(1, 3_650))}
    if op == "between":
        return {"field": name, "op": op, "value": sorted(draw(st.tuples(values(name), values(name))))}
    if op in LISTS:
        return {"field": name, "op": op, "value": draw(st.lists(values(name), min_size=1, max_size=4, unique=True))}
    assert op in (*EQUALS, *RANGES)
    return {"field": name, "op": op, "value": draw(values(name))}


@st.composite
def deeds(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(DEEDS)))
    clause: dict[str, Any] = {draw(st.sampled_from(("did", "did_not"))): name}
    said = {"queue": 5, "campaign": 6, "survey": 1, "item": "vote", "purpose": "survey", "channel": "sms"}
    for option in DEEDS[name].options:
        if option != "value" and (option in DEEDS[name].needed or draw(st.booleans())):
            clause[option] = said[option]
    if "value" in DEEDS[name].options:
        codes = list(DEEDS[name].choices.get("value", {"dk": 1, "azul": 1}))
        least = 1 if "value" in DEEDS[name].needed else 0
        chosen = draw(st.lists(st.sampled_from(codes), min_size=least, max_size=3, unique=True))
        clause |= {"value": chosen} if chosen else {}
    periods: list[dict[str, Any]] = [{}, {"within_days": 7}, {"between": [DAYS[0], DAYS[1]]}]
    clause |= draw(st.sampled_from(periods))
    return clause | draw(st.sampled_from(({}, {"at_least": 2})))


CLAUSES = own_clauses() | deeds() | st.just({"segment": 4}) | st.just({"frozen": 7})


def grouped(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(
        st.sampled_from(("all", "any", "not")), st.lists(members, max_size=3), min_size=1, max_size=1
    )


RULES = grouped(CLAUSES | grouped(CLAUSES | grouped(CLAUSES)))


def form_of(root: Node) -> MultiDict[str, str]:
    """The tree as the page sends it."""
    form: MultiDict[str, str] = MultiDict()

    def write(node: Node, parent: str) -> None:
        form.add("node", node.key)
        form.add(f"in-{node.key}", parent)
        if node.group:
            form.add(f"group-{node.key}", node.group)
        for name, texts in node.said.items():
            for text in texts:
                form.add(f"{name}-{node.key}", text)
        for member in node.members:
            write(member, node.key)

    write(root, "")
    return form


def meaning(rule: Any) -> Any:
    """The rule with `{"not": [{"segment": 4}]}` as any other group, however its rows show it."""
    return json.loads(json.dumps(rule))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule=RULES)
def test_a_rule_becomes_rows_and_the_rows_the_same_rule(rule: dict[str, Any]) -> None:
    root = segment_tree.read(form_of(segment_forms.tree_of(rule)))
    kept = segment_tree.from_json(json.loads(json.dumps(segment_tree.as_json(root))))
    for tree in (root, kept):
        read, faulty = segment_forms.rule_of(tree, CATALOGUE, segment_rules.validate)
        assert faulty == 0, [node.fault for node in tree.walk() if node.fault]
        assert meaning(read) == {"version": 2, **meaning(rule)}


def conditions(root: Node) -> Counter[str]:
    return Counter(json.dumps(node.said, sort_keys=True) for node in root.walk() if not node.group)


@settings(max_examples=200, deadline=None)
@given(
    rule=RULES, moves=st.lists(st.tuples(st.sampled_from(("up", "down", "in", "out")), st.integers(0, 20)), max_size=6)
)
def test_no_move_loses_a_condition(rule: dict[str, Any], moves: list[tuple[str, int]]) -> None:
    root = segment_forms.tree_of(rule)
    before = conditions(root)
    for verb, place in moves:
        nodes = list(root.walk())
        root = segment_tree.act(root, [], f"{verb}:{nodes[place % len(nodes)].key}").root
        assert conditions(root) == before


@settings(max_examples=200, deadline=None)
@given(rule=RULES, place=st.integers(0, 20))
def test_what_was_removed_is_put_back_where_it_stood(rule: dict[str, Any], place: int) -> None:
    root = segment_forms.tree_of(rule)
    before = segment_tree.as_json(root)
    nodes = list(root.walk())
    gone = segment_tree.act(root, [], f"remove:{nodes[place % len(nodes)].key}")
    removed = segment_tree.read_removed(json.dumps(gone.removed))
    back = segment_tree.act(gone.root, removed, "undo")
    assert segment_tree.as_json(back.root) == before
    assert back.removed == []


def test_nonsense_in_the_form_makes_no_page_fail() -> None:
    assert segment_tree.read(MultiDict()).group == "all"
    odd = MultiDict({"node": "a", "field-a": "age", "group-b": "all"})
    assert [node.one("field") for node in segment_tree.read(odd).walk()] == ["", "age"]
    assert segment_tree.read(MultiDict([("node", "<b>"), ("node", "r"), ("group-r", "some")])).group == "all"
    for text in ("{", "[" * 100_000, "3", '[{"x": 1}]', '[{"node": 3}]'):
        for one in segment_tree.read_removed(text):
            assert segment_tree.from_json(one["node"]).group == "all"
    root = segment_tree.group("all")
    for said in ("", "undo", "remove:x", "fly:" + root.key, "remove:" + root.key, "out:" + root.key):
        assert segment_tree.act(root, [], said).root is root


def test_a_group_of_unfinished_conditions_says_nothing_yet() -> None:
    root = segment_tree.group("all", [segment_tree.group("any", [segment_tree.condition()])])
    rule, unfinished = segment_forms.rule_of(root, CATALOGUE, segment_rules.validate)
    assert (rule["all"], unfinished) == ([], 1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES, other=RULES)
def test_every_rule_has_a_sentence_in_both_languages(app: Flask, rule: dict[str, Any], other: dict[str, Any]) -> None:
    for language in ("es", "en"):
        with app.test_request_context(headers={"Accept-Language": language}):
            assert segment_words.sentence(rule, CATALOGUE).endswith(".")
            changes = segment_words.difference(rule, other, CATALOGUE)
            old = [line.words for line in changes if line.mark in " -"]
            assert old == [words for _depth, words in segment_words.lines(rule, CATALOGUE)]


def test_the_strategists_sentence(app: Flask) -> None:
    rule = {"all": [
        {"field": "sex", "op": "is", "value": "M"}, {"field": "age", "op": "between", "value": [18, 29]},
        {"field": "section_kind", "op": "in", "value": ["U"]},
        {"did": "answered", "survey": 1, "item": "vote", "value": ["dk"]}, {"did_not": "called", "within_days": 7},
    ]}  # fmt: skip
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert segment_words.sentence(rule, CATALOGUE) == (
            "People of whom this holds: Sex: Woman; Age from 18 to 29; Kind of section: Urban; answered in the survey"
            " «1» «Does not know» to «How would you vote?» and was not called in the last 7 days."
        )
        gone = {"any": [{"segment": 99}, {"field": "attr:shoe", "op": "is", "value": "x"}, {"not": []}]}
        assert "number 99" in segment_words.sentence(gone, CATALOGUE)
        assert segment_words.sentence({"any": []}, CATALOGUE) == "Nobody."
        assert "more" in segment_words.sentence(
            {"all": [{"field": "section", "op": "in", "value": list(range(50))}]}, CATALOGUE
        )
