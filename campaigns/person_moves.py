"""How messages follow a person who is merged with another row of theirs."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, aliased

from callcenter.people import merges, row_memory
from campaigns.channels.channel_addresses import ChannelAddress
from campaigns.correspondence import conversation_keeping
from campaigns.dispatch import message_states as states
from campaigns.dispatch.sender_tables import StickySender
from campaigns.inbox import InboundMessage
from campaigns.messages import Message
from campaigns.segmenting.frozen_segments import FrozenMember
from campaigns.texts.clicks import MessageClick

# Of two messages of one campaign the person's is the one that got furthest.
_FURTHEST_FIRST = (states.DELIVERED, states.SENT, states.ACCEPTED, states.UNKNOWN, states.SENDING, states.UNDELIVERED,
                   states.FAILED, states.PLANNED, states.STOPPED, states.EXCLUDED)  # fmt: skip


def compose() -> None:
    """Register the movers of this floor."""
    merges.register_mover("messages", move_messages, move_messages_back)
    merges.register_mover("inbound_messages", *merges.column_mover(InboundMessage.contact_id))
    merges.register_mover("conversations", conversation_keeping.move, conversation_keeping.move_back)
    merges.register_mover("message_clicks", *merges.column_mover(MessageClick.contact_id))
    merges.register_mover("channel_addresses", *merges.column_mover(ChannelAddress.contact_id))
    merges.register_mover("frozen_members", move_members, move_members_back)
    merges.register_mover("sticky_senders", move_senders, move_senders_back)


def move_messages(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """A campaign writes to a person once: of two rows in one campaign, one loses its person (nothing more is sent by
    it) and stays in the campaign's sums."""
    own, other = aliased(Message), aliased(Message)
    same_campaign = (own.campaign_id == other.campaign_id) & (own.contact_id == kept_id)
    shared = session.execute(
        select(own.id, own.state, other.id, other.state).join(other, same_campaign & (other.contact_id == removed_id))
    ).all()
    parted = {"kept": [], "removed": []}  # type: dict[str, list[str]]
    for mine, my_state, theirs, their_state in shared:
        loses_mine = _FURTHEST_FIRST.index(their_state) < _FURTHEST_FIRST.index(my_state)
        parted["kept" if loses_mine else "removed"].append(str(mine if loses_mine else theirs))
    _point(session, [*parted["kept"], *parted["removed"]], None)
    ids = row_memory.moved(session, Message.contact_id, kept_id, of=removed_id)
    return {"ids": ids, **parted}


def move_messages_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    row_memory.moved(session, Message.contact_id, removed_id, of=kept_id, ids=memory["ids"])
    _point(session, memory["kept"], kept_id)
    _point(session, memory["removed"], removed_id)


def _point(session: Session, ids: list[str], contact_id: int | None) -> None:
    session.execute(
        update(Message).where(Message.id.in_(ids)).values(contact_id=contact_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def move_members(session: Session, kept_id: int, removed_id: int) -> dict[str, list[int]]:
    """Frozen lists in which the removed person stood; the kept one stands in each once. Returns the lists."""
    lists = list(session.scalars(select(FrozenMember.frozen_id).where(FrozenMember.contact_id == removed_id)))
    session.execute(delete(FrozenMember).where(FrozenMember.contact_id == removed_id))
    own = select(FrozenMember.frozen_id).where(FrozenMember.contact_id == kept_id)
    new = [one for one in lists if one not in set(session.scalars(own))]
    row_memory.put_back(session, FrozenMember, [{"frozen_id": one, "contact_id": kept_id} for one in new])
    return {"lists": lists, "new": new}


def move_members_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, list[int]]) -> None:
    gone = delete(FrozenMember).where(FrozenMember.contact_id == kept_id, FrozenMember.frozen_id.in_(memory["new"]))
    session.execute(gone)
    rows = [{"frozen_id": one, "contact_id": removed_id} for one in memory["lists"]]
    row_memory.put_back(session, FrozenMember, rows)


def move_senders(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """The senders that wrote to the removed person; the kept one keeps their own where both have one."""
    theirs = _senders_of(session, removed_id)
    session.execute(delete(StickySender).where(StickySender.contact_id == removed_id))
    own = {row["sender_id"] for row in _senders_of(session, kept_id)}
    new = [row for row in theirs if row["sender_id"] not in own]
    row_memory.put_back(session, StickySender, [{**row, "contact_id": kept_id} for row in new])
    return {"senders": theirs, "new": [row["sender_id"] for row in new]}


def move_senders_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    gone = StickySender.sender_id.in_(memory["new"])
    session.execute(delete(StickySender).where(StickySender.contact_id == kept_id, gone))
    row_memory.put_back(session, StickySender, [{**row, "contact_id": removed_id} for row in memory["senders"]])


def _senders_of(session: Session, contact_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(StickySender.sender_id, StickySender.last_at).where(StickySender.contact_id == contact_id)
    )
    return [{"sender_id": sender_id, "last_at": last_at.isoformat()} for sender_id, last_at in rows]
