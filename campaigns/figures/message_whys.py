"""«¿Por qué le llegó, o no, a esta persona?»: what decided over one message, in the order in which it did."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base.errors import NotFound
from callcenter.contacts import Contact
from campaigns import labels
from campaigns.dispatch import message_states
from campaigns.figures import message_why_steps
from campaigns.figures.message_why_steps import STOPPED, WAITS, Step
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message, MessageReceipt
from campaigns.segmenting import membership, segment_choices, segment_versions, segment_words
from campaigns.segmenting.membership import Membership

# Kinds of receipts that we wrote ourselves.
_OURS: dict[str, LazyString] = {
    "not_listed": _l("We asked the provider's own list: it knew nothing of it."),
    "refused": _l("It refused our request at once."),
}


@dataclass(frozen=True)
class Heard:
    """One word of the provider's: `said` is its own (empty: it answered a question of ours), `means` the sentence for
    it and for its error. Real time."""

    at: datetime
    said: str
    code: str | None
    means: str


@dataclass(frozen=True)
class Why:
    """`verdict`: the answer in one sentence, `kind` its colour. `rule`: the people whom the campaign means, as it was
    frozen. `membership`: what the rule says of the person now, where they are not on the list. `body`: what was sent
    (never of a conversation)."""

    campaign: MessageCampaign
    verdict: str
    kind: str
    steps: list[Step]
    rule: str = ""
    message: Message | None = None
    membership: Membership | None = None
    heard: list[Heard] = field(default_factory=list)
    body: str | None = None


def find(session: Session, message_id: UUID) -> Message:
    """Raises NotFound."""
    message = session.get(Message, message_id, populate_existing=True)
    if message is None:
        raise NotFound(_("There is no such message."))
    return message


def of_person(session: Session, campaign: MessageCampaign, contact_id: int) -> Why:
    """Of the message that the campaign's list has for the person; of who is not on it, why not."""
    own = select(Message).where(Message.campaign_id == campaign.id, Message.contact_id == contact_id,
                                Message.turn == 0)  # fmt: skip
    message = session.scalars(own.execution_options(populate_existing=True)).first()
    return of_message(session, message) if message else _not_listed(session, campaign, contact_id)


def listed(session: Session, campaign_id: int, contact_ids: list[int]) -> dict[int, Message]:
    """Of these people those whom the campaign's list has, with their message."""
    own = select(Message).where(
        Message.campaign_id == campaign_id, Message.contact_id.in_(contact_ids), Message.turn == 0
    )
    return {one.contact_id: one for one in session.scalars(own) if one.contact_id is not None}


def brief(campaign: MessageCampaign, message: Message | None) -> tuple[str, str]:
    """(the answer in one sentence, its colour); without a message: they are not on the list."""
    if message is None:
        return str(_("They are not on the list of this campaign.")), "secondary"
    return _verdict(campaign, message)


def of_message(session: Session, message: Message) -> Why:
    """What decided over this message, step by step."""
    campaign = campaigns.find(session, message.campaign_id)
    steps = message_why_steps.of(session, campaign, message)
    verdict, kind = _verdict(campaign, message)
    is_own_text = message.turn == 0 and message.sent_at is not None
    return Why(campaign, verdict, kind, steps, rule(session, campaign), message, None,
               _heard(session, message.id), message.body if is_own_text else None)  # fmt: skip


def rule(session: Session, campaign: MessageCampaign) -> str:
    """Whom the campaign means, in words, at the version of the rule that it froze."""
    return segment_words.sentence(_rule(session, campaign), segment_choices.catalogue(session))


def _rule(session: Session, campaign: MessageCampaign) -> dict[str, Any]:
    if campaign.frozen is not None:
        return campaign.frozen.rule
    if campaign.segment_version is not None and campaign.segment_version != campaign.segment.version:
        try:
            return segment_versions.get(session, campaign.segment_id, campaign.segment_version).rule
        except NotFound:  # a version from before versions were kept
            return campaign.segment.rule
    return campaign.segment.rule


# ── who is not on the list ────────────────────────────────────────────────────────────────────────────────────────────


