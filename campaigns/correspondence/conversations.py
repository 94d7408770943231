"""Conversations: what one person and we write each other, on every channel, and who of us answers.

open ⇄ resolved. A conversation waits from the first message that nobody has answered; whoever resolves or answers it
ends the waiting, and whatever the person writes later opens it again for the same colleague.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, case, func, null, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.auth import Role, User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import tell_later

OPEN, RESOLVED = "open", "resolved"
STALE = timedelta(hours=2)
ANSWER = ("operator", "supervisor", "strategist", "administrator")  # the roles that may be given one


class Conversation(Base):
    """There is one a person; of somebody whom we do not know, one a phone, and where there is none, one an address.

    `channel` and `address`: where the person wrote last, to which an answer goes (E.164, or what the channel calls
    them). `campaign_id`: the campaign that they answer. Times are real. `resolution`: resolved | opt_out | earlier."""

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'resolved')", name="state"),
        Index("uq_conversations_contact_id", "contact_id", unique=True,
              postgresql_where=text("contact_id IS NOT NULL")),
        Index("uq_conversations_phone", "phone", unique=True,
              postgresql_where=text("contact_id IS NULL AND phone IS NOT NULL")),
        Index("uq_conversations_channel_address", "channel", "address", unique=True,
              postgresql_where=text("contact_id IS NULL AND phone IS NULL")),
        Index("ix_conversations_state_waiting_since", "state", "waiting_since", "id"),
        Index("ix_conversations_last_at", "last_at", "id"),
        Index("ix_conversations_assigned_to", "assigned_to", postgresql_where=text("assigned_to IS NOT NULL")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    phone: Mapped[str | None]
    channel: Mapped[str]
    address: Mapped[str | None]
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("message_campaigns.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(default=OPEN, server_default=OPEN)
    resolution: Mapped[str | None]
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime] = mapped_column(default=real_now)
    waiting_since: Mapped[datetime | None]
    last_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Heard:
    """A message that came in. `answers`: the campaign it probably answers. `sent_by`: who let that message go, when a
    person did: the answer is theirs. `is_opt_out`: nobody is to be answered any more."""

    contact_id: int | None
    phone: str | None
    channel: str
    address: str | None
    is_opt_out: bool
    answers: int | None = None
    sent_by: int | None = None


def hear(session: Session, heard: Heard) -> int:
    """Open the conversation of whoever wrote, or go on with it; returns its id. One statement, so that two replies of
    a moment meet in one conversation."""
    now = real_now()
    state = RESOLVED if heard.is_opt_out else OPEN
    since = None if heard.is_opt_out else now
    row = insert(Conversation).values(
        contact_id=heard.contact_id, phone=heard.phone, channel=heard.channel, address=heard.address,
        campaign_id=heard.answers, assigned_to=heard.sent_by, opened_at=now, last_at=now, state=state,
        waiting_since=since, resolution="opt_out" if heard.is_opt_out else None,
    )  # fmt: skip
    found = session.execute(_or_go_on(row, heard).returning(Conversation.id, Conversation.assigned_to)).one()
    _tell(session, found.assigned_to)
    return int(found.id)


def _or_go_on(row: Insert, heard: Heard) -> Insert:
    """The same person, or phone, or address, has a conversation already: it wakes up."""
    old, new = Conversation, row.excluded
    waits = null() if heard.is_opt_out else func.coalesce(old.waiting_since, new.waiting_since)
    return row.on_conflict_do_update(
        index_elements=_key(heard), index_where=text(_WHERE[tuple(_key(heard))]),
        set_={
            "phone": func.coalesce(new.phone, old.phone), "channel": new.channel, "address": new.address,
            "campaign_id": func.coalesce(new.campaign_id, old.campaign_id), "state": new.state,
            "resolution": new.resolution, "last_at": new.last_at, "waiting_since": waits,
            "assigned_to": func.coalesce(old.assigned_to, new.assigned_to),
        },
    )  # fmt: skip


_WHERE = {
    ("contact_id",): "contact_id IS NOT NULL",
    ("phone",): "contact_id IS NULL AND phone IS NOT NULL",
    ("channel", "address"): "contact_id IS NULL AND phone IS NULL",
}


def _key(heard: Heard) -> list[str]:
    if heard.contact_id is not None:
        return ["contact_id"]
    return ["phone"] if heard.phone is not None else ["channel", "address"]


def find(session: Session, conversation_id: int, *, of_user: int | None = None) -> Conversation:
    """Raises NotFound, also for one that is not `of_user`'s, when they may see their own only."""
    return _seen(session.get(Conversation, conversation_id), of_user)


def lock(session: Session, conversation_id: int, *, of_user: int | None = None) -> Conversation:
    """The conversation, fresh and locked until the caller's commit. Raises NotFound as `find`."""
    return _seen(session.get(Conversation, conversation_id, with_for_update=True, populate_existing=True), of_user)


def _seen(found: Conversation | None, of_user: int | None) -> Conversation:
    if found is None or (of_user is not None and found.assigned_to != of_user):
        raise NotFound(_("There is no such conversation, or it is a colleague's."))
    return found


