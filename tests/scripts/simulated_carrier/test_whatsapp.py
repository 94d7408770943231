"""WhatsApp as Twilio brings it: templates, the window, media, buttons, people without a phone."""

import json
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from scripts.simulated_carrier.contents import Content
from tests.scripts.simulated_carrier.line import SMS, Line
from tests.scripts.simulated_carrier.test_texts import MOBILE

SENDER = "whatsapp:" + SMS
PERSON = "whatsapp:" + MOBILE
BSUID = "MX.13491208655302741918"
TEXT, QUICK, IMAGE, FILM, PENDING, REJECTED, PAUSED = (f"HX{number:032x}" for number in range(1, 8))


@pytest.fixture
def quick(line: Line) -> Line:
    """A line whose person has WhatsApp, reads at once and says nothing of their own."""
    line.settings(gap_seconds=0.02, citizens_reply=0)
    line.post(f"/control/handsets/{MOBILE}", {"has_whatsapp": True, "reads": False, "receives": "delivered"})
    return line


def send(line: Line, to: str = PERSON, **options: Any) -> Any:
    options.setdefault("status_callback", line.product.url + "/receipt")
    return line.client.messages.create(to=to, from_=SENDER, **options)


def template(line: Line, sid: str = TEXT, **variables: str) -> Any:
    return send(line, content_sid=sid, content_variables=json.dumps(variables))


def becomes(line: Line, message: Any, status: str, code: int | None = None) -> None:
    line.until(lambda: line.client.messages(message.sid).fetch().status == status, f"it is {status}")
    assert line.client.messages(message.sid).fetch().error_code == code


def test_free_text_needs_a_window_which_the_persons_own_message_opens(quick: Line) -> None:
    becomes(quick, send(quick, body="Hola"), "undelivered", 63016)
    quick.post("/control/whatsapp", {"from": MOBILE, "body": "¿Quién es?"})
    becomes(quick, send(quick, body="Somos sus vecinos"), "delivered")
    quick.settings(window_seconds=0)
    becomes(quick, send(quick, body="¿Sigue ahí?"), "undelivered", 63016)


def test_an_approved_template_arrives_filled_and_is_read(quick: Line) -> None:
    quick.post(f"/control/handsets/{MOBILE}", {"has_whatsapp": True, "reads": True, "receives": "delivered"})
    message = template(quick, **{"1": "Lupita", "2": "6 de junio"})
    assert message.body.startswith("Hola Lupita, le recordamos que el 6 de junio hay elecciones.")
    becomes(quick, message, "read")
    quick.until(
        lambda: sorted(quick.product.of("/receipt", "MessageStatus")) == ["delivered", "read", "sent"], "receipts"
    )
    last = next(form for form in quick.product.heard if form.get("MessageStatus") == "read")
    assert (last["EventType"], last["ChannelPrefix"], last["To"]) == ("READ", "whatsapp", PERSON)


@pytest.mark.parametrize(("sid", "code"), [(PENDING, 63016), (REJECTED, 63040), (PAUSED, 63041)])
def test_a_template_that_is_not_approved_does_not_leave(quick: Line, sid: str, code: int) -> None:
    becomes(quick, template(quick, sid), "undelivered", code)


def test_a_template_that_is_stopped_in_mid_send_does_not_leave(quick: Line) -> None:
    becomes(quick, template(quick), "delivered")
    quick.post("/control/contents/recordatorio", {"status": "disabled"})
    becomes(quick, template(quick), "undelivered", 63042)