def _not_listed(session: Session, campaign: MessageCampaign, contact_id: int) -> Why:
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFound(_("There is no such person."))
    meant = membership.look(session, _rule(session, campaign), contact_id)
    steps = [_absence(session, campaign, contact, meant), *_gate_now(session, campaign, contact)]
    if campaign.planned_at is None and not campaign.is_standing:
        verdict = _("The list is not frozen yet: who belongs to it is settled when the campaign is sent.")
        return Why(campaign, verdict, "info", steps, meant.sentence, membership=meant)
    verdict = _("Nothing was sent: this person is not on the list of the campaign.")
    return Why(campaign, verdict, "secondary", steps, meant.sentence, membership=meant)


def _absence(session: Session, campaign: MessageCampaign, contact: Contact, meant: Membership) -> Step:
    label = _("The list")
    if campaign.is_standing:
        return Step("list", label, _("People are added to this campaign one by one, and this person was not."), STOPPED)
    if contact.blocked_at is not None:
        said = _("Their data are blocked after a privacy request: no list has them.")
        return Step("list", label, said, STOPPED, contact.blocked_at)
    if campaign.planned_at is None:
        said = _("As of now the rule means them.") if meant.is_meant else _("As of now the rule does not mean them.")
        return Step("list", label, said, WAITS if meant.is_meant else STOPPED)
    frozen_id = campaign.frozen_segment_id
    if frozen_id is not None and membership.is_on_frozen_list(session, frozen_id, contact.id):
        said = _("They were on the frozen list, but were added or merged after the campaign wrote its rows.")
    elif meant.is_meant:
        said = _("The rule means them now, but did not when the list was frozen.")
    else:
        said = _("The rule does not mean them.")
    return Step("list", label, said, STOPPED, campaign.planned_at)


def _gate_now(session: Session, campaign: MessageCampaign, contact: Contact) -> list[Step]:
    """What the one gate would say at this moment."""
    if campaign.channel not in consent.CHANNELS or contact.phone is None:
        return []
    refusal = consent.refusal(
        session, contact.id, campaign.channel, campaign.purpose, phone=contact.phone, simulated=campaign.is_simulated
    )
    if refusal is None:
        return [Step("gate", _("Rules"), _("No rule would keep them from being written to now."))]
    said = f"{refusal.sentence} {refusal.lifted_by.sentence}"
    return [Step("gate", _("Rules"), said, STOPPED, refusal.until, is_campaign_time=True)]


def _heard(session: Session, message_id: UUID) -> list[Heard]:
    """Every callback and look-up, in the order in which it was heard. Never the whole of it: it names the phone."""
    found = select(MessageReceipt).where(MessageReceipt.message_id == message_id).order_by(MessageReceipt.id)
    heard = []
    for one in session.scalars(found):
        said, _slash, code = one.key.partition("/")
        means = str(_OURS.get(said, "")) + (f" {labels.error(code)}" if code else "")
        heard.append(Heard(one.at, "" if said in _OURS else said, code or None, means.strip()))
    return heard


def _verdict(campaign: MessageCampaign, message: Message) -> tuple[str, str]:
    """(the answer, colour)"""
    state = message.state
    if state == message_states.DELIVERED:
        return _("It arrived."), "success"
    if state in (message_states.FAILED, message_states.UNDELIVERED):
        return _("It did not arrive: %(why)s", why=labels.error(message.error_code)), "danger"
    if state == message_states.EXCLUDED:
        return _("It was not sent: %(why)s", why=labels.refusal(message.refusal or "")), "warning"
    if state == message_states.STOPPED:
        return _("It was not sent: the campaign was stopped before their turn came."), "warning"
    if state == message_states.UNKNOWN:
        return _(
            "It may have arrived: the provider did not answer clearly. It is not sent again; we keep asking."
        ), "warning"
    if state == message_states.PLANNED:
        return _waiting(campaign, message), "info"
    return _("It left; the phone's operator has not confirmed it yet."), "info"


def _waiting(campaign: MessageCampaign, message: Message) -> str:
    if message.is_held:
        return str(_("It has not been sent yet: it waits to be released."))
    if campaign.state == "paused":
        return str(
            _("It has not been sent yet: the campaign is paused. %(why)s", why=labels.reason(campaign.state_reason))
        )
    if message.refusal:
        return str(_("It has not been sent yet: %(why)s", why=labels.refusal(message.refusal)))
    return str(_("It has not been sent yet: its turn has not come."))