def assign(session: Session, ids: Collection[int], to: int | None, user_id: int) -> int:
    """Give conversations to a colleague, or to nobody; audited; returns how many there were. Raises InvalidInput."""
    if to is not None and to not in dict(colleagues(session)):
        raise InvalidInput({"to": _("Choose a colleague who works here and may answer.")})
    rows = session.execute(
        select(Conversation).where(Conversation.id.in_(ids)).order_by(Conversation.id).with_for_update()
    ).scalars().all()  # fmt: skip
    for row in rows:
        _tell(session, row.assigned_to)
        row.assigned_to = to
        audit.record(session, user_id, "inbox.assign", f"conversation/{row.id}", to=to)
    _tell(session, to)
    return len(rows)


def take_next(session: Session, user_id: int) -> Conversation | None:
    """Give whoever has waited longest and is nobody's to this person; None when nobody waits. Two who ask at once get
    two."""
    free = (
        select(Conversation)
        .where(Conversation.state == OPEN, Conversation.waiting_since.is_not(None), Conversation.assigned_to.is_(None))
        .order_by(Conversation.waiting_since, Conversation.id).limit(1).with_for_update(skip_locked=True)
    )  # fmt: skip
    found = session.scalars(free).first()
    if found is not None:
        assign(session, [found.id], user_id, user_id)
    return found


def resolve(session: Session, ids: Collection[int], user_id: int, *, of_user: int | None = None) -> int:
    """Nothing more is to be said for now; audited; returns how many were open. `of_user`: only theirs."""
    return _move(session, ids, RESOLVED, user_id, of_user)


def reopen(session: Session, ids: Collection[int], user_id: int, *, of_user: int | None = None) -> int:
    """Back among the open ones, as somebody who waits since now."""
    return _move(session, ids, OPEN, user_id, of_user)


def _move(session: Session, ids: Collection[int], state: str, user_id: int, of_user: int | None) -> int:
    wanted = [Conversation.id.in_(ids), Conversation.state != state]
    if of_user is not None:
        wanted.append(Conversation.assigned_to == of_user)
    is_over = state == RESOLVED
    moved = session.execute(
        update(Conversation).where(*wanted)
        .values(state=state, resolution="resolved" if is_over else None,
                waiting_since=None if is_over else real_now())
        .returning(Conversation.id, Conversation.assigned_to).execution_options(synchronize_session="fetch")
    ).all()  # fmt: skip
    for row in moved:
        audit.record(session, user_id, f"inbox.{'resolve' if is_over else 'reopen'}", f"conversation/{row.id}")
        _tell(session, row.assigned_to)
    return len(moved)


def answered(session: Session, conversation: Conversation) -> None:
    """Somebody wrote back: nobody waits here any more."""
    conversation.waiting_since, conversation.last_at = None, real_now()
    _tell(session, conversation.assigned_to)


def sweep(session: Session) -> int:
    """Give back what has waited for STALE in the hands of one colleague: nobody waits for somebody who went home.
    Returns how many that were; audited."""
    too_long = (Conversation.assigned_to.is_not(None), Conversation.waiting_since < real_now() - STALE)
    rows = session.scalars(
        select(Conversation).where(Conversation.state == OPEN, *too_long).order_by(Conversation.id).limit(1_000)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    for row in rows:
        _tell(session, row.assigned_to)
        audit.record(session, None, "inbox.give_back", f"conversation/{row.id}", was=row.assigned_to)
        row.assigned_to = None
    return len(rows)


def colleagues(session: Session) -> list[tuple[int, str]]:
    """Who may be given a conversation: (user id, name), by name."""
    rows = session.execute(
        select(User.id, User.full_name)
        .where(User.active, User.roles.any(Role.name.in_(ANSWER)))
        .order_by(User.full_name, User.id)
    )
    return [(row.id, row.full_name) for row in rows]


def waiting(session: Session, user_id: int | None = None) -> dict[str, int]:
    """How many conversations are open, wait for an answer, and wait for nobody's; of one person, or of everybody."""
    is_waiting = Conversation.waiting_since.is_not(None)
    counts = select(
        func.count().label("open"), func.count().filter(is_waiting).label("waiting"),
        func.count().filter(is_waiting, Conversation.assigned_to.is_(None)).label("unassigned"),
        func.max(case((is_waiting, Conversation.id), else_=0)).label("newest"),
    ).where(Conversation.state == OPEN)  # fmt: skip
    if user_id is not None:
        counts = counts.where(Conversation.assigned_to == user_id)
    row = session.execute(counts).one()
    return {name: int(row._mapping[name] or 0) for name in ("open", "waiting", "unassigned", "newest")}


def _tell(session: Session, assigned_to: int | None) -> None:
    """Let the inboxes that show it look again, after the commit: everybody's, and the one colleague's."""
    tell_later(session, "inbox")
    if assigned_to is not None:
        tell_later(session, f"inbox/{assigned_to}")
