"""What goes wrong between a request and its last receipt, on demand."""

import subprocess
import sys
import time
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from scripts.bench.product import ROOT
from scripts.simulated_carrier.options import Options
from tests.scripts.simulated_carrier.line import SMS, Line
from tests.scripts.simulated_carrier.test_texts import MOBILE, send


def received(line: Line) -> dict[str, Any]:
    return dict(line.get("/control/received"))


def told(line: Line) -> list[str]:
    return line.product.of("/receipt", "MessageStatus")


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ({"refused_share": 1}, 429, 20429),
        ({"failed_share": 1}, 500, 20500),
        ({"unavailable_share": 1}, 503, 20503),
        ({"credentials": "revoked"}, 401, 20003),
        ({"credentials": "suspended"}, 401, 20005),
    ],
)
def test_a_request_that_is_refused_leaves_no_message(
    line: Line, setting: dict[str, float | str], status: int, code: int
) -> None:
    line.settings(**setting)
    with pytest.raises(TwilioRestException) as refusal:
        send(line)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert received(line)["accepted"] == 0


def test_a_500_after_accepting_leaves_a_message_that_is_received(line: Line) -> None:
    line.settings(unknown_share=1)
    with pytest.raises(TwilioRestException) as refusal:
        send(line)
    assert refusal.value.status == 500
    line.until(lambda: received(line)["received"] == 1, "the phone gets it all the same")
    line.settings(unknown_share=0)
    assert [found.body for found in line.client.messages.list(to=MOBILE)] == ["Hola"]


