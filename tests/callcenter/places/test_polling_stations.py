import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.places.polling_stations import KINDS, MOST, Station, read_station, station_of

SPELLINGS = [
    ("B", "B"), ("B1", "B"), ("B01", "B"), ("b", "B"), ("BASICA", "B"), ("Básica 1", "B"), ("BÁSICA 01", "B"),
    ("C1", "C1"), ("C01", "C1"), ("CONTIGUA 03", "C3"), ("Contigua-3", "C3"), ("C 12", "C12"),
    ("E1", "E1"), ("E01", "E1"), ("EXTRAORDINARIA 2", "E2"), ("E1C2", "E1C2"), ("E01C02", "E1C2"),
    ("EXTRAORDINARIA 1 CONTIGUA 2", "E1C2"), ("E1 C 2", "E1C2"), ("S1", "S1"), ("ESPECIAL 01", "S1"), ("E1C0", "E1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), SPELLINGS)
def test_a_station_is_read_in_the_spellings_of_public_files(text: str, code: str) -> None:
    assert read_station(text).code == code


@pytest.mark.parametrize(
    "text", ["", "B2", "C", "C0", "C100", "E", "X1", "C1C2", "M1", "1", "B C", "E1C", "E1C100", "C-"]
)
def test_what_is_no_station_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_station(text)


@pytest.mark.parametrize(
    ("kind", "number", "contiguous", "code"),
    [("B", "1", "0", "B"), ("C", "3", "", "C3"), ("E", "1", "2", "E1C2"), ("E", "1", "0", "E1"), ("C1", "", "", "C1"),
     ("S", "1", "0", "S1"), ("C", "3", "4", "C3")],
)  # fmt: skip
def test_a_station_in_three_columns_is_one(kind: str, number: str, contiguous: str, code: str) -> None:
    assert station_of(kind, number, contiguous).code == code


def stations() -> st.SearchStrategy[Station]:
    numbers = st.integers(1, MOST)
    return st.one_of(
        st.just(Station("B", 1)),
        st.builds(Station, st.sampled_from("CS"), numbers),
        st.builds(Station, st.just("E"), numbers, st.integers(0, MOST)),
    )


@given(stations(), st.sampled_from(["{}", " {} ", "{}."]), st.booleans())
def test_our_own_spelling_is_read_back(station: Station, frame: str, lower: bool) -> None:
    text = frame.format(station.code)
    assert read_station(text.lower() if lower else text) == station


@given(st.text(max_size=12))
def test_any_text_is_a_station_or_a_value_error(text: str) -> None:
    try:
        station = read_station(text)
    except ValueError:
        return
    assert station.kind in KINDS
    assert read_station(station.code) == station
