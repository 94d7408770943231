"""A message to whom an operator was not there for: off unless a strategist writes one, and sent like any other message.

Each calling campaign has at most one that is on. It is a message campaign of its own, to which a person is added when
their call is abandoned; the gate is asked before it leaves, and nobody gets it twice.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact
from callcenter.ledger import apologies
from callcenter.ledger.call_ledger import Call
from campaigns import channels
from campaigns.calling import CallCampaign
from campaigns.dispatch import message_states as states
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.messages import Message, send_later

TAKES = ("running", "paused")  # states of a message campaign that people may be added to


class ApologyMessage(Base):
    """Which message campaign writes to those who found nobody in a queue."""

    __tablename__ = "apology_messages"
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True)
    message_campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"))


@dataclass(frozen=True)
class Apology:
    """What is written, and the number that it comes from. Placeholders as in every message."""

    text: str
    sender: str


def compose() -> None:
    """Hear of abandoned calls."""
    apologies.register("message", add)


def of(session: Session, queue_id: int) -> Apology | None:
    """The message of this queue; None when there is none, or it was stopped."""
    campaign = _campaign(session, queue_id)
    return Apology(campaign.text, campaign.sender) if campaign is not None else None


def message_campaign_id(session: Session, queue_id: int) -> int | None:
    """The message campaign that writes to them; None where nobody does."""
    campaign = _campaign(session, queue_id)
    return campaign.id if campaign is not None else None


def set_message(session: Session, queue_id: int, wanted: Apology | None, user_id: int | None) -> None:
    """Turn the message on, change it, or turn it off (None); audited. Whoever waits for the old one does not get it.

    Raises InvalidInput for the wording, NotFound where the queue is no campaign's."""
    if wanted == of(session, queue_id):
        return
    if wanted is not None and not wanted.sender.strip():
        raise InvalidInput({"sender": _("This installation has no number to send messages from.")})
    before = _campaign(session, queue_id)
    if before is not None:
        campaigns.stop(session, before.id, "apology_changed", user_id)
    if wanted is not None:
        row = insert(ApologyMessage).values(
            queue_id=queue_id, message_campaign_id=_begin(session, queue_id, wanted, user_id)
        )
        session.execute(row.on_conflict_do_update(
            index_elements=["queue_id"], set_={"message_campaign_id": row.excluded.message_campaign_id}
        ))  # fmt: skip
    audit.record(session, user_id, "queues.set_apology", f"queue/{queue_id}", is_on=wanted is not None)


def add(session: Session, call_id: UUID) -> None:
    """A call was abandoned: its person is written to when the campaign wants that, and their line takes messages."""
    found = session.execute(
        select(MessageCampaign.id, MessageCampaign.state, Contact.id, Attempt.phone)
        .select_from(Call)
        .join(Attempt, Attempt.id == Call.id)
        .join(Contact, Contact.id == Attempt.contact_id)
        .join(ApologyMessage, ApologyMessage.queue_id == Call.queue_id)
        .join(MessageCampaign, MessageCampaign.id == ApologyMessage.message_campaign_id)
        .where(Call.id == call_id, MessageCampaign.state.in_(TAKES), Call.direction == "out")
        .where(Contact.line_kind.is_distinct_from("landline"), Contact.extension.is_(None))
    ).first()
    if found is None:
        return
    campaign_id, state, contact_id, phone = found
    row = {"id": uuid4(), "campaign_id": campaign_id, "contact_id": contact_id, "phone": phone, "state": states.PLANNED}
    session.execute(insert(Message).values(row).on_conflict_do_nothing())
    if state == "running":
        send_later(session)


def _begin(session: Session, queue_id: int, wanted: Apology, user_id: int | None) -> int:
    """A message campaign that runs, with nobody in it yet."""
    calling = session.scalar(select(CallCampaign).where(CallCampaign.queue_id == queue_id))
    if calling is None:
        raise NotFound(_("There is no such calling campaign."))
    queue = calling.queue
    plan = MessagePlan(
        name=_("Apology: %(name)s", name=calling.name), segment_id=calling.segment_id, purpose=queue.purpose,
        text=wanted.text, sender=wanted.sender, carrier=channels.carrier(), on_behalf_of=queue.on_behalf_of,
        frozen_segment_id=calling.frozen_segment_id,
    )  # fmt: skip
    made = campaigns.create(session, plan, user_id)
    made.is_standing, made.launched_at, made.planned_at = True, real_now(), real_now()
    made.segment_version = calling.segment_version
    for state in ("planning", "running"):
        campaigns.set_state(session, made.id, state, None, user_id)
    return made.id


def _campaign(session: Session, queue_id: int) -> MessageCampaign | None:
    return session.scalar(
        select(MessageCampaign)
        .join(ApologyMessage, ApologyMessage.message_campaign_id == MessageCampaign.id)
        .where(ApologyMessage.queue_id == queue_id, MessageCampaign.state.in_(TAKES))
    )
