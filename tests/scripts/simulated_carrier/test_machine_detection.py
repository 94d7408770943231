"""Who picked up: people, machines, fax; asked for before the call is led or beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_carrier.citizens import Kind, Reaction, citizen
from scripts.simulated_carrier.machine_detection import HUMAN, UNKNOWN, VALUES, Detection, find
from scripts.simulated_carrier.options import Options
from tests.scripts.simulated_carrier.line import ALICE, Line

LEAVE = "<Response><Say language='es-MX'>Le llamó la campaña.</Say><Hangup/></Response>"
SURE = Options(amd_unknown_share=0)
unit = st.floats(0, 1, exclude_max=True)


@given(unit, unit, st.sampled_from(["answer", "voicemail", "fax"]), st.sampled_from(["Enable", "DetectMessageEnd"]))
def test_a_finding_is_one_of_twilios_words_within_the_time_limit(
    luck: float, chance: float, kind: Kind, mode: str
) -> None:
    found = find(Detection(mode, timeout=5), Reaction(kind, 1.0), Options(amd_wrong_share=0.3), (chance, luck))
    assert found.answered_by in VALUES
    assert 0 < found.seconds <= 5
    assert (found.answered_by == "machine_start") <= (mode == "Enable")


@pytest.mark.parametrize(
    ("reaction", "mode", "finding"),
    [
        (Reaction("answer", 1), "Enable", HUMAN),
        (Reaction("answer", 1), "DetectMessageEnd", HUMAN),
        (Reaction("voicemail", 1), "Enable", "machine_start"),
        (Reaction("voicemail", 1), "DetectMessageEnd", "machine_end_beep"),
        (Reaction("voicemail", 1, beep=False), "DetectMessageEnd", "machine_end_silence"),
        (Reaction("voicemail", 1, greeting_seconds=50), "DetectMessageEnd", UNKNOWN),
        (Reaction("fax", 1), "Enable", "fax"),
        (Reaction("answer", 1, answered_by="machine_end_other"), "DetectMessageEnd", "machine_end_other"),
    ],
)
def test_what_is_found_of_each_kind(reaction: Reaction, mode: str, finding: str) -> None:
    assert find(Detection(mode), reaction, SURE, (0.5, 0.5)).answered_by == finding


def test_shares_make_detection_unsure_and_wrong() -> None:
    doubtful = Options(amd_unknown_share=0.1, amd_wrong_share=0.2)
    found = [
        find(Detection("Enable"), Reaction("answer", 1), doubtful, (0.5, (n + 0.5) / 100)).answered_by
        for n in range(100)
    ]
    assert (found.count(UNKNOWN), found.count("machine_start"), found.count(HUMAN)) == (10, 20, 70)


def test_before_the_call_is_led_the_first_request_says_who_answered(line: Line) -> None:
    line.order(ALICE, does="voicemail", greeting_seconds=4)
    line.product.pages["/answer"] = LEAVE
    call = line.call(machine_detection="DetectMessageEnd")
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    assert line.product.of("/answer", "AnsweredBy") == ["machine_end_beep"]
    assert line.product.of("/answer", "MachineDetectionDuration") == ["4500"]
    assert line.client.calls(call.sid).fetch().answered_by == "machine_end_beep"
    assert line.get(f"/control/calls/{call.sid}")["mailbox"] == ["Le llamó la campaña."]


def test_beside_the_call_a_callback_tells_it_and_the_message_is_left_after_the_tone(line: Line) -> None:
    line.settings(amd_unknown_share=0)
    line.order(ALICE, does="voicemail", greeting_seconds=6)
    line.product.pages["/answer"] = "<Response><Say>¿Bueno?</Say><Pause length='300'/></Response>"
    call = line.call(
        machine_detection="DetectMessageEnd", async_amd="true",
        async_amd_status_callback=line.product.url + "/machine",
    )  # fmt: skip
    line.until(lambda: line.product.of("/machine", "AnsweredBy") == ["machine_end_beep"], "the callback")
    assert line.product.of("/answer", "AnsweredBy") == [""]
    line.client.calls(call.sid).update(twiml=LEAVE)
    line.until(lambda: line.status(call.sid) == "completed", "the message is left")
    shown = line.get(f"/control/calls/{call.sid}")
    assert (shown["mailbox"], shown["answered_by"]) == (["Le llamó la campaña."], "machine_end_beep")
    assert [heard["after_beep"] for heard in shown["heard"]] == [False, True]


def test_who_hangs_up_before_it_is_known_leaves_it_unknown(line: Line) -> None:
    line.order(ALICE, does="voicemail", greeting_seconds=20, stay_seconds=2)
    line.product.pages["/answer"] = "<Response><Pause length='300'/></Response>"
    line.call(machine_detection="DetectMessageEnd", async_amd="true",
              async_amd_status_callback=line.product.url + "/machine")  # fmt: skip
    line.until(lambda: line.product.of("/machine", "AnsweredBy") == [UNKNOWN], "the callback")


def test_a_callback_of_detection_can_be_lost_while_the_resource_knows(line: Line) -> None:
    line.settings(lost_events="amd", amd_unknown_share=0)
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Pause length='300'/></Response>"
    call = line.call(machine_detection="Enable", async_amd="true",
                     async_amd_status_callback=line.product.url + "/machine")  # fmt: skip
    line.until(lambda: line.client.calls(call.sid).fetch().answered_by == HUMAN, "the resource knows")
    assert line.product.of("/machine") == []


def test_the_same_person_and_try_are_judged_the_same_by_every_carrier_of_a_seed() -> None:
    one, other = citizen(ALICE, 7), citizen(ALICE, 7)
    assert [one.chance(f"amd/{n}") for n in range(5)] == [other.chance(f"amd/{n}") for n in range(5)]
    assert one.chance("amd/1") != citizen(ALICE, 8).chance("amd/1")
