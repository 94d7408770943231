"""Senders: each carries its parts, keeps a queue, and has a place in a pool."""

import time
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from scripts.simulated_carrier.senders import SERVICE, Sender, Service, kind
from tests.scripts.simulated_carrier.line import SMS, VOICE, Line
from tests.scripts.simulated_carrier.test_texts import MOBILE, PHONES, send


def statuses(line: Line) -> dict[str, int]:
    return dict(line.get("/control/received")["by_status"])


def sent(line: Line) -> int:
    found = statuses(line)
    return sum(found.get(name, 0) for name in ("sent", "delivered", "undelivered", "read"))


def test_a_sender_carries_parts_and_not_messages(line: Line) -> None:
    line.settings(parts_per_second=10)
    begun = time.monotonic()
    for _ in range(5):
        send(line, body="á" * 130)  # two parts each
    line.until(lambda: sent(line) == 5, "all left")
    assert time.monotonic() - begun >= 0.75  # ten parts; the first leave at once


def test_each_sender_has_its_own_queue(line: Line) -> None:
    line.post(f"/control/senders/{SMS}", {"parts_per_second": 0.1})
    send(line)
    send(line)  # waits ten seconds
    line.client.messages.create(to=MOBILE, from_=VOICE, body="por otro número")
    line.until(lambda: sent(line) == 2, "the other sender is free")
    assert statuses(line)["queued"] == 1
    line.post(f"/control/senders/{SMS}", {"parts_per_second": 0})
    line.until(lambda: sent(line) == 3, "a limit that is lifted lets all go")


def test_a_full_queue_refuses_with_a_number_and_fails_later_with_a_service(line: Line) -> None:
    line.settings(parts_per_second=1, queue_seconds=1)
    send(line)
    send(line)
    with pytest.raises(TwilioRestException) as refusal:
        send(line)
    assert (refusal.value.status, refusal.value.code) == (429, 21611)
    line.post(f"/control/senders/{VOICE}", {"parts_per_second": 1})
    chosen = Service(SERVICE, "", [VOICE, SMS]).choose(MOBILE)
    assert chosen is not None
    made = [line.client.messages.create(to=MOBILE, messaging_service_sid=SERVICE, body="Hola") for _ in range(4)]
    assert {message.status for message in made} == {"accepted"}
    line.until(lambda: line.client.messages(made[-1].sid).fetch().error_code == 30001, "the queue overflows")


def test_a_service_names_its_sender_later_and_always_the_same(line: Line) -> None:
    first, second = (
        line.client.messages.create(to=MOBILE, messaging_service_sid=SERVICE, body=body) for body in ("uno", "dos")
    )
    assert (first.from_, first.num_segments, first.messaging_service_sid) == (None, "0", SERVICE)
    line.until(lambda: sent(line) == 2, "both left")
    senders = {line.client.messages(message.sid).fetch().from_ for message in (first, second)}
    assert len(senders) == 1
    assert senders <= {VOICE, SMS}


def test_people_are_shared_among_the_senders_of_a_pool() -> None:
    service = Service(SERVICE, "", [VOICE, SMS, "whatsapp:" + SMS])
    chosen = [service.choose(phone) for phone in PHONES]
    assert 100 < chosen.count(VOICE) < 200
    assert set(chosen) == {VOICE, SMS}
    assert service.choose("whatsapp:" + MOBILE) == "whatsapp:" + SMS
    assert Service(SERVICE, "").choose(MOBILE) is None


def test_a_service_is_told_as_by_twilio(line: Line) -> None:
    service = line.client.messaging.v1.services.create(
        friendly_name="Otra", inbound_request_url=line.product.url + "/s"
    )
    assert {found.friendly_name for found in line.client.messaging.v1.services.list()} == {"Convoca", "Otra"}
    with pytest.raises(TwilioRestException) as empty:
        line.client.messages.create(to=MOBILE, messaging_service_sid=service.sid, body="Hola")
    assert empty.value.code == 21703
    number = line.client.incoming_phone_numbers.list(phone_number=SMS)[0]
    service.phone_numbers.create(phone_number_sid=number.sid)
    service.alpha_senders.create(alpha_sender="CONVOCA")
    assert [found.phone_number for found in service.phone_numbers.list()] == [SMS]
    line.post("/control/sms", {"from": MOBILE, "body": "Hola"})
    line.until(lambda: line.product.of("/s", "Body") == ["Hola"], "the service's own address is told")
    with pytest.raises(TwilioRestException) as unknown:
        line.client.messages.create(to=MOBILE, messaging_service_sid="MG" + "0" * 32, body="Hola")
    assert unknown.value.code == 21701


@pytest.mark.parametrize(
    ("order", "sender", "code"),
    [({"state": "unregistered"}, "CONVOCA", 21612), ({"state": "unregistered"}, SMS, 21606)],
)
def test_an_unregistered_sender_is_refused(line: Line, order: dict[str, Any], sender: str, code: int) -> None:
    line.client.messages.create(to=MOBILE, from_=sender, body="Hola")
    line.post(f"/control/senders/{sender}", order)
    with pytest.raises(TwilioRestException) as refusal:
        line.client.messages.create(to=MOBILE, from_=sender, body="Hola")
    assert refusal.value.code == code


def test_a_name_that_was_never_registered_is_refused(line: Line) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        line.client.messages.create(to=MOBILE, from_="OTRONOMBRE", body="Hola")
    assert refusal.value.code == 21612


def test_a_new_sender_can_be_made_and_answers_come_back_to_it(line: Line) -> None:
    line.post("/control/senders/+525512340009", {"parts_per_second": 100, "quality": "LOW"})
    send_from = line.client.messages.create(to=MOBILE, from_="+525512340009", body="Hola")
    assert send_from.status == "queued"
    line.post("/control/sms", {"from": MOBILE, "to": "+525512340009", "body": "¿Quién es?"})
    line.until(lambda: line.product.of("/inbound", "To") == ["+525512340009"], "the answer arrives")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("+525512340001", "phone"), ("26262", "short_code"), ("CONVOCA", "name"), ("Vota 2027", "name"),
        ("whatsapp:+525512340001", "whatsapp"), ("12345678901", None), ("", None), ("demasiadolargo", None),
        ("whatsapp:CONVOCA", None),
    ],
)  # fmt: skip
def test_a_senders_address_says_what_it_is(address: str, what: str | None) -> None:
    assert kind(address) == what


@pytest.mark.parametrize("order", [{"speed": 1}, {"state": "tired"}, {"quality": "GOOD"}, {"parts_per_second": -1}])
def test_an_order_that_no_sender_understands_is_refused_and_changes_nothing(line: Line, order: dict[str, Any]) -> None:
    before = line.get("/control/senders")
    with pytest.raises(Exception, match="422"):
        line.post(f"/control/senders/{SMS}", order)
    assert line.get("/control/senders") == before


def test_a_sender_without_a_limit_is_never_full(line: Line) -> None:
    sender = Sender("CONVOCA", line.exchange.options, parts_per_second=0, parts_waiting=10**9)
    assert not sender.is_full
