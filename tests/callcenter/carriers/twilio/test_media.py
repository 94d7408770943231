"""Sound at Twilio, against the simulated carrier through the real client: recordings, machines, messages, regions."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import soundfile
from sqlalchemy.orm import Session

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import OF_CALLS, OF_VERBS, Dial
from callcenter.carriers.twilio import wire
from callcenter.carriers.twilio.carrier import TwilioCarrier
from scripts.simulated_carrier.options import ACCOUNT_SID, AUTH_TOKEN, NUMBERS
from tests.callcenter import cast
from tests.scripts.simulated_carrier.line import ALICE, Line, running

TALKS = '<Response><Pause length="600"/></Response>'
MESSAGE = '<Response><Say language="es-MX">Volveremos a llamar.</Say><Hangup/></Response>'


@pytest.fixture
def line() -> Iterator[Line]:
    with running(None) as line:
        yield line


@pytest.fixture
def twilio(line: Line) -> TwilioCarrier:
    return carrier(line)


def carrier(line: Line, **account: Any) -> TwilioCarrier:
    wanted = Twilio(ACCOUNT_SID, AUTH_TOKEN, line.url, **account)
    return TwilioCarrier(wanted, public_url=line.product.url, simulated=True)


def dial(line: Line, twilio: TwilioCarrier, answers: str = TALKS, **wanted: Any) -> tuple[UUID, str]:
    """A call of ours that hears `answers`; its id and reference."""
    call_id = uuid4()
    line.product.pages[f"/hooks/voice/answer/{call_id}"] = answers
    line.product.pages[f"/hooks/voice/message/{call_id}"] = MESSAGE
    return call_id, twilio.place(Dial(call_id, ALICE, NUMBERS[0], 25, **wanted))


def talking(line: Line, twilio: TwilioCarrier) -> str:
    """An answered call; after twenty of the carrier's seconds it asks for /later."""
    line.order(ALICE, does="answer", ring_seconds=1, stay_seconds=600, silence_seconds=600)
    line.product.pages["/later"] = TALKS
    _, ref = dial(line, twilio, '<Response><Pause length="20"/><Redirect>/later</Redirect></Response>')
    line.until(lambda: line.status(ref) == "in-progress", "answered")
    return ref


def told(line: Line, path: str) -> list[dict[str, str]]:
    return [form for form in line.product.heard if form["path"] == path]


def test_a_call_is_recorded_in_two_channels_fetched_and_deleted(
    line: Line, twilio: TwilioCarrier, tmp_path: Path
) -> None:
    ref, name, target = talking(line, twilio), str(uuid4()), tmp_path / "sound.wav"
    for act in ("start", "pause", "resume"):
        twilio.record(ref, name, act)
    (sound,) = twilio.sounds_of(ref, OF_CALLS)
    assert sound.status == "in-progress"
    assert twilio.sounds_of(ref, OF_VERBS) == []
    with pytest.raises(ProviderError) as caught:
        twilio.fetch_sound(sound.sid, target)
    assert (caught.value.code, caught.value.permanent) == ("not_there", False)
    line.until(lambda: told(line, "/later"), "there is something to hear")
    twilio.record(ref, name, "stop")
    line.until(lambda: told(line, f"/hooks/voice/recording/{name}"), "told of the recording")
    assert told(line, f"/hooks/voice/recording/{name}")[0]["RecordingStatus"] == "completed"
    twilio.fetch_sound(sound.sid, target)
    assert soundfile.info(target).channels == 2
    assert target.stat().st_mode & 0o077 == 0
    for _ in range(2):
        twilio.remove_sound(sound.sid)
    with pytest.raises(ProviderError) as caught:
        twilio.fetch_sound(sound.sid, target)
    assert (caught.value.code, caught.value.permanent) == ("gone", True)


@pytest.mark.parametrize("act", ["start", "pause", "resume", "stop"])
def test_a_leg_that_has_ended_is_recorded_no_more(line: Line, twilio: TwilioCarrier, act: str) -> None:
    ref = talking(line, twilio)
    twilio.hang_up(ref)
    line.until(lambda: line.status(ref) == "completed", "over")
    with pytest.raises(ProviderError) as caught:
        twilio.record(ref, str(uuid4()), act)
    assert caught.value.code == "gone"


