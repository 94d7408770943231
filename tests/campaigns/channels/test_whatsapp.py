"""WhatsApp through Twilio: what stands in a request, and what an inbound message tells."""

import json
from typing import Any

import pytest

from callcenter.base.settings import Settings
from campaigns.channels import Enclosure, FilledTemplate, Media, Reply
from campaigns.channels.content import read_content, read_sender
from campaigns.channels.twilio_words import read_reply
from tests.campaigns.channels.contract import Provider, letter
from tests.campaigns.channels.test_contract import on_stage, pytestmark  # noqa: F401  # the same silenced warnings

IMAGE = Media("image", "image/jpeg", "https://convoca.test/m/abc.jpg", 1000)


def sent(settings: Settings, **values: Any) -> dict[str, Any]:
    """What the provider gets of one letter."""
    provider = Provider()
    on_stage("whatsapp", provider, settings, lambda channel: channel.send(letter(**values)))
    [got] = provider.got
    return got


def test_a_template_travels_by_name_and_values_without_a_body(settings: Settings) -> None:
    template = FilledTemplate("HX" + "1" * 32, {"1": "Lupita", "2": "0045"})
    got = sent(settings, enclosed=Enclosure(template, IMAGE))
    assert (got["ContentSid"], json.loads(got["ContentVariables"])) == (template.ref, {"1": "Lupita", "2": "0045"})
    assert "Body" not in got
    assert "MediaUrl" not in got


def test_free_text_takes_its_picture_with_it(settings: Settings) -> None:
    got = sent(settings, enclosed=Enclosure(media=IMAGE))
    assert (got["Body"], got["MediaUrl"]) == ("Hola Lupita, ¿cómo está?", IMAGE.url)
    assert "ContentSid" not in got


@pytest.mark.parametrize(
    ("values", "to", "sender"),
    [
        ({}, "whatsapp:+529221110001", "whatsapp:+525512340001"),
        ({"address": "whatsapp:+5219221110001"}, "whatsapp:+5219221110001", "whatsapp:+525512340001"),
        ({"address": "whatsapp:MX.1349120865", "phone": ""}, "whatsapp:MX.1349120865", "whatsapp:+525512340001"),
        ({"sender": "whatsapp:+525500000000"}, "whatsapp:+529221110001", "whatsapp:+525500000000"),
    ],
)
def test_a_person_is_called_as_whatsapp_called_them(
    settings: Settings, values: dict[str, Any], to: str, sender: str
) -> None:
    got = sent(settings, **values)
    assert (got["To"], got["From"]) == (to, sender)


def test_a_messaging_service_keeps_its_name(settings: Settings) -> None:
    assert sent(settings, sender="MG" + "5" * 32)["MessagingServiceSid"] == "MG" + "5" * 32


def inbound(**form: str) -> Reply:
    return read_reply({"MessageSid": "SM1", "From": "whatsapp:+5219221110001", "To": "whatsapp:+525512340001", **form})


def test_somebody_without_a_phone_is_known_by_what_whatsapp_calls_them() -> None:
    reply = inbound(From="whatsapp:MX.13491208655302741918", ProfileName="Ana \0B", Body="Hola")
    assert (reply.channel, reply.phone, reply.address) == ("whatsapp", None, "whatsapp:MX.13491208655302741918")
    assert (reply.name, reply.sender) == ("Ana B", "whatsapp:+525512340001")


def test_a_pressed_button_and_a_picture_come_with_the_text() -> None:
    reply = inbound(
        Body="Sí", ButtonPayload="yes", NumMedia="1", MediaUrl0="https://example.org/a", MediaContentType0="image/jpeg"
    )
    assert (reply.text, reply.button) == ("Sí", "yes")
    assert [(one.url, one.content_type) for one in reply.media] == [("https://example.org/a", "image/jpeg")]


@pytest.mark.parametrize("count", ["", "many", "-1", "999999999999", "²"])
def test_a_count_of_pictures_that_is_none_brings_none(count: str) -> None:
    assert inbound(NumMedia=count).media == []


def test_the_richest_kind_of_a_template_is_copied_with_its_approval() -> None:
    found = read_content(
        "HX1", "bienvenida", "es_MX",
        {"twilio/text": {"body": "Hola"}, "twilio/quick-reply": {"body": "Hola {{1}}", "actions": [{"title": "Sí"}]}},
        {"1": "vecina"}, {"status": "approved", "category": "UTILITY", "rejection_reason": ""},
    )  # fmt: skip
    assert (found.kind, found.body, found.state, found.category) == (
        "twilio/quick-reply", "Hola {{1}}", "approved", "UTILITY",
    )  # fmt: skip
    assert (found.buttons, found.state_reason) == ([{"title": "Sí", "id": "Sí"}], None)


@pytest.mark.parametrize(
    ("approval", "state"),
    [(None, "unsubmitted"), ([], "unsubmitted"), ([{"status": "rejected"}], "rejected"),
     ({"whatsapp": {"status": "PENDING"}}, "pending"), ("odd", "unsubmitted")],
)  # fmt: skip
def test_an_approval_is_read_in_every_shape_that_twilio_shows(approval: Any, state: str) -> None:
    assert read_content("HX1", "", "", None, None, approval).state == state


@pytest.mark.parametrize(
    ("properties", "quality", "people"),
    [
        ({"quality_rating": "GREEN", "messaging_limit": "1K Customers/24hr"}, "GREEN", 1_000),
        ({"quality_rating": "RED", "messaging_limit": "unlimited"}, "RED", None),
        (None, None, None),
    ],
)
def test_how_whatsapp_sees_a_sender(properties: Any, quality: str | None, people: int | None) -> None:
    found = read_sender("whatsapp:+525512340001", "ONLINE", properties, None)
    assert (found.quality, found.daily_people, found.is_online) == (quality, people, True)
