"""The authority's list as data: whole, well formed, and every item present or named missing."""

import json
from datetime import date

import pytest

from surveys.publishing import study_checklist, study_document
from surveys.publishing.study_checklist import FILE, PLACES, WHENS

CODES = ["1", "2", "3a", "3b", "3c", "3d", "3e", "3f", "4", "5", "6", "7", "8", "9", "10", "11", "12"]
DAY = date(2027, 5, 10)


def test_every_item_of_the_annex_and_of_the_publication_is_listed() -> None:
    listed = study_checklist.checklist(DAY)
    assert [item.code for item in listed.items if item.when == "study"] == CODES
    assert [item.code for item in listed.items if item.when == "publication"] == ["P1", "P2", "P3", "P4", "P5", "P6"]
    assert listed.days_to_deliver == 5


def test_every_item_has_its_section_in_the_document() -> None:
    assert list(study_document.SECTIONS) == CODES


def test_the_file_is_well_formed_in_both_languages() -> None:
    for version in json.loads(FILE.read_text())["versions"]:
        listed = study_checklist.of_version(version["version"])
        facts = [fact for item in listed.items for fact in item.needs]
        assert {fact.key for fact in facts} == set(version["facts"])
        assert {fact.at for fact in facts} <= set(PLACES)
        assert {item.when for item in listed.items} == set(WHENS)
        assert all(item.needs and item.label["es"] and item.label["en"] for item in listed.items)
        assert all(fact.label["es"] and fact.label["en"] for fact in facts)


def test_it_says_that_nobody_has_confirmed_it_against_the_law() -> None:
    listed = study_checklist.checklist(DAY)
    assert listed.read_by is None
    assert listed.caution["es"]


def test_without_facts_everything_is_missing_and_with_all_nothing_is() -> None:
    listed = study_checklist.checklist(DAY)
    keys = {fact.key for item in listed.items for fact in item.needs}
    nothing = study_checklist.standings(listed, {})
    assert {fact.key for fact in study_checklist.missing(nothing)} == keys
    everything = study_checklist.standings(listed, dict.fromkeys(keys, "there"))
    assert study_checklist.missing(everything) == []
    assert all(one.is_present for one in everything)


@pytest.mark.parametrize(("value", "is_missing"), [(None, True), ("", True), ([], True), (0.0, False), (0, False)])
def test_a_share_of_nothing_is_a_figure_and_no_gap(value: object, is_missing: bool) -> None:
    listed = study_checklist.checklist(DAY)
    lacking = study_checklist.missing(study_checklist.standings(listed, {"undecided": value}))
    assert ("undecided" in {fact.key for fact in lacking}) is is_missing


def test_what_a_publication_needs_is_told_apart() -> None:
    standings = study_checklist.standings(study_checklist.checklist(DAY), {})
    keys = {fact.key for fact in study_checklist.missing(standings, "publication")}
    assert "sponsor_logo" in keys
    assert "cvs" not in keys


def test_a_day_before_every_version_is_judged_by_the_oldest() -> None:
    assert study_checklist.checklist(date(1999, 1, 1)).version == study_checklist.checklist(DAY).version
