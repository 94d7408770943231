"""The steps of one message, each a thing that decided over it or became of it, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.gate.refusals import Refusal
from campaigns import labels
from campaigns.correspondence import survey_invitations
from campaigns.dispatch import message_states
from campaigns.dispatch.sender_tables import Sender
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import CANARY, TEST, Message
from campaigns.texts.clicks import MessageClick

PASSED, STOPPED, WAITS, NEWS = "passed", "stopped", "waits", "news"
ANSWERS_SHOWN = 20


@dataclass(frozen=True)
class Step:
    """One thing that decided or happened. `state`: passed | stopped | waits | news. `at`: when, by the clock of the
    campaign where `is_campaign_time`, else the real one."""

    code: str
    label: str
    sentence: str
    state: str = PASSED
    at: datetime | None = None
    is_campaign_time: bool = False


def of(session: Session, campaign: MessageCampaign, message: Message) -> list[Step]:
    """Every step of this message, in the order in which they decided."""
    attempt = session.get(Attempt, message.id)
    return [
        _listed(campaign, message),
        *_approval(session, campaign),
        *_held(session, campaign, message),
        *_gate(message, attempt),
        *_on_the_wire(session, message, attempt),
        *_end(message),
        *_afterwards(session, campaign, message),
    ]


def _listed(campaign: MessageCampaign, message: Message) -> Step:
    label = _("The list")
    if message.wave == TEST:
        return Step("list", label, _("A test to one of our own phones; it counts in no report."), NEWS)
    if message.turn:
        return Step("list", label, _("Written in a conversation, not to a list."), NEWS)
    if campaign.is_standing:
        return Step("list", label, _("The person was added by itself, as this campaign does."))
    version = campaign.segment_version or campaign.segment.version
    said = _("On the list «%(name)s», version %(version)s of its rule.", name=campaign.audience, version=version)
    return Step("list", label, said, PASSED, campaign.planned_at)


def _approval(session: Session, campaign: MessageCampaign) -> list[Step]:
    if campaign.approved_at is None:
        return []
    who = session.scalar(select(User.full_name).where(User.id == campaign.approved_by)) or _("a second person")
    return [Step("approval", _("Approval"), _("Approved by %(who)s.", who=who), PASSED, campaign.approved_at)]


def _held(session: Session, campaign: MessageCampaign, message: Message) -> list[Step]:
    label = _("Release")
    if message.wave == CANARY:
        return [Step("wave", label, _("In the first wave, drawn by lot."))]
    if message.is_held and message.state == message_states.PLANNED:
        said = (
            _("A person releases each message of this campaign; nobody has released this one yet.")
            if campaign.is_peer
            else _("Held until the first wave was looked at and the rest is released.")
        )
        return [Step("wave", label, said, WAITS)]
    if message.released_by is not None:
        who = session.scalar(select(User.full_name).where(User.id == message.released_by)) or _("a person")
        return [Step("wave", label, _("Released by %(who)s.", who=who))]
    if campaign.canary_share and campaign.rest_released_at is not None and message.turn == 0 and message.wave != TEST:
        return [Step("wave", label, _("Released with the rest, after the first wave."), PASSED,
                     campaign.rest_released_at)]  # fmt: skip
    return []


def _gate(message: Message, attempt: Attempt | None) -> list[Step]:
    label = _("Rules")
    code = message.refusal
    if message.state == message_states.EXCLUDED:
        return [Step("gate", label, _with_remedy(code), STOPPED, message.finished_at)]
    if message.state == message_states.PLANNED and code:
        return [Step("gate", label, labels.refusal(code), WAITS, message.not_before, is_campaign_time=True)]
    if message.sent_at is None or attempt is None:
        return []
    said = _("Just before it left, every rule let it through: consent, calendar, hours, register, caps, household.")
    return [Step("gate", label, said, PASSED, attempt.at, is_campaign_time=True)]


def _with_remedy(code: str | None) -> str:
    """Why it was excluded, and who could have lifted that."""
    if not code:
        return str(_("Excluded; no reason was kept."))
    said = labels.refusal(code)
    return f"{said} {Refusal(code).lifted_by.sentence}" if code in consent.SENTENCES else said


def _on_the_wire(session: Session, message: Message, attempt: Attempt | None) -> list[Step]:
    if message.sent_at is None or message.state == message_states.PLANNED or attempt is None:
        return []
    sender = session.get(Sender, message.sender_id) if message.sender_id else None
    said = [_("Wording %(letter)s.", letter=message.wording)]
    if sender is not None:
        said.append(_("Sent by %(sender)s.", sender=sender.name or sender.address))
    parts = message.provider_parts or message.parts
    if parts and message.unit_price is not None:
        said.append(_("Parts: %(parts)s, at %(price)s MXN each.", parts=parts,
                      price=format_decimal(message.unit_price, "#,##0.00###")))  # fmt: skip
    steps = [Step("sent", _("On its way"), " ".join(said), PASSED, message.sent_at)]
    if message.provider_ref:
        said_ref = _("The provider took it under the name %(ref)s.", ref=message.provider_ref)
        steps.append(Step("taken", _("The provider"), said_ref))
    return steps


def _end(message: Message) -> list[Step]:
    label = _("What became of it")
    if message.state in (message_states.PLANNED, message_states.EXCLUDED):
        return []
    state = str(labels.MESSAGE_STATES[message.state])
    if message.state in (message_states.FAILED, message_states.UNDELIVERED):
        said = f"{state}: {labels.error(message.error_code)}"
        return [Step("end", label, said, STOPPED, message.finished_at)]
    if message.state == message_states.STOPPED:
        why = labels.refusal(message.refusal) if message.refusal else ""
        return [Step("end", label, f"{state}. {why}".strip(), STOPPED, message.finished_at)]
    is_over = message.state == message_states.DELIVERED
    return [Step("end", label, state, PASSED if is_over else WAITS, message.finished_at or message.news_at)]


def _afterwards(session: Session, campaign: MessageCampaign, message: Message) -> list[Step]:
    """That they opened the link, began the survey or answered; never what they wrote."""
    if message.sent_at is None:
        return []
    steps = []
    clicked = session.scalars(
        select(MessageClick.at).where(MessageClick.message_id == message.id).order_by(MessageClick.at).limit(1)
    ).first()
    if clicked is not None:
        steps.append(Step("click", _("Link"), _("They opened the link."), NEWS, clicked, is_campaign_time=True))
    if (began := survey_invitations.began_at(session, campaign, message.contact_id)) is not None:
        steps.append(Step("survey", _("Survey"), _("They began the survey by their link."), NEWS, began))
    for reply in _replies(session, message):
        said = _("They asked not to be contacted again.") if reply.is_opt_out else _("They wrote back.")
        steps.append(Step("reply", _("Answer"), said, NEWS, reply.received_at))
    return steps


def _replies(session: Session, message: Message) -> Sequence[InboundMessage]:
    if message.contact_id is None:
        return []
    own = select(InboundMessage).where(
        InboundMessage.contact_id == message.contact_id, InboundMessage.received_at >= message.sent_at
    )
    return session.scalars(own.order_by(InboundMessage.id).limit(ANSWERS_SHOWN)).all()
