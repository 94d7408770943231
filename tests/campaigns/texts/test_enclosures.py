from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from campaigns.channels.content import Content
from campaigns.texts import enclosures, message_media, message_templates
from campaigns.texts.enclosures import Enclosed
from campaigns.texts.message_templates import MessageTemplate
from tests.campaigns.cast import Campaign, Cast
from tests.campaigns.media_samples import mp4
from tests.conftest import ClientAs

GREETING = Content("HX" + "1" * 32, "aviso", "es_MX", "twilio/quick-reply", "Hola {{1}}, sección {{2}}, {{1}}",
                   {"1": "vecina"}, [{"title": "Sí", "id": "yes"}], state="approved")  # fmt: skip
MAPPED = {"1": "{given_names|vecina}", "2": "{section}"}
TEXT = "Hola {given_names|vecina}, sección {section}, {given_names|vecina}"


@pytest.fixture
def template(session: Session) -> MessageTemplate:
    message_templates.keep(session, "simulated", [GREETING])
    return message_templates.every(session, "simulated")[0]


def test_what_a_wording_carries_is_kept_by_its_letter_and_taken_off_again(
    session: Session, cast: Cast, campaign: Campaign, template: MessageTemplate
) -> None:
    made = campaign(channel="whatsapp")
    said = Enclosed(template.id, MAPPED)
    enclosures.keep(session, made.id, "A", said, None)
    enclosures.keep(session, made.id, "B", Enclosed(title="x"), None)
    assert enclosures.of(session, made.id) == {"A": said, "B": Enclosed(title="x")}
    enclosures.keep(session, made.id, "B", enclosures.NOTHING, None)
    assert list(enclosures.of(session, made.id)) == ["A"]


def test_a_form_says_what_each_wording_carries() -> None:
    media = uuid4()
    form = {"template_id": "7", "variable-1": " {name} ", "media_id": str(media), "B-title": "Hola",
            "B-variable-1": "b", "B-media_id": "x", "B-template_id": "²"}  # fmt: skip
    assert enclosures.read(form) == Enclosed(7, {"1": "{name}"}, media)
    assert enclosures.read(form, "B") == Enclosed(None, {"1": "b"}, None, "Hola")


def test_the_text_of_a_template_is_its_own_with_our_placeholders(template: MessageTemplate) -> None:
    assert message_templates.as_wording(template, MAPPED) == TEXT


def test_a_template_whose_variables_are_all_said_is_fine(session: Session, template: MessageTemplate) -> None:
    assert enclosures.faults(session, "whatsapp", Enclosed(template.id, MAPPED), TEXT) == {}


@pytest.mark.parametrize(
    ("channel", "said", "text", "field"),
    [
        ("whatsapp", {}, TEXT, "template_id"),
        ("whatsapp", {"template_id": 999_999}, TEXT, "template_id"),
        ("whatsapp", {"variables": {"1": "a"}}, TEXT, "variable-2"),
        ("whatsapp", {"variables": {"1": "{salary}", "2": "b"}}, TEXT, "variable-1"),
        ("whatsapp", {"variables": {"1": "a" * 1024, "2": "b"}}, TEXT, "template_id"),
        ("whatsapp", {"variables": MAPPED}, "Vote por mí", "text"),
        ("sms", {"variables": MAPPED}, TEXT, "template_id"),
        ("email", {"template_id": None}, TEXT, "title"),
        ("email", {"template_id": None, "title": "a" * 151}, TEXT, "title"),
        ("email", {"template_id": None, "title": "{salary}"}, TEXT, "title"),
        ("telegram", {"template_id": None, "media_id": uuid4()}, TEXT, "media_id"),
    ],
)
def test_what_would_not_leave_is_said_before_the_launch(
    session: Session, template: MessageTemplate, channel: str, said: dict[str, Any], text: str, field: str
) -> None:
    given = Enclosed(**{"template_id": template.id if said else None, **said})
    assert field in enclosures.faults(session, channel, given, text)


def test_a_video_that_a_channel_takes_is_fine_and_on_another_it_is_not(session: Session) -> None:
    media = message_media.keep(session, "a.mp4", mp4(), None)
    assert enclosures.faults(session, "telegram", Enclosed(media_id=media.id), "Hola") == {}
    assert "media_id" in enclosures.faults(session, "sms", Enclosed(media_id=media.id), "Hola")


@pytest.mark.parametrize("state", ["pending", "rejected", "paused", "disabled"])
def test_a_template_without_approval_cannot_be_chosen(session: Session, template: MessageTemplate, state: str) -> None:
    message_templates.keep(session, "simulated", [Content(**{**GREETING.__dict__, "state": state})])
    assert "template_id" in enclosures.faults(session, "whatsapp", Enclosed(template.id, MAPPED), TEXT)


def test_copying_says_what_is_new_what_changed_and_what_is_gone(session: Session) -> None:
    other = Content(**{**GREETING.__dict__, "provider_ref": "HX" + "2" * 32})
    assert message_templates.keep(session, "simulated", [GREETING, other]) == {"new": 2, "changed": 0, "gone": 0}
    paused = Content(**{**GREETING.__dict__, "state": "paused"})
    assert message_templates.keep(session, "simulated", [paused]) == {"new": 0, "changed": 1, "gone": 1}
    assert message_templates.keep(session, "simulated", [paused]) == {"new": 0, "changed": 0, "gone": 0}
    assert message_templates.keep(session, "twilio", []) == {"new": 0, "changed": 0, "gone": 0}
    assert {one.standing for one in message_templates.every(session, "simulated")} == {"paused", "gone"}


def test_choosing_a_template_asks_for_its_variables(
    session: Session, client_as: ClientAs, template: MessageTemplate
) -> None:
    session.commit()
    part = client_as("strategist").get(
        "/campaigns/messages/enclosed", query_string={"channel": "whatsapp", "template_id": template.id}
    )
    assert part.status_code == 200
    assert 'name="variable-1"' in part.text
    assert 'name="variable-2"' in part.text
    assert "vecina" in part.text


@pytest.mark.parametrize(("channel", "field"), [("email", "title"), ("telegram", "media_id")])
def test_each_channel_asks_for_what_it_carries(client_as: ClientAs, channel: str, field: str) -> None:
    part = client_as("strategist").get("/campaigns/messages/enclosed", query_string={"channel": channel})
    assert f'name="{field}"' in part.text
    assert 'name="template_id"' not in part.text
