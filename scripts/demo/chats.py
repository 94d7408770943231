"""The panel in a chat: people who answered the invitation with a yes and are asked question by question.

One had stopped half-way on the page of their link and answers the rest here; one has just begun.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.attempts import Attempt
from callcenter.base.clock import DRILL_START
from campaigns import inbox
from campaigns.channels import Reply
from campaigns.dispatch import message_states
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from scripts.demo import mailing, rows
from scripts.demo.past import real
from scripts.simulated_carrier.citizens import Citizen, citizen
from surveys import engine, questionnaire
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.forms.instance import by_name
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire

YES = "Sí"
BEGUN_ON_THE_PAGE = "registered"  # the last question that was answered there
LEFT = ("likely", "vote", "opinion_azul")  # what comes after it
FIRST = ("consent",)
AGO, A_TURN, A_MOMENT = timedelta(minutes=25), timedelta(minutes=2), timedelta(seconds=2)


def load(session: Session, invitation: MessageCampaign, *, seed: int) -> int:
    """Both write, and the product asks them; returns how many messages they wrote."""
    half_way, untouched = _half_way(session, invitation), _untouched(session, invitation)
    form = questionnaire.current(session, invitation.survey_id or 0)
    chats = [(_first(session, half_way, seed, LEFT), LEFT), (_first(session, untouched, seed, FIRST), FIRST)]
    written = 0
    for person, items in chats:
        if person is not None:
            said = (YES, *(_words(form, item, person.answers[item]) for item in items))
            _write(session, invitation.channel, person.phone, said)
            _set_back(session, person.phone)
            written += len(said)
    return written


def _words(form: Questionnaire, item: str, value: str) -> str:
    """The answer as somebody writes it: in words, not as a code."""
    named = by_name(form.items)[item]
    labels = [choice["label"] for choice in named["choices"] if choice["name"] == value]
    return engine.wording(form.items, labels[0], "") if labels else value


def _write(session: Session, channel: str, phone: str, said: Sequence[str]) -> None:
    for place, text in enumerate(said):
        ref = f"SM{uuid.uuid5(uuid.NAMESPACE_URL, f'{phone}/{place}').hex}"
        inbox.receive(session, Reply(ref, channel, phone, phone, text))


def _set_back(session: Session, phone: str) -> None:
    """Both sides wrote some minutes ago, in turn, and what we wrote has arrived."""
    heard = session.scalars(select(InboundMessage).where(InboundMessage.phone == phone).order_by(InboundMessage.id))
    asked = session.scalars(select(Message).where(Message.phone == phone, Message.turn > 0).order_by(Message.turn))
    sent = []
    for place, (reply, question) in enumerate(zip(heard.all(), asked.all(), strict=True)):
        at = DRILL_START - AGO + place * A_TURN
        reply.at, reply.received_at = at, real(at)
        question.state, question.provider_ref = message_states.DELIVERED, f"SM{question.id.hex}"
        question.sent_at, question.news_at = real(at + A_MOMENT), real(at + 2 * A_MOMENT)
        question.finished_at = question.news_at
        sent.append({
            "id": question.id, "contact_id": question.contact_id, "phone": phone, "at": at + A_MOMENT,
            "sent_at": question.sent_at, "finished_at": question.finished_at, "state": question.state,
        })  # fmt: skip
        purpose = session.get_one(MessageCampaign, question.campaign_id).purpose
    session.flush()
    rows.copy(session, Attempt, [mailing.attempt(row, purpose) for row in sent])


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