def test_a_recording_that_is_never_finished_stays_unfinished(line: Line, twilio: TwilioCarrier, tmp_path: Path) -> None:
    line.settings(recording_lost_share=1)
    ref, name = talking(line, twilio), str(uuid4())
    twilio.record(ref, name, "start")
    twilio.hang_up(ref)
    line.until(lambda: line.status(ref) == "completed", "over")
    (sound,) = twilio.sounds_of(ref, OF_CALLS)
    with pytest.raises(ProviderError) as caught:
        twilio.fetch_sound(sound.sid, tmp_path / "sound.wav")
    assert caught.value.code == "not_there"
    assert told(line, f"/hooks/voice/recording/{name}") == []


def test_a_recording_of_nobody_knows_is_gone(twilio: TwilioCarrier, tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as caught:
        twilio.fetch_sound("RE" + "0" * 32, tmp_path / "sound.wav")
    assert (caught.value.code, caught.value.permanent) == ("gone", True)
    twilio.remove_sound("RE" + "0" * 32)


@pytest.mark.parametrize(
    ("does", "leaves_message", "answered_by"),
    [
        ("voicemail", False, "machine_start"),
        ("voicemail", True, "machine_end_beep"),
        ("answer", False, "human"),
        ("answer", True, "human"),
        ("fax", False, "fax"),
    ],
)
def test_who_picked_up_is_judged_while_they_hear_us_already(
    line: Line, twilio: TwilioCarrier, does: str, leaves_message: bool, answered_by: str
) -> None:
    line.order(ALICE, does=does, ring_seconds=1, stay_seconds=600)
    call_id, _ = dial(line, twilio, machine_detection="on", leaves_message=leaves_message)
    path = f"/hooks/voice/machine/{call_id}"
    line.until(lambda: told(line, path), "judged")
    assert told(line, path)[0]["AnsweredBy"] == answered_by
    asked = [form["path"] for form in line.product.heard]
    assert asked.index(f"/hooks/voice/answer/{call_id}") < asked.index(path)  # nobody waited in silence for it


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_nobody_is_judged_unasked(line: Line, twilio: TwilioCarrier, mode: str) -> None:
    line.order(ALICE, does="voicemail", ring_seconds=1, stay_seconds=10)
    call_id, ref = dial(line, twilio, machine_detection=mode)
    line.until(lambda: line.status(ref) == "completed", "over")
    assert len(told(line, f"/hooks/voice/machine/{call_id}")) == (mode == "shadow")


def test_a_machine_keeps_the_message_that_it_hears_after_its_tone(line: Line, twilio: TwilioCarrier) -> None:
    line.order(ALICE, does="voicemail", ring_seconds=1, stay_seconds=600)
    call_id, ref = dial(line, twilio, machine_detection="on", leaves_message=True)
    line.until(lambda: told(line, f"/hooks/voice/machine/{call_id}"), "judged")
    twilio.leave_message(ref, call_id)
    line.until(lambda: line.status(ref) == "completed", "the message was said")
    assert line.get(f"/control/calls/{ref}")["mailbox"] == ["Volveremos a llamar."]
    with pytest.raises(ProviderError) as caught:
        twilio.leave_message(ref, call_id)
    assert caught.value.code == "gone"


# Which account, where, and how much at once


def test_a_subaccount_is_asked_with_an_api_key_in_its_own_region() -> None:
    account = Twilio(
        "AC" + "1" * 32, "token", api_key="SK" + "2" * 32, api_secret="secret", region="ie1", edge="dublin"
    )
    client = wire.client(account)
    assert (client.username, client.password, client.account_sid) == ("SK" + "2" * 32, "secret", account.account_sid)
    assert client.get_hostname("https://api.twilio.com/x") == "https://api.dublin.ie1.twilio.com/x"
    plain = wire.client(replace(account, api_key="", api_secret="", region="", edge=""))
    assert (plain.username, plain.password) == (account.account_sid, "token")
    assert plain.get_hostname("https://api.twilio.com/x") == "https://api.twilio.com/x"


def test_operators_own_legs_count_among_the_calls_that_an_account_may_hold(session: Session, line: Line) -> None:
    limited = carrier(line, concurrent_calls=3, calls_per_second=2)
    before = limited.lines(session)
    cast.operator(session)
    assert (before - limited.lines(session), limited.calls_per_second()) == (1, 2)
    assert carrier(line, concurrent_calls=1).lines(session) == 0


def test_a_call_too_many_this_second_may_be_placed_again(line: Line, twilio: TwilioCarrier) -> None:
    line.settings(refused_share=1)
    with pytest.raises(ProviderError) as caught:
        dial(line, twilio)
    assert (caught.value.code, caught.value.permanent, caught.value.unknown) == ("20429", False, False)
