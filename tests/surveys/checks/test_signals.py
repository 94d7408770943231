"""What one interview tells about how it was done."""

from collections.abc import Mapping

import pytest

from surveys.checks.signals import Signals, measure
from tests.surveys import quality_cast
from tests.surveys.quality_cast import CALM

ITEMS = quality_cast.items()


def told(changed: Mapping[str, tuple[str, float | None] | None], face: str = "screen") -> Signals:
    given = {item: one for item, one in ({**CALM, **changed}).items() if one is not None}
    answers = {item: value for item, (value, _seconds) in given.items()}
    seconds = {item: took for item, (_value, took) in given.items()}
    return measure(ITEMS, answers, seconds, language="es", faces=dict.fromkeys(given, face))


def test_a_calm_interview_has_its_length_and_one_person_who_does_not_know() -> None:
    assert told({}) == Signals(51.0, 7, (), ("op_verde",), (), (), 0, 0)


def test_a_question_answered_sooner_than_it_can_be_read_is_named() -> None:
    assert told({"vote": ("azul", 2.0), "op_rojo": ("bad", 1.0)}).fast == ("vote", "op_rojo")


def test_the_same_seconds_are_slow_enough_for_who_reads_silently() -> None:
    assert told({"vote": ("azul", 2.0)}).fast == ("vote",)
    assert told({"vote": ("azul", 2.0)}, face="web").fast == ()


def test_nobody_is_hurried_where_no_time_was_told() -> None:
    found = told({item: (value, None) for item, (value, _seconds) in CALM.items()})
    assert (found.seconds, found.fast) == (None, ())


def test_an_interview_with_few_times_has_no_length() -> None:
    few = {item: (value, None) for item, (value, _seconds) in CALM.items() if item not in ("age", "vote", "why")}
    assert told(few).seconds is None


def test_a_page_left_open_counts_ten_minutes_at_most() -> None:
    assert told({"why": ("Por la seguridad", 3600.0)}).seconds == 39.0 + 600.0


@pytest.mark.parametrize(("codes", "batteries", "straight"), [
    (("good", "good", "good"), 1, 1), (("good", "bad", "good"), 1, 0), (("good", "good", "dk"), 0, 0),
    (("dk", "dk", "dk"), 0, 0),
])  # fmt: skip
def test_a_run_of_alike_questions_is_straight_when_each_has_the_same_real_answer(
    codes: tuple[str, ...], batteries: int, straight: int
) -> None:
    run = dict(zip(("op_azul", "op_rojo", "op_verde"), ((code, 6.0) for code in codes), strict=True))
    found = told(dict(run))
    assert (found.batteries, found.straight) == (batteries, straight)


def test_no_answer_not_knowing_and_skipping_are_told_apart() -> None:
    found = told({"vote": ("refused", 9.0), "op_azul": ("dk", 6.0), "op_rojo": ("", 6.0), "why": ("", 6.0)})
    assert (found.refused, found.dk, found.skipped) == (("vote",), ("op_azul", "op_verde"), ("op_rojo", "why"))


def test_a_voice_is_not_skipped_by_being_nowhere_in_the_answers() -> None:
    assert told({"voice": ("", 20.0)}).skipped == ()


@pytest.mark.parametrize(("keys", "batteries", "straight"), [("11111", 1, 1), ("11121", 1, 0), ("1111", 0, 0)])
def test_by_keys_whoever_presses_one_all_along_answers_straight(keys: str, batteries: int, straight: int) -> None:
    """Also where the order rotates, so that one key is many answers. Numbers and words are no such key."""
    asked = ("consent", "vote", "op_azul", "op_rojo", "op_verde")
    pressed = dict(zip(asked, keys, strict=False)) | {"age": "40"}
    answers = {item: value for item, (value, _seconds) in CALM.items()}
    found = measure(ITEMS, answers, {}, language="es", faces={}, keys=pressed)
    assert (found.batteries, found.straight) == (batteries, straight)
