"""The people of a message campaign whom one thing became of: the rows behind a figure of its page."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from callcenter.contacts import Contact
from campaigns.dispatch import message_rows as rows
from campaigns.dispatch import message_states as states
from campaigns.messages import Message

MOST = 200  # rows shown; the file of the certificate has all


@dataclass(frozen=True)
class Wanted:
    """Which rows: a state or a kind of states (message_rows.KINDS), a reason, an error, a wording; "" is any."""

    state: str = ""
    reason: str = ""
    error: str = ""
    wording: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        return rows.KINDS.get(self.state, (self.state,)) if self.state else tuple(states.NEXT)


def listed(session: Session, campaign_id: int, wanted: Wanted) -> list[Row[Any]]:
    """At most MOST of them, in no order (a million need none): columns Message, name (None: erased, or a test)."""
    query = (
        select(Message, Contact.name.label("name"))
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(rows.of_list(campaign_id), Message.state.in_(wanted.states))
        .limit(MOST)
    )
    for column, value in (
        (Message.refusal, wanted.reason), (Message.error_code, wanted.error), (Message.wording, wanted.wording),
    ):  # fmt: skip
        query = query.where(column == value) if value else query
    return list(session.execute(query))
