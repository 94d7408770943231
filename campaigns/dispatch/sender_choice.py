"""Which sender of a campaign's carries a message: who has written to the person before does so again; a new person goes
to the one that is free first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from campaigns.dispatch.sender_budget import Budget

_KNOWN = text("""
    SELECT DISTINCT ON (contact_id) contact_id, sender_id FROM sticky_senders
    WHERE contact_id = ANY(:people) AND sender_id = ANY(:senders) ORDER BY contact_id, last_at DESC
""")
_REMEMBER = text("""
    INSERT INTO sticky_senders (contact_id, sender_id, last_at)
    SELECT person, sender, clock_timestamp() FROM unnest(CAST(:people AS bigint[]), CAST(:senders AS int[]))
        AS said(person, sender)
    WHERE EXISTS (SELECT FROM contacts WHERE contacts.id = person) ORDER BY person
    ON CONFLICT (contact_id, sender_id) DO UPDATE SET last_at = excluded.last_at
""")


@dataclass(frozen=True)
class Wish:
    """A message that needs a sender. `contact_id` None: nobody we know, who sticks to none."""

    id: UUID
    contact_id: int | None
    parts: int


@dataclass
class Choice:
    """`carried`: message → (its sender's budget, monotonic moment at which it leaves). `late`: those whose own
    sender is spoken for just now. Who is in neither did not fit."""

    carried: dict[UUID, tuple[Budget, float]] = field(default_factory=dict)
    late: list[UUID] = field(default_factory=list)


def choose(session: Session, budgets: Sequence[Budget], wishes: Sequence[Wish], *, sticks: bool) -> Choice:
    """Give each message a sender while there is room, in order; the budgets' time is taken. `sticks`: a person keeps
    their sender, and it is remembered who wrote to them."""
    choice = Choice()
    if not budgets:
        return choice
    own = _known(session, budgets, wishes) if sticks else {}
    for wish in wishes:
        kept = own.get(wish.contact_id) if wish.contact_id is not None else None
        budget = kept or min(budgets, key=lambda one: one.cursor)
        leaves_at = budget.take(wish.parts)
        if leaves_at is not None:
            choice.carried[wish.id] = budget, leaves_at
        elif kept is not None:
            choice.late.append(wish.id)
    if sticks:
        _remember(session, choice, wishes)
    return choice


def _known(session: Session, budgets: Sequence[Budget], wishes: Sequence[Wish]) -> dict[int, Budget]:
    by_sender = {one.sender_id: one for one in budgets}
    people = [wish.contact_id for wish in wishes if wish.contact_id is not None]
    rows = session.execute(_KNOWN, {"people": people, "senders": list(by_sender)})
    return {row.contact_id: by_sender[row.sender_id] for row in rows}


def _remember(session: Session, choice: Choice, wishes: Sequence[Wish]) -> None:
    pairs = {
        wish.contact_id: choice.carried[wish.id][0].sender_id
        for wish in wishes
        if wish.contact_id is not None and wish.id in choice.carried
    }
    if pairs:
        session.execute(_REMEMBER, {"people": list(pairs), "senders": list(pairs.values())})
