"""AGI's own lines, as Asterisk 22 wrote them, and what they mean."""

import pytest

from surveys.faces import wire
from surveys.faces.turns import Heard, Step

ASK, LISTEN, WAIT, RECORD = Step("ask", most=3), Step("listen", keys="9*"), Step("wait"), Step("record")


@pytest.mark.parametrize(
    ("step", "line", "heard"),
    [
        (ASK, "200 result=34", Heard("keys", "34")),
        (ASK, "200 result=", Heard("keys", "")),
        (ASK, "200 result= (timeout)", Heard("silence")),
        (ASK, "200 result=3 (timeout)", Heard("keys", "3")),
        (ASK, "200 result=*9", Heard("keys", "*9")),
        (ASK, "200 result=-1", Heard("gone")),
        (LISTEN, "200 result=57 endpos=23440", Heard("keys", "9")),
        (LISTEN, "200 result=0 endpos=23440", Heard("silence")),
        (LISTEN, "200 result=-1 endpos=100", Heard("gone")),
        (WAIT, "200 result=0", Heard("silence")),
        (WAIT, "200 result=48", Heard("keys", "0")),
        (RECORD, "200 result=35 (dtmf) endpos=16000", Heard("voice", value="v")),
        (RECORD, "200 result=0 (timeout) endpos=480000", Heard("voice", value="v")),
        (RECORD, "200 result=35 (dtmf) endpos=800", Heard("silence")),
        (RECORD, "200 result=-1 (hangup) endpos=9000", Heard("gone")),
    ],
)
def test_an_answer_of_asterisk_is_understood(step: Step, line: str, heard: Heard) -> None:
    assert wire.heard(step, wire.read(f"{line}\n"), "v") == heard


@pytest.mark.parametrize(
    ("line", "is_gone"),
    [
        ("511 Command Not Permitted on a dead channel or intercept routine", True),
        ("510 Invalid or unknown command", False),
        ("", False),
    ],
)
def test_a_command_that_was_not_done_says_so(line: str, is_gone: bool) -> None:
    with pytest.raises(wire.Unanswered) as refused:
        wire.read(line)
    assert refused.value.is_gone is is_gone


def test_steps_become_commands_of_one_line() -> None:
    assert wire.command(ASK, "/p/abc") == "GET DATA /p/abc 0 3"
    assert wire.command(LISTEN, "/p/abc") == 'STREAM FILE /p/abc "9*"'
    assert wire.command(WAIT, "") == "WAIT FOR DIGIT 1500"
    assert wire.command(RECORD, "", "/v/x") == "RECORD FILE /v/x wav #* 60000 BEEP s=4"
    assert wire.command(Step("end"), "/p/abc") == 'STREAM FILE /p/abc ""'


def test_an_answer_is_waited_for_as_long_as_the_step_can_take() -> None:
    assert wire.longest(ASK, 10) == 10 + 6 + 3 * 2
    assert wire.longest(LISTEN, 10) == 10
    assert wire.longest(RECORD, 0) == 64
