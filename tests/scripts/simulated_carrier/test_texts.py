"""Messages, as the real Twilio client sees them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from scripts.simulated_carrier.citizens import citizen
from tests.scripts.simulated_carrier.line import SMS, VOICE, Line

PHONES = [f"+5292201{number:05d}" for number in range(300)]
MOBILE = next(
    phone for phone in PHONES if citizen(phone, 1).is_mobile and citizen(phone, 1).receives("Hola") == "delivered"
)
LANDLINE = next(phone for phone in PHONES if not citizen(phone, 1).is_mobile)
DEAD = next(phone for phone in PHONES if citizen(phone, 1).is_mobile and not citizen(phone, 1).in_service)


def send(line: Line, to: str = MOBILE, body: str = "Hola", **options: Any) -> Any:
    options.setdefault("status_callback", line.product.url + "/receipt")
    return line.client.messages.create(to=to, from_=SMS, body=body, **options)


def test_a_message_is_queued_sent_and_delivered_with_a_receipt_for_each_step(line: Line) -> None:
    message = send(line)
    assert (message.status, message.direction, message.num_segments) == ("queued", "outbound-api", "1")
    line.until(lambda: sorted(line.product.of("/receipt", "MessageStatus")) == ["delivered", "sent"], "both receipts")
    fetched = line.client.messages(message.sid).fetch()
    assert (fetched.status, fetched.error_code) == ("delivered", None)
    assert fetched.date_sent is not None
    assert line.product.badly_signed == 0


def test_a_phone_out_of_service_gets_nothing_and_the_receipt_says_why(line: Line) -> None:
    message = send(line, DEAD)
    line.until(lambda: "undelivered" in line.product.of("/receipt", "MessageStatus"), "the last receipt")
    assert "30005" in line.product.of("/receipt", "ErrorCode")
    assert line.client.messages(message.sid).fetch().error_code == 30005


@pytest.mark.parametrize(
    ("to", "sender", "body", "code"),
    [
        ("12345", SMS, "Hola", 21211),
        (LANDLINE, SMS, "Hola", 21614),
        (MOBILE, "+525500000000", "Hola", 21606),
        (MOBILE, "not a number", "Hola", 21212),
        (MOBILE, SMS, "x" * 1601, 21617),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused_in_twilios_words(
    line: Line, to: str, sender: str, body: str, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        line.client.messages.create(to=to, from_=sender, body=body)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_baja_reaches_the_product_signed_and_the_carrier_itself_stops_writing(line: Line) -> None:
    line.post("/control/sms", {"from": MOBILE, "body": "Baja."})
    line.until(lambda: line.product.of("/inbound", "Body") == ["Baja."], "the reply arrives")
    (inbound,) = line.product.heard
    assert (inbound["From"], inbound["To"], inbound["OptOutType"]) == (MOBILE, SMS, "STOP")
    with pytest.raises(TwilioRestException) as refusal:
        send(line)
    assert refusal.value.code == 21610
    line.post("/control/sms", {"from": MOBILE, "body": "ALTA"})
    assert send(line).status == "queued"


def test_some_citizens_reply_and_some_of_them_say_baja(line: Line) -> None:
    replies = [reply for phone in PHONES if (reply := citizen(phone, 1).replies("Vota el 6 de junio")) is not None]
    assert any("baja" in reply.lower() for reply in replies)
    assert any(reply.startswith("¿") for reply in replies)
    person = next(p for p in PHONES if citizen(p, 1).replies("Hola") and citizen(p, 1).receives("Hola") == "delivered"
                  and citizen(p, 1).is_mobile)  # fmt: skip
    send(line, person)
    line.until(lambda: line.product.of("/inbound", "Body") == [citizen(person, 1).replies("Hola")], "the reply arrives")


def test_messages_wait_in_line_at_the_agreed_rate_and_expire_there(line: Line) -> None:
    line.post("/control/settings", {"parts_per_second": 2})
    first, second = send(line), send(line, validity_period=0)
    line.until(lambda: line.client.messages(second.sid).fetch().status == "failed", "the second one expires")
    assert line.client.messages(second.sid).fetch().error_code == 30036
    assert line.client.messages(first.sid).fetch().status in ("sent", "delivered")


def test_messages_are_listed_by_number_and_day(line: Line) -> None:
    message = send(line)
    today = datetime.now(UTC)
    assert [found.sid for found in line.client.messages.list(to=MOBILE, date_sent=today)] == [message.sid]
    assert line.client.messages.list(to=MOBILE, date_sent_after=datetime(2099, 1, 1, tzinfo=UTC)) == []
    assert line.client.messages.list(from_=VOICE) == []


def test_a_number_can_be_given_its_own_inbound_address(line: Line) -> None:
    number = line.client.incoming_phone_numbers.create(phone_number=VOICE, sms_url=line.product.url + "/elsewhere")
    assert (number.phone_number, number.sms_url) == (VOICE, line.product.url + "/elsewhere")
    line.post("/control/sms", {"from": MOBILE, "to": VOICE, "body": "¿Quién es?"})
    line.until(lambda: line.product.of("/elsewhere", "Body") == ["¿Quién es?"], "the message arrives there")
    assert VOICE in {found.phone_number for found in line.client.incoming_phone_numbers.list()}