def test_the_default_of_a_variable_fills_in_and_none_at_all_fails(quick: Line) -> None:
    assert "Hola vecina, le recordamos que el domingo" in template(quick).body
    becomes(quick, template(quick, IMAGE), "failed", 63028)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"content_sid": "HX" + "f" * 32}, 21655),
        ({"content_sid": TEXT, "content_variables": "Lupita"}, 21656),
        ({"content_sid": TEXT, "content_variables": '{"1": 3}'}, 21656),
        ({"content_sid": TEXT, "content_variables": '{"1": ""}'}, 21656),
        ({"content_sid": TEXT, "body": "y además"}, 20001),
        ({}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"media_url": ["ftp://example.test/a.png"]}, 21620),
        ({"media_url": ["https://example.test/a.png"] * 11}, 21623),
        ({"body": "Hola", "status_callback": "https://bad_host/x"}, 21609),
        ({"body": "Hola", "validity_period": 36001}, 20001),
    ],
)
def test_a_request_that_twilio_refuses_is_refused(quick: Line, options: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        send(quick, **options)
    assert (refusal.value.status, refusal.value.code) == (400, code)


@pytest.mark.parametrize(("to", "sender"), [(PERSON, SMS), (MOBILE, SENDER), (PERSON, "whatsapp:+525500000000")])
def test_a_person_and_a_sender_of_different_channels_do_not_meet(quick: Line, to: str, sender: str) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        quick.client.messages.create(to=to, from_=sender, body="Hola")
    assert refusal.value.code == 63007


def test_so_many_people_a_day_are_written_to_first_and_one_counts_once(quick: Line) -> None:
    quick.post(f"/control/senders/{SENDER}", {"people_a_day": 1})
    becomes(quick, template(quick), "delivered")
    becomes(quick, template(quick), "delivered")
    other = MOBILE[:-1] + ("1" if MOBILE[-1] != "1" else "2")
    quick.post(f"/control/handsets/{other}", {"has_whatsapp": True, "receives": "delivered"})
    message = send(quick, "whatsapp:" + other, content_sid=TEXT)
    becomes(quick, message, "undelivered", 63018)
    quick.post("/control/whatsapp", {"from": other, "body": "Hola"})  # who wrote to us is not counted
    becomes(quick, send(quick, "whatsapp:" + other, content_sid=TEXT), "delivered")


def test_the_quality_and_the_limit_of_a_sender_are_told_as_by_twilio(quick: Line) -> None:
    quick.post(f"/control/senders/{SENDER}", {"people_a_day": 2000, "quality": "LOW"})
    (sender,) = quick.client.messaging.v2.channels_senders.list(channel="whatsapp")
    assert (sender.sender_id, sender.properties["quality_rating"]) == (SENDER, "LOW")
    assert sender.properties["messaging_limit"] == "2K Customers/24hr"
    assert quick.client.messaging.v2.channels_senders(sender.sid).fetch().sid == sender.sid


@pytest.mark.parametrize(
    ("order", "code"), [({"has_whatsapp": False}, 63024), ({"has_whatsapp": True, "receives": "63014"}, 63014)]
)
def test_who_has_no_whatsapp_or_has_blocked_us_gets_nothing(quick: Line, order: dict[str, Any], code: int) -> None:
    quick.post(f"/control/handsets/{MOBILE}", order)
    becomes(quick, template(quick), "undelivered", code)


def test_a_reply_comes_with_the_1_after_52_and_is_answered_there(quick: Line) -> None:
    quick.post("/control/whatsapp", {"from": MOBILE, "body": "Hola", "name": "Lupita"})
    quick.until(lambda: len(quick.product.heard) == 1, "it arrives")
    (heard,) = quick.product.heard
    old = "521" + MOBILE[3:]
    assert (heard["From"], heard["WaId"], heard["ProfileName"]) == (f"whatsapp:+{old}", old, "Lupita")
    assert heard["MessageType"] == "text"
    becomes(quick, send(quick, f"whatsapp:+{old}", body="Hola de nuevo"), "delivered")
    assert quick.get("/control/received")["phones"] == 1


def test_a_person_without_a_phone_writes_and_is_answered(quick: Line) -> None:
    quick.post("/control/whatsapp", {"bsuid": BSUID, "body": "Hola"})
    quick.until(lambda: len(quick.product.heard) == 1, "it arrives")
    (heard,) = quick.product.heard
    assert (heard["From"], heard["ExternalUserId"]) == (f"whatsapp:{BSUID}", BSUID)
    assert "WaId" not in heard
    message = send(quick, f"whatsapp:{BSUID}", body="Hola")
    quick.until(lambda: quick.client.messages(message.sid).fetch().status in ("delivered", "read"), "it arrives")


def test_a_person_may_hide_the_phone_that_we_wrote_to(quick: Line) -> None:
    quick.settings(bsuid_share=1)
    quick.post(f"/control/handsets/{MOBILE}", {"has_whatsapp": True, "receives": "delivered", "replies": "¿Quién es?"})
    template(quick)
    quick.until(lambda: quick.product.of("/inbound", "Body") == ["¿Quién es?"], "the reply arrives")
    hidden = quick.product.of("/inbound", "From")[0]
    assert hidden.startswith("whatsapp:MX.")
    quick.post(f"/control/handsets/{MOBILE}", {"has_whatsapp": True, "reads": False, "receives": "delivered"})
    becomes(quick, send(quick, hidden, body="Sus vecinos"), "delivered")  # their own window, their own phone
    assert quick.get("/control/received")["most"] == 2


def test_a_pressed_button_and_a_picture_come_as_twilio_tells_them(quick: Line) -> None:
    button = {"text": "Sí, ahí estaré", "payload": "si"}
    quick.post("/control/whatsapp", {"from": MOBILE, "body": "Sí, ahí estaré", "button": button})
    quick.post("/control/whatsapp", {"from": MOBILE, "body": "", "media": True})
    quick.until(lambda: len(quick.product.heard) == 2, "both arrive")
    pressed, picture = sorted(quick.product.heard, key=lambda form: form["MessageType"])
    assert (pressed["ButtonText"], pressed["ButtonPayload"]) == ("Sí, ahí estaré", "si")
    assert (picture["NumMedia"], picture["MediaContentType0"]) == ("1", "image/png")
    fetched = requests.get(picture["MediaUrl0"], auth=(quick.client.username, quick.client.password), timeout=5)
    assert fetched.content.startswith(b"\x89PNG")
    assert requests.get(picture["MediaUrl0"], timeout=5).status_code == 401


def test_some_people_press_a_button_of_the_template(line: Line) -> None:
    line.settings(gap_seconds=0.02)
    for number in range(60):
        send(line, f"whatsapp:+52922020{number:04d}", content_sid=QUICK)
    line.until(lambda: any(line.product.of("/inbound", "ButtonPayload")), "somebody presses one")
    assert {payload for payload in line.product.of("/inbound", "ButtonPayload") if payload} <= {"si", "no", "baja"}


def test_media_are_fetched_from_our_address_and_looked_at(quick: Line) -> None:
    quick.post("/control/whatsapp", {"from": MOBILE, "body": "Hola"})
    quick.product.files = {
        "/a.png": (b"png", "image/png"),
        "/a.zip": (b"zip", "application/zip"),
        "/b.png": (b"x" * (5 << 20) + b"x", "image/png"),
    }
    base = quick.product.url
    becomes(quick, send(quick, body="Mire", media_url=[base + "/a.png"]), "delivered")
    becomes(quick, send(quick, media_url=[base + "/a.zip"]), "failed", 63005)
    becomes(quick, send(quick, media_url=[base + "/b.png"]), "failed", 63005)
    becomes(quick, send(quick, media_url=[base + "/gone.png"]), "failed", 63019)
    becomes(quick, send(quick, media_url=["https://example.test/never-asked.png"]), "failed", 63019)
    assert "https://example.test/never-asked.png" not in quick.exchange.texts.media.fetched


def test_one_picture_for_everybody_is_fetched_once_a_minute(quick: Line) -> None:
    quick.product.files = {"/a.png": (b"png", "image/png")}
    quick.post("/control/whatsapp", {"from": MOBILE, "body": "Hola"})
    url = quick.product.url + "/a.png"
    for _ in range(3):
        becomes(quick, send(quick, media_url=[url]), "delivered")
    assert quick.exchange.texts.media.fetched[url] == 1


def test_templates_are_made_asked_approval_for_and_removed(quick: Line) -> None:
    root, who = quick.url + "/v1/Content", (quick.client.username, quick.client.password)
    types = {"twilio/text": {"body": "Hola {{1}}"}}
    order: dict[str, Any] = {
        "friendly_name": "nueva",
        "language": "es_MX",
        "variables": {"1": "vecina"},
        "types": types,
    }
    made = requests.post(root, json=order, auth=who, timeout=5)
    assert made.status_code == 201
    sid = made.json()["sid"]
    becomes(quick, template(quick, sid), "undelivered", 63016)
    asked = {"name": "nueva", "category": "UTILITY"}
    answer = requests.post(f"{root}/{sid}/ApprovalRequests/whatsapp", json=asked, auth=who, timeout=5)
    assert answer.json()["status"] == "received"
    quick.post(f"/control/contents/{sid}", {"status": "approved"})
    becomes(quick, template(quick, sid), "delivered")
    listed = {found.friendly_name: found for found in quick.client.content.v1.content_and_approvals.list()}
    assert listed["nueva"].approval_requests["status"] == "approved"
    assert listed["rechazada"].approval_requests["rejection_reason"] == "INVALID_FORMAT"
    assert quick.client.content.v1.contents(sid).approval_fetch().fetch().whatsapp["status"] == "approved"
    assert quick.client.content.v1.contents(sid).delete()
    with pytest.raises(TwilioRestException) as gone:
        quick.client.content.v1.contents(sid).fetch()
    assert gone.value.status == 404


@pytest.mark.parametrize("wrong", [{}, {"types": {}}, {"types": "text"}])
def test_a_template_without_types_is_refused(quick: Line, wrong: dict[str, Any]) -> None:
    who = (quick.client.username, quick.client.password)
    assert requests.post(quick.url + "/v1/Content", json=wrong, auth=who, timeout=5).status_code == 400


def test_a_template_is_filled_in_all_its_places() -> None:
    card = {"title": "{{1}}", "body": "", "media": ["https://a.test/{{2}}"],
            "actions": [{"type": "URL", "title": "x", "url": "y"}, {"title": "Sí {{1}}"}]}  # fmt: skip
    filled = Content("tarjeta", {"twilio/text": {"body": "no"}, "twilio/card": card}).fill({"1": "Ana"})
    assert (filled.body, filled.media, filled.buttons) == ("Ana", ["https://a.test/{{2}}"], [("Sí Ana", "Sí Ana")])
    assert filled.missing == ["2"]


def test_the_window_is_one_of_a_person_and_a_sender(quick: Line) -> None:
    quick.post("/control/senders/whatsapp:+525512340009", {})
    quick.post("/control/whatsapp", {"from": MOBILE, "to": "whatsapp:+525512340009", "body": "Hola"})
    whatsapp = quick.exchange.texts.whatsapp
    quick.until(lambda: whatsapp.is_open(PERSON, "whatsapp:+525512340009"), "the window opens")
    assert not whatsapp.is_open(PERSON, SENDER)
    assert whatsapp.is_open("whatsapp:+521" + MOBILE[3:], "whatsapp:+525512340009")
