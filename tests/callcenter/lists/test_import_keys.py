"""Who was met before in a list: nobody is missed, whoever is met twice for certain is said."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from callcenter.lists.import_keys import Keys, Phones, Seen, hashes

PEOPLE = st.lists(
    st.tuples(st.sampled_from(["+522281234567", "+522281234568", "+525512345678"]), st.sampled_from("abcdefgh")),
    max_size=20,
)


def frame(people: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(people, {"phone": pl.String, "name_key": pl.String}, orient="row")


@given(blocks=st.lists(PEOPLE, max_size=5), places=st.sampled_from([8, 64, 1 << 20]))
def test_whoever_is_said_to_be_new_was_not_met_before(blocks: list[list[tuple[str, str]]], places: int) -> None:
    seen, met = Seen(places), set[tuple[str, str]]()
    for people in blocks:
        for person, is_new in zip(people, seen.add(hashes(frame(people))), strict=True):
            assert not (is_new and person in met)
            assert places < 1 << 20 or is_new == (person not in met)
            met.add(person)


@given(mine=PEOPLE, theirs=PEOPLE)
def test_phones_are_counted_once(mine: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    one, other = Phones(), Phones()
    for phones, people in ((one, mine), (other, theirs)):
        for start in range(0, len(people), 3):
            phones.add(frame(people[start : start + 3])["phone"])
    assert one.count_beside(other) == len({phone for phone, _ in mine} - {phone for phone, _ in theirs})


def test_of_several_rows_of_one_person_the_first_counts_and_a_refusal_holds() -> None:
    keys = Keys()
    rows = [(2, "+522281234567", "ana", "opted_in"), (3, "+522281234568", "ana", None),
            (4, "+522281234567", "ana", "opted_out"), (5, "+522281234567", "eva", "opted_in")]  # fmt: skip
    for row in rows:
        keys.add(pl.DataFrame([row], {"row_number": pl.Int64, "phone": pl.String, "name_key": pl.String,
                                      "answer": pl.String}, orient="row"))  # fmt: skip
    assert sorted(keys.repeats().rows()) == [(2, 2, "opted_out"), (4, 2, "opted_out")]
