"""How each person of a batch is reached on a channel, and why not: addresses, windows, templates, people a day."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now, real_now
from callcenter.base.settings import Settings
from callcenter.consent import Refusal
from campaigns import channels, inbox, messages
from campaigns.channels import Reply, channel_addresses, channel_rules
from campaigns.channels.channel_rules import Approval
from campaigns.channels.content import Content
from campaigns.correspondence import conversation_windows
from campaigns.dispatch import daily_people, reach
from campaigns.dispatch.daily_people import MessageOpening
from campaigns.dispatch.reach import Person, Reached
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import enclosures, message_media, message_templates
from campaigns.texts.enclosures import Enclosed
from campaigns.texts.message_templates import MessageTemplate
from tests.campaigns.cast import LUPITA, MARIO, Campaign, Cast
from tests.campaigns.media_samples import jpeg

VALUES = {"given_names": "Lupita", "name": "Guadalupe Ramos", "section": "0045", "neighborhood": None,
          "municipality": "Minatitlán"}  # fmt: skip
TEMPLATE = Content("HX" + "1" * 32, "aviso", "es_MX", "twilio/text", "Hola {{1}}, sección {{2}}", state="approved")


@dataclass
class Stage:
    """A running campaign of one channel, and what reach makes of people in it."""

    session: Session
    campaign: MessageCampaign
    cast: Cast
    messages: dict[int, UUID] = field(default_factory=dict)

    def ask(self, *people: Person) -> dict[UUID, Reached | Refusal]:
        return reach.reach(self.session, self.campaign, people, now=campaign_now(self.session))

    def of(self, phone: str, **values: Any) -> Reached | Refusal:
        """The answer for one of the cast, by phone."""
        found = self.ask(self.person(phone, **values))
        return next(iter(found.values()))

    def person(self, phone: str, **values: Any) -> Person:
        who = self.cast.lupita if phone == LUPITA else self.cast.mario
        row = self.session.execute(
            messages.Message.__table__.select().where(
                messages.Message.campaign_id == self.campaign.id, messages.Message.contact_id == who.id
            )
        ).one()
        given = {"contact_id": who.id, "phone": phone, "address": None, "values": VALUES, **values}
        return Person(row.id, **given)


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    channels.configure(settings)


@pytest.fixture
def whatsapp(session: Session, cast: Cast, campaign: Campaign) -> Stage:
    return Stage(session, campaign("Hola {given_names}. BAJA", channel="whatsapp", sender="+525512340001"), cast)


def keep_template(session: Session, **values: Any) -> MessageTemplate:
    message_templates.keep(session, "simulated", [Content(**{**TEMPLATE.__dict__, **values})])
    return message_templates.every(session, "simulated")[0]


def enclose(stage: Stage, **values: Any) -> None:
    enclosures.keep(stage.session, stage.campaign.id, "A", Enclosed(**values), None)


def hear(session: Session, phone: str, *, ago: timedelta = timedelta(0)) -> None:
    """They wrote to us on WhatsApp so long ago."""
    address = "whatsapp:+521" + phone.removeprefix("+52")
    found = inbox.receive(session, Reply(f"SM{uuid4().hex}", "whatsapp", phone, address, "Hola"))
    assert found is not None
    past = update(InboundMessage).where(InboundMessage.id == found.id).values(received_at=real_now() - ago)
    session.execute(past)


def code(answer: Reached | Refusal) -> str:
    assert isinstance(answer, Refusal)
    return answer.code


def test_sms_needs_nothing_of_this(session: Session, cast: Cast, campaign: Campaign) -> None:
    stage = Stage(session, campaign(), cast)
    assert stage.ask(stage.person(LUPITA)) == {}


def test_without_a_template_nobody_outside_the_window_is_written_to(whatsapp: Stage) -> None:
    assert code(whatsapp.of(LUPITA)) == "no_window"


def test_a_template_carries_each_persons_values(whatsapp: Stage) -> None:
    template = keep_template(whatsapp.session)
    enclose(whatsapp, template_id=template.id, variables={"1": "{given_names|vecina}", "2": "{section}"})
    answer = whatsapp.of(LUPITA)
    assert isinstance(answer, Reached)
    assert answer.address is None
    assert answer.enclosed.template is not None
    assert answer.enclosed.template.ref == template.provider_ref
    assert answer.enclosed.template.variables == {"1": "Lupita", "2": "0045"}


def test_a_value_that_whatsapp_would_refuse_is_tidied(whatsapp: Stage) -> None:
    template = keep_template(whatsapp.session)
    enclose(whatsapp, template_id=template.id, variables={"1": "{given_names}", "2": "x"})
    answer = whatsapp.of(LUPITA, values={**VALUES, "given_names": "Ana\n\tLuz     María"})
    assert isinstance(answer, Reached)
    assert answer.enclosed.template is not None
    assert answer.enclosed.template.variables["1"] == "Ana Luz María"


def test_who_lacks_a_value_of_the_template_is_left_out(whatsapp: Stage) -> None:
    template = keep_template(whatsapp.session)
    enclose(whatsapp, template_id=template.id, variables={"1": "{neighborhood}", "2": "x"})
    assert code(whatsapp.of(LUPITA)) == "missing_value"


@pytest.mark.parametrize("state", ["pending", "rejected", "paused", "disabled", "unsubmitted"])
def test_a_template_that_lost_its_approval_reaches_nobody(whatsapp: Stage, state: str) -> None:
    template = keep_template(whatsapp.session, state=state)
    enclose(whatsapp, template_id=template.id, variables={"1": "a", "2": "b"})
    assert code(whatsapp.of(LUPITA)) == "template_not_approved"


def test_a_template_that_is_gone_at_the_provider_reaches_nobody(whatsapp: Stage) -> None:
    template = keep_template(whatsapp.session)
    enclose(whatsapp, template_id=template.id, variables={"1": "a", "2": "b"})
    message_templates.keep(whatsapp.session, "simulated", [])
    assert code(whatsapp.of(LUPITA)) == "template_not_approved"


def test_an_answer_goes_out_while_the_window_is_open_and_not_after_it(whatsapp: Stage) -> None:
    hear(whatsapp.session, LUPITA, ago=timedelta(hours=23, minutes=59))
    answer = whatsapp.of(LUPITA, is_reply=True)
    assert isinstance(answer, Reached)
    assert answer.address == "whatsapp:+5219221110001"
    whatsapp.session.execute(update(InboundMessage).values(received_at=real_now() - timedelta(hours=24, seconds=1)))
    assert code(whatsapp.of(LUPITA, is_reply=True)) == "no_window"


def test_the_window_of_one_person_opens_nobody_elses(whatsapp: Stage) -> None:
    hear(whatsapp.session, MARIO)
    assert code(whatsapp.of(LUPITA, is_reply=True)) == "no_window"
    now = conversation_windows.open_for(whatsapp.session, "whatsapp", [(None, LUPITA), (None, MARIO)])
    assert list(now) == [(None, MARIO)]


def test_somebody_without_a_phone_has_a_window_by_their_name_there(session: Session, cast: Cast) -> None:
    inbox.receive(session, Reply("SM9", "whatsapp", None, "whatsapp:MX.1", "Hola"))
    assert conversation_windows.closes_at(session, "whatsapp", "whatsapp:MX.1") is not None
    assert conversation_windows.closes_at(session, "whatsapp", "whatsapp:MX.2") is None
    assert conversation_windows.closes_at(session, "telegram", "5") is not None


def test_who_unsubscribed_and_who_blocked_us_are_left_out_with_their_reason(whatsapp: Stage) -> None:
    template = keep_template(whatsapp.session)
    enclose(whatsapp, template_id=template.id, variables={"1": "a", "2": "b"})
    for who, state in ((whatsapp.cast.lupita, "unsubscribed"), (whatsapp.cast.mario, "blocked")):
        address = f"whatsapp:{who.phone}"
        channel_addresses.add(whatsapp.session, who.id, "whatsapp", address, source="import")
        channel_addresses.mark(whatsapp.session, "whatsapp", address, state)
    assert code(whatsapp.of(LUPITA, address=f"whatsapp:{LUPITA}")) == "unsubscribed"
    assert code(whatsapp.of(MARIO, address=f"whatsapp:{MARIO}")) == "no_address"


def test_the_picture_of_a_template_stands_in_its_variable(whatsapp: Stage) -> None:
    media = message_media.keep(whatsapp.session, "a.jpg", jpeg(), None)
    template = keep_template(
        whatsapp.session, body="Hola {{1}}", kind="twilio/media", media_url="http://convoca.test/{{3}}"
    )
    enclose(whatsapp, template_id=template.id, variables={"1": "a"}, media_id=media.id)
    answer = whatsapp.of(LUPITA)
    assert isinstance(answer, Reached)
    assert answer.enclosed.template is not None
    address = message_media.public_url(media)
    assert "http://convoca.test/" + answer.enclosed.template.variables["3"] == address


# ── people a day ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def limited(whatsapp: Stage) -> Stage:
    """WhatsApp lets us begin with one person a day."""
    today = real_now().date() - timedelta(days=1)
    said = Approval("Surveys", "Ticket 17", ["survey"], today, daily_people=1)
    channel_rules.record(whatsapp.session, "whatsapp", said, None)
    template = keep_template(whatsapp.session)
    enclose(whatsapp, template_id=template.id, variables={"1": "a", "2": "b"})
    return whatsapp


def test_more_people_than_the_provider_allows_wait_until_there_is_room(limited: Stage) -> None:
    first, second = limited.ask(limited.person(LUPITA), limited.person(MARIO)).values()
    assert isinstance(first, Reached)
    assert code(second) == "people_a_day"
    assert isinstance(second, Refusal)
    assert second.until is not None
    assert timedelta(hours=23) < second.until - campaign_now(limited.session) <= timedelta(hours=24)
    limited.session.execute(update(MessageOpening).values(at=real_now() - timedelta(hours=24, seconds=1)))
    assert isinstance(limited.of(MARIO), Reached)


def test_one_more_message_to_the_same_person_takes_no_room(limited: Stage) -> None:
    assert isinstance(limited.of(LUPITA), Reached)
    assert isinstance(limited.of(LUPITA), Reached)
    assert daily_people.room(limited.session, "whatsapp").left == 0


def test_answers_inside_the_window_take_no_room(limited: Stage) -> None:
    hear(limited.session, MARIO)
    assert isinstance(limited.of(LUPITA), Reached)
    assert isinstance(limited.of(MARIO, is_reply=True), Reached)
    assert daily_people.room(limited.session, "whatsapp").used == 1


# ── Telegram and e-mail ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("channel", ["telegram", "email"])
def test_who_has_no_address_on_the_channel_is_left_out(
    session: Session, cast: Cast, campaign: Campaign, channel: str
) -> None:
    channel_addresses.add(session, cast.mario.id, channel, "mario@example.org", source="import")
    stage = Stage(session, campaign(channel=channel, sender="x"), cast)
    assert code(stage.of(LUPITA)) == "no_address"
    answer = stage.of(MARIO)
    assert isinstance(answer, Reached)
    assert answer.address == "mario@example.org"


def test_an_e_mail_has_its_subject_and_its_way_out(session: Session, cast: Cast, campaign: Campaign) -> None:
    channel_addresses.add(session, cast.mario.id, "email", "mario@example.org", source="import")
    stage = Stage(session, campaign(channel="email", sender="Encuestas <avisos@example.org>"), cast)
    enclose(stage, title="{given_names}, su opinión")
    answer = stage.of(MARIO)
    assert isinstance(answer, Reached)
    assert answer.enclosed.title == "Lupita, su opinión"
    assert answer.enclosed.opt_out_url.startswith("http://convoca.test/u/")
