"""One leg over a switch that does not always do what it is asked."""

import time
from typing import Any, cast

import pytest

from callcenter.base.errors import ProviderError
from scripts.ivr import line as lines
from scripts.ivr.line import Elsewhere, Gone, Line, News
from surveys.faces.turns import Heard, Step
from tests.scripts.ivr.fake_switch import LOST, FakeSwitch

WAIT = Step("wait")


def line_on(switch: FakeSwitch) -> Line:
    line = Line(cast(Any, switch), "leg-1")
    switch.line = line
    return line


def test_the_answer_to_another_command_is_not_taken_for_ours() -> None:
    line = line_on(FakeSwitch("200 result=57"))
    assert line.answer(line.say(WAIT, "", 0.0)) == Heard("keys", "9")


def test_a_lost_answer_is_known_after_as_long_as_the_step_can_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "ROOM", -1.4)
    line = line_on(FakeSwitch(LOST))
    begun = time.monotonic()
    assert line.answer(line.say(WAIT, "", 0.0)) is None
    assert time.monotonic() - begun < 1


def test_a_leg_that_ended_is_gone_whoever_says_so() -> None:
    line = line_on(FakeSwitch(LOST, ProviderError("x", code="gone", permanent=True), "511 on a dead channel"))
    said = line.say(WAIT, "", 0.0)
    line.hear(News(is_end=True))
    with pytest.raises(Gone):
        line.answer(said)
    with pytest.raises(Gone):
        line.say(WAIT, "", 0.0)
    with pytest.raises(Gone):
        line.answer(line.say(WAIT, "", 0.0))


def test_a_leg_that_is_not_in_a_recorded_survey_is_left_alone() -> None:
    line = line_on(FakeSwitch(ProviderError("Channel is not setup for Async AGI", code="ami_refused", permanent=True)))
    with pytest.raises(Elsewhere):
        line.say(WAIT, "", 0.0)


def test_an_abandoned_leg_hears_and_says_nothing_more() -> None:
    switch = FakeSwitch(LOST)
    line = line_on(switch)
    said = line.say(WAIT, "", 0.0)
    line.abandon()
    with pytest.raises(Elsewhere):
        line.answer(said)
    line.hang_up()
    assert len(switch.commands) == 1
