"""The certificate of a message campaign: planned = delivered + failed + excluded + stopped + unknown + still open, for
the whole list, and what the ledger itself can say against it. Row by row it is `rows`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, String, case, exists, func, literal, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from campaigns.dispatch import message_rows as rows_
from campaigns.dispatch import message_states as states
from campaigns.messages import TEST, Message, MessageReceipt

AT_ONCE = 2_000  # rows of the file read at a time
COLUMNS = (
    "message", "kind", "contact", "section", "wording", "state", "refusal", "error", "parts", "billed_parts",
    "unit_price", "provider_ref", "sent_at", "finished_at",
)  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """Of the list. `by_state` has every state; `by_reason` (refusal) sums to the excluded, `by_error` to the failed and
    undelivered. `tests` and `conversations`: rows beside the list. `as_of`: real time."""

    planned: int
    by_state: dict[str, int]
    by_reason: dict[str, int]
    by_error: dict[str, int]
    tests: int
    conversations: int
    as_of: datetime

    @property
    def by_kind(self) -> dict[str, int]:
        """The same sum in few words: kind (message_rows.KINDS) → people."""
        return {kind: sum(self.by_state[state] for state in members) for kind, members in rows_.KINDS.items()}

    @property
    def without_state(self) -> int:
        """Rows whose end is not known and that are not shown as unknown either."""
        return self.by_kind["open"]

    @property
    def unknown(self) -> int:
        return self.by_state[states.UNKNOWN]

    @property
    def unknown_share(self) -> float:
        return self.unknown / self.planned if self.planned else 0.0

    @property
    def is_closed(self) -> bool:
        """Has everybody an end that will not change any more?"""
        return self.planned > 0 and not self.without_state and not self.unknown


@dataclass(frozen=True)
class Checks:
    """What would speak against the certificate; all 0 when it holds. `phones_twice`: phones or addresses to which two
    messages of the list left. `names_shared`: names of the provider that two rows bear. `names_second`: messages of
    which the provider spoke under two names: it took them twice. `untried`: left without a row in the history."""

    phones_twice: int
    names_shared: int
    names_second: int
    untried: int

    @property
    def hold(self) -> bool:
        return not (self.phones_twice or self.names_shared or self.names_second or self.untried)


def read(session: Session, campaign_id: int) -> Certificate:
    """One pass over the campaign's rows."""
    is_list = rows_.of_list(campaign_id)
    which = case((is_list, "list"), (Message.wave == TEST, "test"), else_="conversation").label("which")
    found = session.execute(
        select(which, Message.state, Message.refusal, Message.error_code, func.count().label("n"))
        .where(Message.campaign_id == campaign_id)
        .group_by(which, Message.state, Message.refusal, Message.error_code)
    ).all()
    listed = [row for row in found if row.which == "list"]
    by_state = {state: sum(row.n for row in listed if row.state == state) for state in states.NEXT}
    return Certificate(
        planned=sum(by_state.values()),
        by_state=by_state,
        by_reason=_sums(listed, "refusal", (states.EXCLUDED,)),
        by_error=_sums(listed, "error_code", rows_.KINDS["failed"]),
        tests=sum(row.n for row in found if row.which == "test"),
        conversations=sum(row.n for row in found if row.which == "conversation"),
        as_of=real_now(),
    )


def check(session: Session, campaign_id: int) -> Checks:
    """Look at every row and receipt for what must not be; some seconds for a million."""
    left = rows_.of_list(campaign_id), rows_.was_left()
    whom = func.coalesce(Message.phone, Message.address)
    phones = select(whom).where(*left, whom.is_not(None)).group_by(whom).having(func.count() > 1).subquery()
    names = (
        select(Message.provider_ref).where(*left, Message.provider_ref.is_not(None))
        .group_by(Message.provider_ref).having(func.count() > 1).subquery()
    )  # fmt: skip
    told = MessageReceipt.payload["MessageSid"].as_string()
    second = (
        select(func.count(Message.id.distinct())).join(MessageReceipt, MessageReceipt.message_id == Message.id)
        .where(*left, told != Message.provider_ref)
    )  # fmt: skip
    untried = select(func.count()).where(*left, ~exists().where(Attempt.id == Message.id))
    return Checks(
        session.scalar(select(func.count()).select_from(phones)) or 0,
        session.scalar(select(func.count()).select_from(names)) or 0,
        session.scalar(second) or 0,
        session.scalar(untried) or 0,
    )


def rows(session: Session, campaign_id: int) -> Iterator[Row[*tuple[Any, ...]]]:
    """Every row, the list's and those beside it, with COLUMNS: codes, numbers and times, no phone, name or text."""
    which = case(
        (rows_.of_list(campaign_id), "list"), (Message.wave == TEST, "test"), else_=literal("conversation", String)
    )
    return iter(session.execute(
        select(Message.id, which, Message.contact_id, Contact.section_number, Message.wording, Message.state,
               Message.refusal, Message.error_code, Message.parts, Message.provider_parts, Message.unit_price,
               Message.provider_ref, Message.sent_at, Message.finished_at)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(Message.campaign_id == campaign_id),
        execution_options={"yield_per": AT_ONCE},
    ))  # fmt: skip


def _sums(found: list[Row[Any]], column: str, of: tuple[str, ...]) -> dict[str, int]:
    """code → rows, the most frequent first; "" where no code was given."""
    sums: dict[str, int] = {}
    for row in found:
        if row.state in of:
            code = row._mapping[column] or ""
            sums[code] = sums.get(code, 0) + row.n
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))
