from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import wording


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("éñü¿¡ÉÑÜÇ" + "a" * 151, "GSM-7", 160, 1),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # the € may not be torn apart at septet 153
        ("^{}\\[]~|€", "GSM-7", 18, 1),
        ("á" + "a" * 69, "UCS-2", 70, 1),
        ("á" + "a" * 70, "UCS-2", 71, 2),
        ("á" + "a" * 133, "UCS-2", 134, 2),
        ("á" + "a" * 134, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("a" * 66 + "😀" + "a" * 66, "UCS-2", 134, 3),  # nor a surrogate pair at unit 67
    ],
)
def test_a_text_is_cut_as_a_carrier_cuts_it(text: str, encoding: str, units: int, count: int) -> None:
    found = wording.parts(text)
    assert (found.encoding, found.units, found.count) == (encoding, units, count)


@pytest.mark.parametrize("character", "áíóúÁÍÓÚç«»“”‘’…–—ªº°")
def test_what_gsm_7_lacks_is_named(character: str) -> None:
    found = wording.parts(f"Hola {character}{character}")
    assert (found.encoding, found.outside) == ("UCS-2", character)


@pytest.mark.parametrize("character", "éÉñÑüÜ¿¡ÇàèìòùÄÖöä")
def test_what_gsm_7_has_costs_one_septet(character: str) -> None:
    assert wording.parts(character).units == 1
    assert wording.parts(character).encoding == "GSM-7"


def test_a_combining_accent_is_composed_before_it_costs_ucs_2() -> None:
    assert wording.parts(wording.clean("cafe\u0301")).encoding == "GSM-7"


def test_invisible_marks_are_removed() -> None:
    assert wording.clean("\u200fHola\u202e \u200bLupita\ufeff ") == "Hola Lupita"


def test_what_looks_like_a_space_or_a_line_end_costs_like_one() -> None:
    assert wording.clean("Hola\u00a0Lupita\u2009¡\tya!\r\nAdiós\u2028.") == "Hola Lupita ¡ ya!\nAdiós\n."
    assert wording.parts(wording.clean("uno\u00a0dos")).encoding == "GSM-7"


def test_a_mark_between_a_letter_and_its_accent_does_not_keep_them_apart() -> None:
    assert wording.clean("a\u200d\u0301") == "á"


def test_pictures_of_several_stay_together() -> None:
    assert wording.clean("👩\u200d👧 a\u200db") == "👩\u200d👧 ab"


def test_marks_that_nobody_sees_are_counted() -> None:
    assert wording.invisible("Ho\u200bla\u202e\r\nLupita\x07") == 3
    assert wording.invisible("Hola,\r\nLupita 👩\u200d👧") == 0


def test_without_accents_a_persons_name_loses_them_too_only_when_asked() -> None:
    text, values = "Adiós {given_names}", {"given_names": "Íñigo Muñóz"}
    assert wording.render(text, values) == "Adiós Íñigo Muñóz"
    assert wording.render(text, values, is_plain=True) == "Adios Iñigo Muñoz"


def test_a_value_of_marks_that_nobody_sees_is_no_value() -> None:
    with pytest.raises(wording.MissingValue):
        wording.render("Hola {given_names}", {"given_names": " \u200b"})
    assert wording.render("Hola {given_names|vecina}", {"given_names": "\u200b"}) == "Hola vecina"


def test_fields_without_a_fallback_are_needed() -> None:
    assert wording.needed("{name|amiga} {given_names} {section| } {given_names}") == ["given_names", "section"]


@pytest.mark.parametrize(("text", "septets"), [("", 0), ("a€", 3), ("é\n", 2), ("á", None), ("😀", None)])
def test_septets_are_counted_where_there_are_any(text: str, septets: int | None) -> None:
    assert wording.septets(text) == septets


def test_accents_can_be_given_up_but_not_the_tilde() -> None:
    assert wording.without_accents("¿Votará la niña «Ávila»…?") == '¿Votara la niña "Avila"...?'
    assert wording.parts(wording.without_accents("¿Votará la niña «Ávila»…?")).encoding == "GSM-7"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("Hola {given_names}", []),
        ("Hola { given_names | vecina }", []),
        ("   ", [wording.Fault("empty")]),
        ("\u200f", [wording.Fault("empty")]),
        ("Hola {nombre}", [wording.Fault("unknown_field", "nombre")]),
        ("Hola {}", [wording.Fault("unknown_field", "")]),
        ("Hola {given_names", [wording.Fault("loose_brace")]),
        ("Hola given_names}", [wording.Fault("loose_brace")]),
        ("Hola {{name}}", [wording.Fault("loose_brace")]),
        ("x" * 1601, [wording.Fault("too_long", "1601")]),
        ("x" * 5000 + "{zodiac}", [wording.Fault("unknown_field", "zodiac"), wording.Fault("too_long", "5008")]),
    ],
)
def test_faults_of_a_wording_are_found_before_it_is_sent(text: str, faults: list[wording.Fault]) -> None:
    assert wording.check(text) == faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hola {given_names}, sección {section}", "Hola Lupita, sección 2301"),
        ("Hola {municipality|amiga}", "Hola amiga"),
        ("Hola { municipality | amiga }", "Hola amiga"),
        ("Hola {neighborhood|vecina}", "Hola vecina"),
        ("Sin campos", "Sin campos"),
    ],
)
def test_placeholders_are_filled(text: str, expected: str) -> None:
    values = {"given_names": "Lupita", "section": "2301", "municipality": None, "neighborhood": "  "}
    assert wording.render(text, values) == expected


def test_a_missing_value_without_fallback_is_named_and_never_sent_as_a_hole() -> None:
    with pytest.raises(wording.MissingValue) as missing:
        wording.render("Colonia {neighborhood}", {"neighborhood": None})
    assert missing.value.field == "neighborhood"


def test_a_value_is_not_read_as_a_placeholder() -> None:
    assert wording.render("Hola {given_names}", {"given_names": "{name}"}) == "Hola {name}"


def test_each_placeholder_is_named_once() -> None:
    assert wording.fields("{given_names} {section|s/n} {section}") == ["given_names", "section"]


def test_cost_is_parts_by_unit_price() -> None:
    assert wording.cost(3, Decimal("0.85")) == Decimal("2.55")


@given(st.text(max_size=700))
def test_parts_hold_the_whole_text(text: str) -> None:
    found = wording.parts(text)
    whole, piece = (160, 153) if found.encoding == "GSM-7" else (70, 67)
    capacity = whole if found.count <= 1 else found.count * piece
    assert found.units <= capacity
    assert found.room >= 0
    assert found.count <= 1 or found.units > whole


@given(st.text(max_size=200))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert wording.clean(wording.clean(text)) == wording.clean(text)


@given(st.text(max_size=200))
def test_giving_up_accents_twice_is_giving_them_up_once(text: str) -> None:
    plain = wording.without_accents(text)
    assert wording.without_accents(plain) == plain
    assert wording.parts(plain).count <= max(wording.parts(wording.clean(text)).count, 1)


@given(st.text(st.sampled_from("aé€á😀\n"), max_size=500))
def test_a_text_is_cut_letter_by_letter_whatever_is_in_it(text: str) -> None:
    is_gsm = wording.septets(text) is not None
    costs = [(2 if c == "€" else 1) if is_gsm else (2 if c == "😀" else 1) for c in text]
    whole, piece = (160, 153) if is_gsm else (70, 67)
    count, used = (1 if text else 0), 0
    if sum(costs) > whole:
        for cost in costs:
            count, used = (count + 1, cost) if used + cost > piece else (count, used + cost)
    assert wording.parts(text).count == count
