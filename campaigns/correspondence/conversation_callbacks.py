"""From a conversation to a call: the person is promised one by a campaign that calls, at a time in plain words."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base import audit
from callcenter.base.clock import campaign_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from callcenter.gate import rulebook
from callcenter.places import zones
from callcenter.queueing import callbacks, plain_time, queue_entries
from callcenter.queueing.queue_entries import WITHDRAWN
from callcenter.queueing.queue_tables import CallQueue, QueueEntry
from campaigns.calling import CallCampaign
from campaigns.correspondence.conversations import Conversation

OPEN = ("running", "paused")


def choices(session: Session) -> list[tuple[int, str]]:
    """The campaigns that may call back: (queue id, name), those that run and are answered by operators."""
    rows = session.execute(
        select(CallQueue.id, CallQueue.name)
        .join(CallCampaign, CallCampaign.queue_id == CallQueue.id)
        .where(CallQueue.state.in_(OPEN), CallQueue.answered_by == "operator")
        .order_by(CallQueue.id.desc())
    )
    return [(row.id, row.name) for row in rows]


def suggestions(session: Session, conversation: Conversation) -> list[tuple[datetime, str]]:
    """Times worth a button, where the person lives, with their words."""
    contact = _contact(session, conversation)
    now, book = campaign_now(session), rulebook.read(session)
    there = zones.zones_of(contact.state, contact.municipality, contact.phone)
    times = plain_time.suggestions(now.astimezone(there[0]), callbacks.hours_there(book.hours_on, there))
    return [(at, callbacks.spoken(at, now, short=True)) for at in times]


def promise(session: Session, conversation: Conversation, queue_id: int, words: str, user_id: int) -> datetime:
    """Let the campaign call the person back at the time that `words` say («mañana 6 pm»); audited. Returns the time,
    where they live. Raises InvalidInput with a sentence, Refused for who may not be called."""
    contact = _contact(session, conversation)
    if queue_id not in dict(choices(session)):
        raise InvalidInput({"queue": _("Choose a campaign of calls that runs or is paused.")})
    if suppressions.find(session, contact.phone) is not None:
        raise Refused("suppressed", _("This phone asked not to be contacted again."))
    there = zones.zones_of(contact.state, contact.municipality, contact.phone)
    at = _moment(session, words, there)
    queue_entries.promise_callback(session, _entry(session, queue_id, contact.id), at, None)
    audit.record(session, user_id, "inbox.promise_callback", f"conversation/{conversation.id}", queue=queue_id)
    tell_later(session, f"queue/{queue_id}")
    tell_later(session, "dialer")
    return at


def _moment(session: Session, words: str, there: tuple[ZoneInfo, ...]) -> datetime:
    now, book = campaign_now(session), rulebook.read(session)
    try:
        return callbacks.from_words(words, now, there, book.hours_on)
    except InvalidInput as fault:
        raise InvalidInput({"when": fault.faults["callback"]}) from None


def _entry(session: Session, queue_id: int, contact_id: int) -> int:
    """The person's place in the queue, made now if they have none. Raises Refused for who is out of it for good."""
    place = insert(QueueEntry).values(queue_id=queue_id, contact_id=contact_id).on_conflict_do_nothing()
    session.execute(place)
    entry = session.scalars(
        select(QueueEntry).where(QueueEntry.queue_id == queue_id, QueueEntry.contact_id == contact_id)
        .with_for_update().execution_options(populate_existing=True)
    ).one()  # fmt: skip
    if entry.state == "calling":
        raise Refused("in_call", _("This campaign is calling the person right now."))
    if entry.state == "excluded" and entry.reason in WITHDRAWN:
        raise Refused("withdrawn", _("The person was taken out of this campaign for good. Choose another one."))
    return entry.id


def _contact(session: Session, conversation: Conversation) -> Contact:
    contact = session.get(Contact, conversation.contact_id) if conversation.contact_id else None
    if contact is None:
        raise Refused("unknown_person", _("Nobody on our lists writes from there: nobody can be called back."))
    return contact
