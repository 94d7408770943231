"""Levels of the territory together: no municipality, district or section of few can be reckoned from what is shown."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.places.territory_hiding import Shown, Spot, hide
from callcenter.tables.small_counts import is_few

LEVELS = ["municipality", "federal_district", "local_district"]


def spots(*told: tuple[int, int, int]) -> list[Spot]:
    """Sections of (municipality, federal district, people), in one local district."""
    return [
        Spot({"section": (30, number), "municipality": (30, place), "federal_district": (30, district),
              "local_district": (30, 1)}, people)
        for number, (place, district, people) in enumerate(told, start=1)
    ]  # fmt: skip


def shown(found: Shown, level: str) -> dict[int, int | None]:
    return {key[1]: count for key, count in found.values[level].items() if key is not None}


def test_sections_do_not_tell_what_their_municipality_hides_with_a_smaller_one() -> None:
    found = hide(spots((1, 1, 3), (2, 1, 20), (3, 1, 6), (3, 1, 7), (3, 1, 50)), LEVELS)
    assert shown(found, "municipality") == {1: None, 2: 20, 3: None}  # 86 − 63 − 20 would be the three
    assert shown(found, "section") == {1: None, 2: 20, 3: None, 4: None, 5: 50}
    assert found.total == 86


def test_a_district_does_not_tell_what_its_municipality_hides() -> None:
    found = hide(spots((1, 1, 3), (2, 1, 100), (3, 2, 10), (4, 2, 90)), LEVELS)
    districts, municipalities = shown(found, "federal_district"), shown(found, "municipality")
    assert municipalities[1] is None
    assert districts[1] is None or municipalities[2] is None  # 103 − 100


def test_what_is_part_of_a_whole_is_hidden_where_the_rest_is_small() -> None:
    places = [({"section": (30, at), **dict.fromkeys(LEVELS, (30, at))}, count) for at, count in ((1, 48), (2, 60))]
    found = hide([Spot(keys, count, whole) for (keys, count), whole in zip(places, (50, 90), strict=True)], LEVELS)
    assert shown(found, "municipality") == {1: None, 2: None}


territories = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 15)), min_size=1, max_size=8).map(
    lambda told: spots(*told)
)


def _sums(territory: list[Spot], found: Shown) -> Iterator[tuple[int | None, int, list[int]]]:
    """What a page says (None: hidden), the truth, and of which sections it is the sum."""
    for level in (*LEVELS, "section"):
        for key, said in found.values[level].items():
            row = [int(spot.keys[level] == key and spot.count > 0) for spot in territory]
            yield said, sum(spot.count for spot in territory if spot.keys[level] == key), row
    yield found.total, sum(spot.count for spot in territory), [int(spot.count > 0) for spot in territory]


@settings(deadline=None, max_examples=300)
@given(territories)
def test_no_small_count_follows_from_what_is_shown_at_any_level(territory: list[Spot]) -> None:
    """Linear algebra: a hidden count is certain when its sections' sum is in the space of the shown sums."""
    found = hide(territory, LEVELS)
    told = list(_sums(territory, found))
    known = np.array([row for said, _truth, row in told if said is not None] or [[0] * len(territory)])
    rank = np.linalg.matrix_rank(known)
    for said, truth, row in told:
        if said is not None:
            assert said == truth
        elif is_few(truth):
            assert np.linalg.matrix_rank(np.vstack([known, row])) > rank
