"""What may leave the house of an interview, and what may not."""

from datetime import UTC, datetime

import polars as pl

from surveys.analysis.response_items import Item
from surveys.publishing.open_data import KEPT_FACTS, open_data
from surveys.responses import Responses
from tests.surveys.response_cast import AS_OF, item

VOTE = item("vote", "azul", "rojo")
ITEMS = {one.name: one for one in (VOTE, Item("age", "integer", {}), Item("why", "text", {}), Item("born", "date", {}))}
PEOPLE = 24


def told() -> Responses:
    frame = pl.DataFrame({
        "interview": range(1, PEOPLE + 1),
        "interview_id": [f"{(number * 7) % PEOPLE:032x}" for number in range(PEOPLE)],
        "interviewer": [70 + number % 3 if number else None for number in range(PEOPLE)],
        "at": [datetime(2027, 5, 11, 3, 30, tzinfo=UTC)] * PEOPLE,
        "started_at": [datetime(2027, 5, 11, 3, 30, tzinfo=UTC)] * PEOPLE,
        "h_municipality": ["Grande"] * 20 + ["Chico"] * 4,
        "h_section": ["9001"] * PEOPLE,
        "h_operator_name": ["Rosa Lira"] * PEOPLE,
        "h_section_kind": ["U"] * PEOPLE,
        "vote": pl.Series(["azul"] * PEOPLE, dtype=pl.Enum(VOTE.codes)),
        "age": [44.0] * PEOPLE,
        "why": ["Porque lo dijo Juana Inventada"] * PEOPLE,
        "born": ["1980-01-01"] * PEOPLE,
    })  # fmt: skip
    return Responses(1, frame, ITEMS, AS_OF)


def test_nothing_that_names_a_person_leaves() -> None:
    opened = open_data(told())
    text = opened.responses.frame.write_csv()
    assert not any(said in text for said in ("Juana", "Rosa", "9001", "1980", "44.0"))
    assert set(opened.responses.items) == {"vote"}
    left_out = {one.column: one.why for one in opened.left_out}
    assert left_out["why"] == "text"
    assert left_out["age"] == "age"
    assert left_out["h_operator_name"] == left_out["h_section"] == "fact"
    assert {"interview_id", "at", "started_at"} <= set(left_out)
    assert not set(opened.responses.frame.columns) & set(left_out)


def test_the_order_says_nothing_of_who_came_first_and_interviewers_are_numbered_anew() -> None:
    frame = open_data(told()).responses.frame
    assert frame["interview"].to_list() == list(range(1, PEOPLE + 1))
    assert set(frame["interviewer"].drop_nulls()) == {1, 2, 3}
    again = open_data(Responses(1, told().frame.reverse(), ITEMS, AS_OF)).responses.frame
    assert again.equals(frame)


def test_the_day_is_the_one_of_the_centre_of_the_country() -> None:
    assert set(open_data(told()).responses.frame["day"]) == {"2027-05-10"}


def test_a_municipality_of_few_interviews_is_not_named_unless_weights_need_it() -> None:
    named = open_data(told()).responses.frame["h_municipality"]
    assert set(named.drop_nulls()) == {"Grande"}
    assert named.null_count() == 4
    kept = open_data(told(), {"h_municipality", "age"}).responses
    assert set(kept.frame["h_municipality"]) == {"Grande", "Chico"}
    assert "age" in kept.items


def test_only_facts_that_are_listed_leave() -> None:
    facts = [name for name in open_data(told()).responses.frame.columns if name.startswith("h_")]
    assert set(facts) <= set(KEPT_FACTS)
