"""The lists of the inbox: who waits, whose they are, and who comes after whom."""

from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Row, Select, exists, false, select, true, tuple_
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.contacts import Contact
from campaigns.correspondence.conversations import OPEN, RESOLVED, Conversation
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign

# code -> label, in the order of the page; operators, who see their own only, choose among OWN.
SHOWN: dict[str, LazyString] = {
    "waiting": _l("Waiting"),
    "mine": _l("Mine"),
    "unassigned": _l("Nobody's"),
    "doubtful": _l("To decide"),
    "open": _l("Open ones"),
    "resolved": _l("Resolved"),
    "opt_out": _l("Opt-outs"),
    "all": _l("All of them"),
}
OWN = ("waiting", "doubtful", "open", "resolved", "all")
LONGEST_WAITING_FIRST = frozenset({"waiting", "mine", "unassigned", "doubtful", "open"})


@dataclass(frozen=True)
class Wanted:
    """Which list: `show` is a code of SHOWN. `reader`: who looks. `is_own`: they see what is theirs only."""

    show: str
    reader: int
    is_own: bool = False
    campaign_id: int | None = None


def read(session: Session, wanted: Wanted, *, limit: int, offset: int = 0) -> list[Row[Any]]:
    """columns: Conversation, contact_name, assigned_name, campaign_name; inbound_id, text and is_doubtful of what came
    last (of what is to be decided, in the list of those)"""
    said: list[ColumnElement[bool]] = [InboundMessage.conversation_id == Conversation.id]
    if wanted.show == "doubtful":
        said.append(InboundMessage.is_doubtful.is_(True))
    last = (
        select(InboundMessage.id.label("inbound_id"), InboundMessage.text, InboundMessage.is_doubtful)
        .where(*said)
        .order_by(InboundMessage.id.desc()).limit(1).lateral("last")
    )  # fmt: skip
    query = (
        select(Conversation, Contact.name.label("contact_name"), User.full_name.label("assigned_name"),
               MessageCampaign.name.label("campaign_name"), last.c.inbound_id, last.c.text, last.c.is_doubtful)
        .outerjoin(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(User, User.id == Conversation.assigned_to)
        .outerjoin(MessageCampaign, MessageCampaign.id == Conversation.campaign_id)
        .outerjoin(last, true())
    )  # fmt: skip
    return list(session.execute(_ordered(query.where(*_which(wanted)), wanted.show).limit(limit).offset(offset)))


def neighbours(session: Session, wanted: Wanted, conversation: Conversation) -> tuple[int | None, int | None]:
    """The ids before and after this conversation in the list, whether it still stands there or not."""
    ids = select(Conversation.id).where(*_which(wanted), Conversation.id != conversation.id)
    place: tuple[Any, Any]
    if wanted.show not in LONGEST_WAITING_FIRST:
        place, own = (Conversation.last_at, Conversation.id), (conversation.last_at, conversation.id)
        before = ids.where(tuple_(*place) > tuple_(*own)).order_by(*place)
        after = ids.where(tuple_(*place) < tuple_(*own))
    elif conversation.waiting_since is None:  # answered or resolved just now: the next is who waits longest
        return None, session.scalar(_ordered(ids, wanted.show).limit(1))
    else:
        place, own = (Conversation.waiting_since, Conversation.id), (conversation.waiting_since, conversation.id)
        sooner = tuple_(*place) < tuple_(*own)
        before = ids.where(sooner).order_by(Conversation.waiting_since.desc(), Conversation.id.desc())
        after = ids.where(sooner.is_not(True))  # those who do not wait come last
    return session.scalar(before.limit(1)), session.scalar(_ordered(after, wanted.show).limit(1))


def has_doubtful(session: Session, wanted: Wanted) -> bool:
    """Is there anything for a person to decide?"""
    query = select(Conversation.id).where(*_which(Wanted("doubtful", wanted.reader, wanted.is_own))).limit(1)
    return session.execute(query).first() is not None


def _ordered(query: Select[Any], show: str) -> Select[Any]:
    if show in LONGEST_WAITING_FIRST:
        return query.order_by(Conversation.waiting_since.asc().nulls_last(), Conversation.id)
    return query.order_by(Conversation.last_at.desc(), Conversation.id.desc())


def _which(wanted: Wanted) -> list[ColumnElement[bool]]:
    is_waiting = Conversation.waiting_since.is_not(None)
    doubtful = exists().where(InboundMessage.conversation_id == Conversation.id, InboundMessage.is_doubtful)
    found = {
        "waiting": (Conversation.state == OPEN) & is_waiting,
        "mine": (Conversation.state == OPEN) & (Conversation.assigned_to == wanted.reader),
        "unassigned": (Conversation.state == OPEN) & is_waiting & Conversation.assigned_to.is_(None),
        "doubtful": doubtful,
        "open": Conversation.state == OPEN,
        "resolved": Conversation.state == RESOLVED,
        "opt_out": Conversation.resolution == "opt_out",
        "all": true(),
    }.get(wanted.show, false())
    which: list[ColumnElement[bool]] = [found]
    if wanted.is_own:
        which.append(Conversation.assigned_to == wanted.reader)
    if wanted.campaign_id is not None:
        which.append(Conversation.campaign_id == wanted.campaign_id)
    return which
