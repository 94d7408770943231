from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.mailings.break_rules import CHANCE, TOLERATED, Tally, judge, tail

AREA, BLOCK, ELSEWHERE = "+52922", "+52922111", "+52555123"


def results(number: int, trouble: str | None = None, *, wording: str = "A", sender: str = "S1", prefix: str = BLOCK,
            is_recent: bool = True) -> Tally:  # fmt: skip
    return Tally(trouble, wording, sender, prefix, number, is_recent)


def verdict(*tallies: Tally, accepted: dict[str, float] | None = None) -> tuple[str, str, str, int, int] | None:
    found = judge(tallies, (6, 9), accepted or {})
    if found is None:
        return None
    return (found.trouble, found.aspect, found.value, found.hits, found.number)


def test_a_healthy_campaign_goes_on() -> None:
    assert verdict(results(480), results(6, "30007"), results(14, "undelivered")) is None


def test_filters_that_take_everything_are_seen_in_the_first_twenty() -> None:
    assert verdict(results(20, "30007")) == ("30007", "campaign", "", 20, 20)


def test_nineteen_results_say_nothing_yet() -> None:
    assert verdict(results(19, "30007")) is None


def test_a_wording_that_filters_take_is_named() -> None:
    healthy, caught = results(250, wording="A"), results(60, "30007", wording="B")
    assert verdict(healthy, results(190, wording="B"), caught) == ("30007", "wording", "B", 60, 250)


def test_a_sender_whose_messages_are_filtered_is_named() -> None:
    mixed = [results(100, sender="S1", prefix=BLOCK), results(100, sender="S1", prefix=ELSEWHERE)]
    caught = [results(50, "30007", sender="S2", prefix=BLOCK), results(50, "30007", sender="S2", prefix=ELSEWHERE)]
    assert verdict(*mixed, *caught) == ("30007", "sender", "S2", 100, 100)


def test_the_block_of_numbers_of_one_operator_is_named() -> None:
    others = [results(200, prefix=ELSEWHERE), results(200, prefix="+52922222")]
    assert verdict(*others, results(40, "30007")) == ("30007", "prefix", BLOCK, 40, 40)


def test_people_who_told_the_carrier_to_stop_are_a_trouble_of_their_own() -> None:
    assert verdict(results(400), results(60, "21610")) == ("21610", "campaign", "", 60, 460)


def test_an_old_list_is_no_alarm_but_one_that_nobody_answers_is() -> None:
    assert verdict(results(400), results(100, "undelivered")) is None
    assert verdict(results(200), results(300, "undelivered")) == ("undelivered", "campaign", "", 300, 500)


def test_what_was_usual_before_is_borne_twice_over() -> None:
    before = [results(4_500, is_recent=False), results(500, "30007", is_recent=False)]
    assert verdict(*before, results(440), results(60, "30007")) is None
    assert verdict(*before, results(340), results(160, "30007")) is not None


def test_what_a_person_saw_and_went_on_with_is_borne_half_as_much_again() -> None:
    caught = (results(400), results(100, "30007"))
    assert verdict(*caught) is not None
    assert verdict(*caught, accepted={"30007": 0.2}) is None


@settings(deadline=None)  # a busy machine is no fault of the rule's
@given(st.integers(1, 60), st.floats(0.001, 0.999))
def test_the_tail_falls_from_one_to_nothing(number: int, share: float) -> None:
    chances = [tail(number, hits, share) for hits in range(number + 2)]
    assert chances[0] == 1.0
    assert all(0 <= later <= earlier + 1e-9 for earlier, later in pairwise(chances[:-1]))


@pytest.mark.parametrize(
    ("number", "hits", "share", "chance"), [(1, 1, 0.5, 0.5), (3, 2, 0.5, 0.5), (10, 10, 0.1, 1e-10)]
)
def test_the_tail_is_the_binomial_one(number: int, hits: int, share: float, chance: float) -> None:
    assert tail(number, hits, share) == pytest.approx(chance)


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from(sorted(TOLERATED)))
def test_whatever_trips_was_all_but_impossible(good: int, bad: int, trouble: str) -> None:
    found = judge([results(good), results(bad, trouble)], (6, 9), {})
    if found is not None:
        assert found.hits > TOLERATED[trouble] * found.number
        assert tail(found.number, found.hits, TOLERATED[trouble]) < CHANCE
