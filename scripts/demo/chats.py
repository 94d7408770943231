"""The panel in a chat: people who answered the invitation with a yes and are asked question by question.

One had stopped half-way on the page of their link and answers the rest here; one has just begun.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session

from callcenter import suppressions
from campaigns import inbox
from campaigns.channels import Reply
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from scripts.simulated_carrier.citizens import Citizen, citizen
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.interviews import Answer, Interview

YES = "Sí"
BEGUN_ON_THE_PAGE = "registered"  # the last question that was answered there
LEFT = ("likely", "vote", "opinion_azul")  # what comes after it
FIRST = ("consent",)


def load(session: Session, invitation: MessageCampaign, *, seed: int) -> int:
    """Both write, and the product asks them; returns how many messages they wrote."""
    half_way, untouched = _half_way(session, invitation), _untouched(session, invitation)
    chats = [(_first(session, half_way, seed, LEFT), LEFT), (_first(session, untouched, seed, FIRST), FIRST)]
    written = 0
    for person, items in chats:
        if person is None:
            continue
        for place, text in enumerate((YES, *(person.answers[item] for item in items))):
            ref = f"SM{uuid.uuid5(uuid.NAMESPACE_URL, f'{person.phone}/{place}').hex}"
            inbox.receive(session, Reply(ref, invitation.channel, person.phone, person.phone, text))
            written += 1
    return written


def _first(session: Session, phones: Sequence[str | None], seed: int, items: tuple[str, ...]) -> Citizen | None:
    """The first of them who would answer these questions and may be written to."""
    for phone in filter(None, phones):
        person = citizen(phone, seed)
        if all(item in person.answers for item in items) and suppressions.find(session, phone) is None:
            return person
    return None


def _half_way(session: Session, invitation: MessageCampaign) -> Sequence[str | None]:
    """Phones of those who stopped on the page of their link after the question that tells who may vote."""
    told = exists().where(Answer.interview_id == Interview.id, Answer.item == BEGUN_ON_THE_PAGE)
    return session.scalars(
        select(Message.phone)
        .join(SurveyLink, SurveyLink.contact_id == Message.contact_id)
        .join(Interview, Interview.id == SurveyLink.interview_id)
        .where(Message.campaign_id == invitation.id, SurveyLink.source == f"message-campaign/{invitation.id}")
        .where(Interview.state == "partial", told, ~_has_written())
        .order_by(Message.contact_id)
    ).all()


def _untouched(session: Session, invitation: MessageCampaign) -> Sequence[str | None]:
    """Phones of those who got the invitation and have done nothing with it."""
    return session.scalars(
        select(Message.phone)
        .join(SurveyLink, SurveyLink.contact_id == Message.contact_id)
        .where(Message.campaign_id == invitation.id, SurveyLink.source == f"message-campaign/{invitation.id}")
        .where(Message.state == "delivered", SurveyLink.interview_id.is_(None), ~_has_written())
        .order_by(Message.contact_id)
    ).all()


def _has_written() -> Exists:
    return exists().where(InboundMessage.contact_id == Message.contact_id)
