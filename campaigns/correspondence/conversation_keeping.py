"""How conversations follow a person who is merged, and how they go with one who is erased or blocked."""

from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from callcenter.people import row_memory
from callcenter.privacy.person_register import Gone
from campaigns.correspondence.conversations import RESOLVED, Conversation
from campaigns.inbox import InboundMessage


def move(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """Two conversations become one: of the two the kept person's goes on, with what waits in either."""
    lost = _of(session, removed_id)
    if lost is None:
        return {}
    kept = _of(session, kept_id)
    if kept is None:
        lost.contact_id = kept_id
        session.flush()
        return {"moved": lost.id}
    (before,) = row_memory.remembered(session, Conversation, Conversation.id == kept.id)
    (gone,) = row_memory.remembered(session, Conversation, Conversation.id == lost.id)
    ids = _point(session, lost.id, kept.id)
    waits = [one.waiting_since for one in (kept, lost) if one.waiting_since is not None]
    kept.waiting_since, kept.last_at = min(waits, default=None), max(kept.last_at, lost.last_at)
    kept.state = kept.state if kept.state == lost.state else "open"
    kept.assigned_to = kept.assigned_to or lost.assigned_to
    session.delete(lost)
    session.flush()
    return {"gone": gone, "before": before, "inbound": ids}


def move_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    """Exactly what `move` did, undone; a conversation that was erased since then stays gone."""
    if "moved" in memory:
        session.execute(
            update(Conversation).where(Conversation.id == memory["moved"], Conversation.contact_id == kept_id)
            .values(contact_id=removed_id).execution_options(synchronize_session="fetch")
        )  # fmt: skip
    if "gone" in memory:
        row_memory.put_back(session, Conversation, [memory["gone"]])
        _point(session, memory["before"]["id"], memory["gone"]["id"], memory["inbound"])
        changed = {name: memory["before"][name] for name in ("state", "waiting_since", "last_at", "assigned_to")}
        row_memory.write(session, Conversation, memory["before"]["id"], changed)


def block(session: Session, contact_id: int) -> int:
    """Nobody is answered whose data may not be used."""
    open_ones = update(Conversation).where(Conversation.contact_id == contact_id, Conversation.state != RESOLVED)
    over = open_ones.values(state=RESOLVED, resolution="blocked", waiting_since=None)
    return len(session.scalars(over.returning(Conversation.id)).all())


def erase(session: Session, gone: Gone) -> int:
    """The conversation goes; the replies stay as numbers, which the floor's keeper empties."""
    theirs = or_(Conversation.contact_id.in_(gone.ids), Conversation.phone.in_(gone.phones))
    statement = delete(Conversation).where(theirs).returning(Conversation.id)
    return len(session.scalars(statement.execution_options(synchronize_session=False)).all())


def _of(session: Session, contact_id: int) -> Conversation | None:
    found = select(Conversation).where(Conversation.contact_id == contact_id)
    return session.scalar(found.with_for_update().execution_options(populate_existing=True))


def _point(session: Session, of: int, to: int, ids: list[int] | None = None) -> list[int]:
    """Let the replies of one conversation belong to another; returns their ids. `ids`: only these."""
    which = [InboundMessage.conversation_id == of]
    if ids is not None:
        which.append(InboundMessage.id.in_(ids))
    change = update(InboundMessage).where(*which).values(conversation_id=to).returning(InboundMessage.id)
    return list(session.scalars(change.execution_options(synchronize_session=False)))
