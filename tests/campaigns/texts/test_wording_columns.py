"""The database measures a wording as `wording` does: its columns are compared with the one definition of truth."""

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient

from callcenter.contacts import Contact
from campaigns import messages, wording
from campaigns.texts import wording_columns
from tests.campaigns.cast import person

EVERY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
# Letters that people's lists hold, and those that make trouble: two units, combining, invisible, other spaces.
ORDINARY = "abcXYZ 019.,-ñÑüéÉ"
TROUBLE = "áíóúÁçÇŋ€{}[]~|^\\`´º…“—\u0301\u0303\u200b\u200d\u202e\ufeff\u00a0\u2003\t\n😀👩‍👧ẋ"
words = st.text(st.sampled_from(ORDINARY + ORDINARY + TROUBLE), max_size=30)
plain_words = st.text(st.sampled_from(ORDINARY + "áíóúç"), max_size=30)
literals = st.one_of(words, plain_words).map(lambda said: said.replace("{", "").replace("}", ""))
fallbacks = st.one_of(st.none(), literals.map(lambda said: said.replace("|", "")))


@st.composite
def templates(draw: st.DrawFn) -> str:
    """A wording of a few hundred characters with up to four placeholders."""
    pieces = [draw(literals) * draw(st.integers(0, 6))]
    for _ in range(draw(st.integers(0, 4))):
        field, fallback = draw(st.sampled_from(wording.FIELDS)), draw(fallbacks)
        pieces.append(f"{{{field}}}" if fallback is None else f"{{{field}|{fallback}}}")
        pieces.append(draw(literals) * draw(st.integers(0, 6)))
    return wording.clean("".join(pieces))


@st.composite
def people(draw: st.DrawFn) -> Contact:
    """Somebody with any values."""
    said = st.one_of(plain_words, words)
    one = person("Nadie", "+529221119999")
    one.given_names, one.name = draw(said), draw(said)
    one.neighborhood, one.municipality = draw(st.one_of(st.none(), said)), draw(st.one_of(st.none(), said))
    one.section_number = draw(st.one_of(st.none(), st.integers(0, 99_999)))
    return one


def measure(session: Session, text: str, who: Contact, *, is_plain: bool) -> tuple[int | None, str | None, int]:
    """parts, refusal and alphabet, as the database has them; nothing of it stays"""
    found = wording_columns.measured(text, is_plain=is_plain)
    alphabet = wording_columns.alphabet(wording.fields(text))
    with session.begin_nested() as moment:
        session.add(who)
        session.flush()
        row = session.execute(select(found.parts, found.refusal, alphabet).where(Contact.id == who.id)).one()
        moment.rollback()
    make_transient(who)
    who.id = None  # type: ignore[assignment]  # as it was
    return row[0], row[1], row[2]


@EVERY
@given(templates(), people(), st.booleans())
@example("Hola {name}\u0301", person("Ana", "+529221119999"), False)
@example("€" * 76 + "a{given_names}" + "€" * 76, person("Ana", "+529221119999"), False)
@example("{given_names|😀}" + "á" * 66, person("A b", "+529221119999"), False)
def test_what_the_database_says_is_what_the_carrier_will_do(
    session: Session, text: str, who: Contact, is_plain: bool
) -> None:
    assume(text and not wording.check(text))
    counted, refusal, alphabet = measure(session, text, who, is_plain=is_plain)
    try:
        body = wording.render(text, messages.values_of(who), is_plain=is_plain)
    except wording.MissingValue:
        # Values of nothing but invisible characters are left to the claim.
        assert refusal == "missing_value" or alphabet == wording_columns.UNUSUAL
        assert counted is None or alphabet == wording_columns.UNUSUAL
        return
    assert refusal != "missing_value"
    if counted is not None:
        assert counted == max(wording.parts(body).count, 0)
    if refusal == "too_long":
        assert len(body) > wording.MAX_CHARACTERS


@pytest.mark.parametrize(
    ("text", "names", "parts"),
    [
        ("Hola {given_names}" + "a" * 152, "Ana", 1),
        ("Hola {given_names}" + "a" * 153, "Ana", 2),
        ("Hola {given_names}" + "a" * 70, "María", 2),
        ("Hola {given_names}" + "a" * 60, "María", 1),
        ("Sin campos", "María", 1),
        ("Sín campos" + "a" * 61, "Ana", 2),
        ("Hola {given_names|vecina}", "", 1),
        ("Hola 😀 {given_names}", "Ana", 1),
    ],
)
def test_ordinary_people_are_always_measured(session: Session, text: str, names: str, parts: int) -> None:
    who = person("Nadie", "+529221119999")
    who.given_names = names
    assert measure(session, text, who, is_plain=False)[:2] == (parts, None)


def test_a_long_list_of_names_makes_a_text_too_long(session: Session) -> None:
    who = person("Nadie", "+529221119999")
    who.given_names = "Ana " * 100
    counted, refusal, _ = measure(session, "{given_names}" * 5, who, is_plain=False)
    assert (refusal, counted is None) == ("too_long", False)


def test_every_field_of_a_wording_has_its_column() -> None:
    assert [str(wording_columns.value(field)) for field in wording.FIELDS]
    with pytest.raises(KeyError):
        wording_columns.value("zodiac")


def test_a_wording_in_which_something_would_grow_together_with_a_value_is_not_measured_by_lengths() -> None:
    assert wording_columns.is_regular("Hola {name}, {given_names|vecina}🎉")
    assert not wording_columns.is_regular("Hola {name}\u0301")
    assert not wording_columns.is_regular("Hola {name}\u200b\u0301")
    assert not wording_columns.is_regular("{name}{given_names|\u0303a}")
