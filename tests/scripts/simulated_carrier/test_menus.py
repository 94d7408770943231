"""Menus and messages: what people press and say when TwiML asks them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_carrier.keys import Keys, offered
from tests.scripts.simulated_carrier.line import ALICE, Line

END = "<Response><Say>Hasta luego.</Say><Hangup/></Response>"


def ask(line: Line, gather: str, after: str = "<Hangup/>") -> str:
    """Call Alice with this Gather; the SID."""
    line.product.pages["/answer"] = f"<Response>{gather}{after}</Response>"
    line.product.pages.setdefault("/pressed", END)
    return str(line.call().sid)


def digits(line: Line) -> list[str]:
    return line.product.of("/pressed", "Digits")


def test_one_menu_after_the_other_is_answered_with_its_own_keys(line: Line) -> None:
    line.order(ALICE, does="answer", presses=["1", "", "29"])
    again = "<Gather action='/pressed' numDigits='2' timeout='2'><Say>¿Su edad?</Say></Gather>"
    line.product.pages["/pressed"] = f"<Response>{again}{again}<Hangup/></Response>"
    sid = ask(line, "<Gather action='/pressed' numDigits='1'><Say>Para sí, marque 1.</Say></Gather>")
    line.until(lambda: digits(line) == ["1", "29"], "both answers arrive")
    line.until(lambda: line.status(sid) == "completed", "the call ends")
    assert line.exchange.legs[sid].menus == 5  # the last two got nothing


@pytest.mark.parametrize(
    ("attributes", "pressed", "told"),
    [
        ("", "123#", "123"),
        ("finishOnKey='*'", "12*3", "12"),
        ("finishOnKey='' numDigits='3'", "1#*", "1#*"),
        ("numDigits='2'", "5678", "56"),
        ("numDigits='7' finishOnKey=''", "*#ABCD9", "*#ABCD9"),
        ("", "*#ABCD", "*"),
    ],
)
def test_a_menu_ends_at_its_last_digit_or_at_its_last_key(line: Line, attributes: str, pressed: str, told: str) -> None:
    line.order(ALICE, does="answer", digits=pressed)
    ask(line, f"<Gather action='/pressed' {attributes}/>")
    line.until(lambda: digits(line) == [told], "the digits arrive")


def test_silence_goes_on_to_the_next_verb_or_is_told_as_such(line: Line) -> None:
    line.order(ALICE, does="answer", digits="")
    line.product.pages["/next"] = END
    ask(line, "<Gather action='/pressed' timeout='1'/>", "<Redirect>/next</Redirect>")
    line.until(lambda: line.product.of("/next"), "the next verb follows")
    assert digits(line) == []
    ask(line, "<Gather action='/pressed' timeout='1' actionOnEmptyResult='true'/>")
    line.until(lambda: digits(line) == [""], "the silence is told")


def test_a_key_pressed_during_the_question_cuts_it_short(line: Line) -> None:
    line.order(ALICE, does="answer", digits="")
    sid = ask(line, f"<Gather action='/pressed' numDigits='1'><Say>{'bla ' * 4000}</Say></Gather>")
    line.until(lambda: line.exchange.legs[sid].heard, "the long question begins")
    assert line.post("/control/press", {"phone": ALICE, "digits": "4"}) == {"pressed": 1}
    line.until(lambda: digits(line) == ["4"], "the key arrives long before the end")


def test_words_are_understood_where_speech_is_asked_for(line: Line) -> None:
    line.order(ALICE, does="answer", words="sí, claro")
    ask(line, "<Gather input='speech' action='/pressed' language='es-MX'/>")
    line.until(lambda: line.product.of("/pressed", "SpeechResult") == ["sí, claro"], "the words arrive")


def test_a_person_whom_nobody_ordered_presses_what_the_menu_offers(line: Line) -> None:
    phones = [f"+52922010{number:04}" for number in range(12)]
    menu = "<Gather action='/pressed' numDigits='1'><Say>Para sí, marque 4. Para no, marque el cinco.</Say></Gather>"
    line.product.pages["/answer"], line.product.pages["/pressed"] = f"<Response>{menu}</Response>", END
    for phone in phones:
        line.call(phone)
    line.until(lambda: not line.get("/control/state")["open_calls"], "all is over", 40)
    assert digits(line)
    assert set(digits(line)) <= {"4", "5"}


def test_a_message_is_recorded_and_its_length_and_address_are_told(line: Line) -> None:
    line.order(ALICE, does="answer", says=4)
    line.product.pages["/said"] = END
    ask(line, "<Record action='/said' timeout='2' maxLength='30' recordingStatusCallback='/recorded'/>")
    line.until(lambda: line.product.of("/recorded", "RecordingStatus") == ["completed"], "the recording is ready")
    (said,) = (form for form in line.product.heard if form["path"] == "/said")
    assert said["RecordingDuration"] == "4"
    assert (
        said["RecordingUrl"] == f"{line.url}/2010-04-01/Accounts/{said['AccountSid']}/Recordings/{said['RecordingSid']}"
    )
    (told,) = (form for form in line.product.heard if form["path"] == "/recorded")
    assert (told["RecordingSource"], told["RecordingChannels"]) == ("RecordVerb", "1")
    assert told["RecordingSid"] == said["RecordingSid"]


def test_a_message_ends_at_its_longest_length_or_at_a_key(line: Line) -> None:
    line.product.pages["/said"] = END
    line.order(ALICE, does="answer", says=500)
    ask(line, "<Record action='/said' maxLength='6'/>")
    line.until(lambda: line.product.of("/said", "RecordingDuration") == ["6"], "it is cut")
    sid = ask(line, "<Record action='/said' maxLength='400'/>")
    line.until(lambda: line.exchange.legs[sid].recordings, "the second recording runs")
    line.post("/control/press", {"sid": sid, "digits": "#"})
    line.until(lambda: line.product.of("/said", "Digits") == ["", "#"], "the key ends it")


def test_who_says_nothing_leaves_no_message(line: Line) -> None:
    line.order(ALICE, does="answer", says=0)
    line.product.pages["/next"] = END
    told = "recordingStatusCallback='/recorded' recordingStatusCallbackEvent='absent'"
    ask(line, f"<Record action='/said' timeout='1' {told}/>", "<Redirect>/next</Redirect>")
    line.until(lambda: line.product.of("/next"), "the next verb follows")
    line.until(lambda: line.product.of("/recorded", "RecordingStatus") == ["absent"], "the recording is absent")
    assert line.product.of("/said") == []


def test_who_hangs_up_while_speaking_leaves_what_was_said(line: Line) -> None:
    line.order(ALICE, does="answer", says=5000)
    sid = ask(line, "<Record action='/said' maxLength='9000'/>")
    leg = line.exchange.legs[sid]
    line.until(lambda: leg.recordings and leg.recordings[0].seconds > 2, "something is said")
    line.post("/control/hang-up", {"sid": sid})
    line.until(lambda: line.product.of("/said", "Digits") == ["hangup"], "the action hears of it")
    assert line.product.of("/said") == ["completed"]
    line.until(lambda: leg.recordings[0].status == "completed", "the recording is kept")


def test_somebody_who_speaks_on_order_is_recorded(line: Line) -> None:
    line.order(ALICE, does="answer", says=0)
    line.product.pages["/said"] = END
    sid = ask(line, "<Record action='/said' timeout='60' finishOnKey='#'/>")
    line.until(lambda: line.exchange.legs[sid].recordings, "the recording runs")
    assert line.post("/control/speak", {"phone": ALICE, "seconds": 7, "words": "hola"}) == {"spoke": 1}
    line.until(lambda: line.get(f"/control/calls/{sid}")["spoken"] == ["hola"], "it was said")
    line.until(lambda: line.exchange.legs[sid].recordings[0].seconds > 8, "they are silent again")
    line.post("/control/press", {"phone": ALICE, "digits": "#"})
    line.until(lambda: line.product.of("/said", "RecordingDuration") == ["7"], "only what was said counts")


@given(st.text("0123456789*#ABCD", max_size=12), st.text("0123456789*#ABCD", max_size=12))
def test_keys_are_read_in_the_order_in_which_they_were_pressed(first: str, second: str) -> None:
    keys = Keys()
    keys.press(first)
    keys.press(second)
    read = [keys.take() for _ in first + second]
    assert "".join(key or "" for key in read) == first + second
    assert (keys.take(), keys.arrived.is_set()) == (None, False)


@pytest.mark.parametrize("wrong", ["E", "1 2", "ñ", "+", "1\n"])
def test_what_no_telephone_has_is_no_key(wrong: str) -> None:
    with pytest.raises(ValueError, match="there are 0-9"):
        Keys().press(wrong)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Para sí, marque 1. Para no, marque el dos.", "12"),
        ("Oprima la tecla nueve, o presione 0.", "90"),
        ("Press 3 to repeat; press 3 again.", "3"),
        ("Tengo 2 hijos.", ""),
        ("", ""),
    ],
)
def test_the_keys_that_words_offer(text: str, keys: str) -> None:
    assert offered(text) == keys
