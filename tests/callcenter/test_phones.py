"""What a cell says about phones: every spelling the field has shown us, and properties no cell may break."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.phones import REASONS, Reading, normalise

ACCEPTED = [
    ("5512345678", "+525512345678", ()),
    ("55 1234 5678", "+525512345678", ()),
    ("(55) 1234-5678", "+525512345678", ()),
    ("+52 55 1234 5678", "+525512345678", ()),
    ("525512345678", "+525512345678", ()),
    ("52 2281234567", "+522281234567", ()),
    ("+5215512345678", "+525512345678", ("legacy",)),
    ("5215512345678", "+525512345678", ("legacy",)),
    ("+52 1 228 123 4567", "+522281234567", ("legacy",)),
    ("0445512345678", "+525512345678", ("legacy", "mobile_hint")),
    ("044 228 123 4567", "+522281234567", ("legacy", "mobile_hint")),
    ("0452281234567", "+522281234567", ("legacy", "mobile_hint")),
    ("01 272 123 4567", "+522721234567", ("legacy",)),
    ("015512345678", "+525512345678", ("legacy",)),
    ("0052 228 123 4567", "+522281234567", ()),
    ("00 52 1 228 123 4567", "+522281234567", ("legacy",)),
    ("011 52 228 123 4567", "+522281234567", ()),
    ("12281234567", "+522281234567", ("legacy",)),
    ("2281234567.0", "+522281234567", ()),
    ("２２８１２３４５６７", "+522281234567", ()),
    ("cel. 228 123 45 67", "+522281234567", ("mobile_hint",)),
    ("'2281234567", "+522281234567", ()),
    ("\u202a2281234567\u202c", "+522281234567", ()),
    ("\xa02281234567?", "+522281234567", ()),
    ("2281234567\ufffd", "+522281234567", ()),
    ("2,281,234,567", "+522281234567", ()),
]
REFUSED = [
    ("", "no_phone"),
    ("S/N", "no_phone"),
    ("NO TIENE", "no_phone"),
    ("-", "no_phone"),
    ("1234567", "no_area_code"),
    ("12345678", "no_area_code"),
    ("61-34567", "no_area_code"),
    ("8001234567", "toll_free"),
    ("018001234567", "toll_free"),
    ("01 800 123 4567", "toll_free"),
    ("9001234567", "invalid"),
    ("911", "invalid"),
    ("0000000000", "fake"),
    ("1111111111", "fake"),
    ("5555555555", "fake"),
    ("2222222222", "fake"),
    ("1234567890", "fake"),
    ("+52 9876543210", "fake"),
    ("+1 956 555 0123", "foreign"),
    ("0019562345678", "foreign"),
    ("9565550123", "invalid"),
    ("2.281234567E+09", "spreadsheet_notation"),
    ("9.22E+09", "spreadsheet_notation"),
    ("228 123 45l7", "invalid"),
    ("22812l34567", "invalid"),
    ("99912345678901", "invalid"),
    ("1" * 5000, "invalid"),
]


@pytest.mark.parametrize(("text", "e164", "notes"), ACCEPTED)
def test_a_spelling_of_a_mexican_number_is_read(text: str, e164: str, notes: tuple[str, ...]) -> None:
    reading = normalise(text)
    assert reading.reason is None
    assert [(number.e164, number.notes) for number in reading.numbers] == [(e164, notes)]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_no_number_of_a_person_has_a_reason(text: str, reason: str) -> None:
    assert normalise(text) == Reading((), reason)


@pytest.mark.parametrize(
    "text",
    [
        "2281234567/5512345678",
        "2281234567 5512345678",
        "228 123 4567 y 55 1234 5678",
        "2281234567; 5512345678",
        "228 123 4567 55 1234 5678",
    ],
)
def test_two_numbers_in_a_cell_are_two_numbers(text: str) -> None:
    assert [number.e164 for number in normalise(text).numbers] == ["+522281234567", "+525512345678"]


def test_a_good_number_beside_a_bad_one_is_kept() -> None:
    assert [number.e164 for number in normalise("no tiene / 2281234567").numbers] == ["+522281234567"]


def test_the_same_number_twice_is_one_number() -> None:
    assert len(normalise("2281234567 / 228 123 4567").numbers) == 1


def test_an_extension_belongs_to_a_landline() -> None:
    number = normalise("228-123-4567 ext 12").numbers[0]
    assert (number.e164, number.extension, number.line_kind) == ("+522281234567", "12", "landline")


def test_a_mobile_hint_makes_a_mobile() -> None:
    assert normalise("cel. 2281234567").numbers[0].line_kind == "mobile"


@given(st.text(max_size=300))
def test_any_text_gives_numbers_or_one_known_reason(text: str) -> None:
    reading = normalise(text)
    assert (reading.reason is None) == bool(reading.numbers)
    assert reading.reason is None or reading.reason in REASONS


@given(st.text(alphabet="0123456789 +-()/.,;yextEcl'", max_size=60))
def test_every_number_read_is_a_valid_mexican_number(text: str) -> None:
    for number in normalise(text).numbers:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164))


NATIONAL = st.from_regex(r"[2-9][0-9]{9}", fullmatch=True)
KINDS = (
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
)


@given(NATIONAL)
def test_ten_digits_are_accepted_exactly_when_the_library_calls_them_a_persons_line(digits: str) -> None:
    reading = normalise(digits)
    parsed = phonenumbers.parse("+52" + digits)
    is_line = phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in KINDS
    assert bool(reading.numbers) == (is_line and reading.reason != "fake")


@given(
    NATIONAL,
    st.sampled_from(["{}", "+52{}", "52{}", "+521{}", "044{}", "045{}", "01{}", "0052{}", "01152{}", "{}.0", "cel {}"]),
)
def test_every_prefix_leads_to_the_same_number(digits: str, spelling: str) -> None:
    bare = normalise(digits)
    if bare.numbers:
        assert [number.e164 for number in normalise(spelling.format(digits)).numbers] == [bare.numbers[0].e164]


@given(NATIONAL)
def test_reading_a_read_number_again_changes_nothing(digits: str) -> None:
    for number in normalise(digits).numbers:
        assert [again.e164 for again in normalise(number.e164).numbers] == [number.e164]