def test_an_answer_that_never_comes_and_a_cut_connection_leave_a_message(line: Line) -> None:
    line.settings(hang_share=1, hang_seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        send(line)
    line.settings(hang_share=0, cut_share=1)
    with pytest.raises(requests.ConnectionError):
        send(line)
    line.until(lambda: received(line)["received"] == 2, "the phone gets both")
    assert received(line)["twice_same_text"] == 1


def test_more_requests_than_allowed_in_a_second_are_refused(line: Line) -> None:
    line.settings(requests_per_second=2)
    refusals = []
    for _ in range(50):
        try:
            send(line)
        except TwilioRestException as refusal:
            refusals.append((refusal.status, refusal.code))
    assert set(refusals) == {(429, 20429)}
    assert received(line)["accepted"] == 50 - len(refusals)


def test_receipts_can_beat_the_answer(line: Line) -> None:
    line.settings(early_share=1, gap_seconds=0.02)
    send(line)
    assert sorted(told(line)) == ["delivered", "sent"]


def test_an_answer_takes_as_long_as_it_is_told(line: Line) -> None:
    line.settings(answer_seconds=0.3)
    begun = time.monotonic()
    send(line)
    assert time.monotonic() - begun >= 0.3


def test_delivered_can_come_before_sent(line: Line) -> None:
    line.settings(reordered_share=1, gap_seconds=0.02)
    send(line)
    line.until(lambda: len(told(line)) == 2, "both receipts")
    assert told(line) == ["delivered", "sent"]


def test_receipts_can_be_lost_late_and_doubled(line: Line) -> None:
    line.settings(gap_seconds=0.02, lost_share=1)
    lost = send(line)
    line.until(lambda: line.client.messages(lost.sid).fetch().status == "delivered", "it arrives")
    assert told(line) == []
    line.settings(lost_share=0, double_share=1, late_share=1, late_seconds=0.3)
    send(line)
    line.until(lambda: sorted(told(line)) == ["delivered", "delivered", "sent", "sent"], "each comes twice")


def test_only_those_statuses_are_told_that_should_be(line: Line) -> None:
    line.settings(gap_seconds=0.02, told="undelivered failed")
    message = send(line)
    line.until(lambda: line.client.messages(message.sid).fetch().status == "delivered", "it arrives")
    line.settings(told="delivered")
    send(line, body="otra vez")
    line.until(lambda: told(line) == ["delivered"], "one receipt")


def test_a_filter_drops_by_sender_prefix_and_words_until_it_is_lifted(line: Line) -> None:
    line.settings(gap_seconds=0.02)
    rule = {"sender": SMS, "prefix": MOBILE[:6], "words": "vota|gratis"}
    line.post("/control/filters", {"rules": [rule]})
    dropped, passed = send(line, body="¡Vota!"), send(line, body="Hola")
    line.until(lambda: line.client.messages(dropped.sid).fetch().error_code == 30007, "the filter drops it")
    line.until(lambda: line.client.messages(passed.sid).fetch().status == "delivered", "the other passes")
    line.post("/control/filters", {"rules": []})
    again = send(line, body="¡Vota!")
    line.until(lambda: line.client.messages(again.sid).fetch().status != "sent", "the filter is gone")
    assert line.client.messages(again.sid).fetch().error_code != 30007


def test_a_filter_may_drop_a_share_with_another_code(line: Line) -> None:
    line.post("/control/filters", {"rules": [{"share": 0.0}, {"code": "30003"}]})
    message = send(line)
    line.until(lambda: line.client.messages(message.sid).fetch().error_code == 30003, "the second rule drops it")


def test_a_blocked_senders_messages_are_all_dropped(line: Line) -> None:
    line.post(f"/control/senders/{SMS}", {"state": "blocked"})
    message = send(line)
    line.until(lambda: line.client.messages(message.sid).fetch().error_code == 30007, "it is dropped")


@pytest.mark.parametrize("code", ["30003", "30005", "30006", "30008"])
def test_a_phone_receives_as_ordered(line: Line, code: str) -> None:
    line.post(f"/control/handsets/{MOBILE}", {"receives": code})
    message = send(line)
    line.until(lambda: line.client.messages(message.sid).fetch().status == "undelivered", "it is lost")
    assert line.client.messages(message.sid).fetch().error_code == int(code)
    line.post(f"/control/handsets/{MOBILE}", {})
    again = send(line)
    line.until(lambda: line.client.messages(again.sid).fetch().status == "delivered", "the phone is free again")


@pytest.mark.parametrize("code", [21211, 21610, 21612, 21614])
def test_a_phone_can_be_refused_at_once(line: Line, code: int) -> None:
    line.post(f"/control/handsets/{MOBILE}", {"receives": str(code)})
    with pytest.raises(TwilioRestException) as refusal:
        send(line)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_a_person_writes_back_what_they_are_told_to(line: Line) -> None:
    line.post(f"/control/handsets/{MOBILE}", {"replies": "ya no me manden"})
    send(line)
    line.until(lambda: line.product.of("/inbound", "Body") == ["ya no me manden"], "the reply arrives")


def test_a_carrier_that_handles_english_only_leaves_baja_to_us(line: Line) -> None:
    line.settings(opt_outs="default")
    line.post("/control/sms", {"from": MOBILE, "body": "BAJA"})
    line.until(lambda: line.product.of("/inbound", "Body") == ["BAJA"], "it arrives")
    assert "OptOutType" not in line.product.heard[0]
    assert send(line).status == "queued"
    line.post("/control/sms", {"from": MOBILE, "body": "STOP"})
    with pytest.raises(TwilioRestException) as refusal:
        send(line)
    assert refusal.value.code == 21610


def test_a_carrier_may_handle_no_opt_out_at_all(line: Line) -> None:
    line.settings(opt_outs="off")
    line.post("/control/sms", {"from": MOBILE, "body": "STOP"})
    assert send(line).status == "queued"


def test_an_opt_out_may_be_told_by_a_receipt(line: Line) -> None:
    line.settings(late_opt_out_share=1)
    line.post("/control/sms", {"from": MOBILE, "body": "BAJA"})
    message = send(line)
    line.until(lambda: line.client.messages(message.sid).fetch().error_code == 21610, "it is told late")
    assert line.client.messages(message.sid).fetch().status == "failed"


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"loudness": 1}, "loudness"),
        ({"speed": 0}, "speed"),
        ({"late_share": 1.5}, "late_share"),
        ({"late_share": "often"}, "number"),
        ({"credentials": "lost"}, "revoked"),
        ({"credentials": 3}, "text"),
        ({"told": "delivered eaten"}, "undelivered"),
        ({"gap_seconds": float("inf")}, "gap_seconds"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_and_nothing_changes(values: dict[str, object], word: str) -> None:
    options = Options()
    with pytest.raises(ValueError, match=word):
        options.change({"speed": 3.0, **values} if "speed" not in values else values)
    assert options == Options()


def test_settings_of_the_command_line_are_numbers_and_words() -> None:
    options = Options()
    options.change_by_words(["speed=4", "opt_outs=off"])
    assert (options.speed, options.opt_outs) == (4.0, "off")
    for wrong in ("speed", "speed=fast", "loud=1"):
        with pytest.raises(ValueError, match=wrong):
            options.change_by_words([wrong])


def test_a_carrier_does_not_start_with_a_setting_that_makes_no_sense() -> None:
    command = [sys.executable, "-m", "scripts.simulated_carrier", "--port", "1", "--set", "loud=1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    assert ended.returncode == 1
    assert "loud=1" in ended.stderr


def test_messages_are_paged_newest_first(line: Line) -> None:
    for number in range(5):
        send(line, body=str(number))
    assert [found.body for found in line.client.messages.list(to=MOBILE, page_size=2)] == ["4", "3", "2", "1", "0"]
    assert [found.body for found in line.client.messages.list(limit=2, page_size=1)] == ["4", "3"]


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/control/filters", {}),
        ("/control/filters", {"rules": [{"words": "("}]}),
        ("/control/filters", {"rules": [{"colour": "red"}]}),
        ("/control/filters", {"rules": [{"share": 2}]}),
        (f"/control/handsets/{MOBILE}", {"receives": "never"}),
        (f"/control/handsets/{MOBILE}", {"sings": True}),
        ("/control/handsets/12", {}),
        ("/control/senders/no-sender-at-all", {}),
        ("/control/sms", {"from": MOBILE, "to": "CONVOCA", "body": "nobody can answer a name"}),
        ("/control/whatsapp", {"from": MOBILE, "to": SMS}),
        ("/control/telegram", {"phone": MOBILE, "does": "sing"}),
        ("/control/contents/recordatorio", {"status": "nice"}),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused(line: Line, path: str, order: dict[str, Any]) -> None:
    assert requests.post(line.url + path, json=order, timeout=5).status_code == 422


def test_the_page_of_what_was_received_shows_the_texts_and_counts_phones(line: Line) -> None:
    line.settings(gap_seconds=0.02)
    mark = line.post("/control/received/mark", {})["mark"]
    send(line, body="Hola <b>vecina</b>")
    line.until(lambda: received(line)["received"] == 1, "it arrives")
    assert "Hola &lt;b&gt;vecina&lt;/b&gt;" in requests.get(line.url + "/received", timeout=5).text
    assert line.get(f"/control/received?after={mark}&text=vecina")["phones"] == 1
    assert line.get(f"/control/received?after={mark + 1}")["accepted"] == 0
    assert requests.get(f"{line.url}/control/received/phones", timeout=5).text == f"{MOBILE},1\n"
    assert requests.get(f"{line.url}/control/received?after=soon", timeout=5).status_code == 422
