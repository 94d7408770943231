import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.settings import Settings
from campaigns.texts import link_addresses
from campaigns.texts.link_addresses import ALPHABET, CODE
from campaigns.wording import Fault


@pytest.fixture(autouse=True)
def base(settings: Settings) -> None:
    link_addresses.configure(settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Sin nada", []),
        ("Vea https://sur.example/a, o (https://sur.example/b). Y https://sur.example/a!", [
            "https://sur.example/a", "https://sur.example/b"]),
        ("«https://sur.example/?a=1&b=2#c»", ["https://sur.example/?a=1&b=2#c"]),
        ("HTTPS://SUR.EXAMPLE", ["HTTPS://SUR.EXAMPLE"]),
        ("{name|https://sur.example} sur.example", []),
    ],
)  # fmt: skip
def test_addresses_are_found_as_people_write_them(text: str, named: list[str]) -> None:
    assert link_addresses.addresses(text) == named


def test_a_wording_becomes_one_with_places_and_with_stand_ins_as_long_as_the_links() -> None:
    text = "Hola {name|https://no.example}: https://sur.example/a, https://sur.example/b."
    places = link_addresses.places([text])
    assert link_addresses.template(text, places) == "Hola {name|https://no.example}: {link_1}, {link_2}."
    shown = link_addresses.stand_in(text, places)
    assert shown == "Hola {name|https://no.example}: http://convoca.test/l/xxxxxxxx, http://convoca.test/l/xxxxxxxx3."
    code = link_addresses.draw()
    assert list(link_addresses.values(code, places).values()) == [
        f"http://convoca.test/l/{code}", f"http://convoca.test/l/{code}3"
    ]  # fmt: skip


def test_an_address_that_begins_another_is_not_mistaken_for_it() -> None:
    text = "https://sur.example/a https://sur.example/ab"
    assert link_addresses.template(text, link_addresses.places([text])) == "{link_1} {link_2}"


def test_addresses_keep_the_places_that_they_have() -> None:
    assert link_addresses.places(["https://b.example https://a.example"], {"https://a.example": 1}) == {
        "https://a.example": 1, "https://b.example": 2
    }  # fmt: skip


def test_a_short_domain_of_its_own_is_used(settings: Settings) -> None:
    from dataclasses import replace

    link_addresses.configure(replace(settings, short_url="https://s.example"))
    assert link_addresses.short("abcdefgh", 1) == "https://s.example/l/abcdefgh"


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["https://a.example"], []),
        (["https://a.example/{section}"], [Fault("field_in_link", "https://a.example/")]),
        (["https://a.example/" + "x" * 2000], [Fault("link_too_long", "2018")]),
        ([" ".join(f"https://a.example/{n}" for n in range(6)), " ".join(f"https://b.example/{n}" for n in range(4))],
         [Fault("too_many_links", "10")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_addresses_is_named(texts: list[str], found: list[Fault]) -> None:
    assert link_addresses.faults(texts) == found


@given(st.integers(1, link_addresses.MOST))
def test_a_link_is_read_as_it_was_written(position: int) -> None:
    code = link_addresses.draw()
    last = link_addresses.values(code, {"https://a.example": position})[f"link_{position}"].rpartition("/")[2]
    assert link_addresses.read(last) == (code, position)


@given(st.one_of(st.text(max_size=12), st.text(st.sampled_from(ALPHABET), max_size=12)))
def test_nothing_else_is_read_as_a_link(written: str) -> None:
    found = link_addresses.read(written)
    if found is not None:
        code, position = found
        assert len(code) == CODE
        assert written in (code, code + ALPHABET[position - 1])
        assert (position == 1) == (written == code)


def test_codes_are_drawn_and_spell_nothing() -> None:
    drawn = {link_addresses.draw() for _ in range(200)}
    assert len(drawn) == 200
    assert not set("aeiouAEIOU01Il") & set(ALPHABET)
