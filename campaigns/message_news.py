"""What providers say of messages, in answers, receipts and look-ups: late, twice, in any order, or never."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, ProviderError
from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from campaigns import message_states as states
from campaigns.channels import Receipt
from campaigns.message_campaigns import MessageCampaign
from campaigns.message_claims import Outgoing
from campaigns.messages import Message, MessageReceipt, close

# https://www.twilio.com/docs/api/errors: the person told the carrier to stop; the phone is no mobile.
OPTED_OUT, LANDLINE = frozenset({"21610"}), frozenset({"21614", "30006"})
# An error of the account or the sender: everybody else would fail alike, so the campaign stops for a person to look.
STOPS_CAMPAIGN = frozenset({"20003", "20005", "20008", "21603", "21606", "21659", "21660"})
QUIET = timedelta(minutes=2)  # of silence, after which the provider is asked; doubled with each asking
GIVE_UP = timedelta(minutes=10)  # an unknown message that the provider's list does not show by then was never taken


@dataclass(frozen=True)
class Answer:
    """What became of one request: a receipt, or the error."""

    message_id: UUID
    result: Receipt | ProviderError


def record_sent(session: Session, answers: Iterable[Answer]) -> str | None:
    """Write what the provider answered to a batch. A receipt that came before the answer is not undone by it.

    Returns the code of an error that must stop the whole campaign, if there was one."""
    trouble: str | None = None
    taken: list[dict[str, Any]] = []
    again, doubtful = [], []
    for answer in answers:
        result = answer.result
        if isinstance(result, Receipt):
            taken.append({"b_id": answer.message_id, "b_ref": result.provider_ref})
            if result.state in states.FINAL:
                record_receipt(session, answer.message_id, result)
        elif result.unknown:
            doubtful.append(answer.message_id)
        elif result.permanent and result.code not in STOPS_CAMPAIGN:
            _fail(session, answer.message_id, result.code)
        else:
            again.append(answer.message_id)
            trouble = result.code if result.code in STOPS_CAMPAIGN else trouble
    _move_taken(session, taken)
    _move(session, doubtful, states.UNKNOWN)
    _move(session, again, states.PLANNED)
    return trouble


def record_receipt(session: Session, message_id: UUID, receipt: Receipt) -> None:
    """Keep the receipt raw, and move its message forward if the table of states allows it. Harmless twice.

    Raises NotFound when there is no such message."""
    kept = session.execute(
        insert(MessageReceipt)
        .from_select(
            ["message_id", "key", "payload", "at"],
            select(Message.id, bindparam("key", receipt.key), bindparam("payload", dict(receipt.payload),
                   MessageReceipt.payload.type), bindparam("at", real_now())).where(Message.id == message_id),
        )
        .on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )  # fmt: skip
    if not kept.rowcount and session.get(Message, message_id) is None:  # type: ignore[attr-defined]  # INSERT has it
        raise NotFound(_("There is no such message."))
    if receipt.state is None:
        return
    values = {
        "provider_ref": func.coalesce(Message.provider_ref, receipt.provider_ref),
        "error_code": func.coalesce(receipt.error_code, Message.error_code),
    }
    if receipt.state in states.FINAL:
        moved = close(session, Message.id == message_id, receipt.state, **values)
        if moved:
            _learn(session, message_id, receipt.error_code)
    else:
        _move(session, [message_id], receipt.state, **values)
    _tell(session, [message_id])


def silent(session: Session, limit: int, carrier: str) -> list[tuple[str, Outgoing]]:
    """Messages by `carrier` of which nobody has heard for a while, with their channel; each is asked for again after
    twice the time.

    Claimed by moving `news_at`: the caller commits, asks the provider, then writes `record_look_up`."""
    now = real_now()
    waited = func.greatest(QUIET, (Message.news_at - Message.sent_at))
    rows = session.execute(
        select(Message.id, Message.body, Message.parts, Message.sent_at, Message.provider_ref, Message.phone,
               MessageCampaign.sender, MessageCampaign.channel)
        .join(Attempt, Attempt.id == Message.id).join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .where(Message.state.in_([states.ACCEPTED, states.SENT, states.UNKNOWN]), Attempt.closed_at.is_(None),
               Message.body.is_not(None), Message.news_at < now - waited, MessageCampaign.carrier == carrier)
        .order_by(Message.news_at).limit(limit).with_for_update(of=Message, skip_locked=True)
    ).all()  # fmt: skip
    _touch(session, [row.id for row in rows], now)
    return [
        (row.channel, Outgoing(row.id, row.phone, row.sender, row.body, row.parts, row.sent_at, row.provider_ref))
        for row in rows
    ]


def record_look_up(session: Session, asked: Outgoing, found: Sequence[Receipt]) -> None:
    """What the provider's own list says of a message. Two that look alike leave it unknown: we do not guess."""
    ours = [one for one in found if not _belongs_to_another(session, asked.id, one.provider_ref)]
    if len(ours) == 1:
        record_receipt(session, asked.id, ours[0])
    elif not found and asked.provider_ref is None and real_now() - asked.sent_at > GIVE_UP:
        _fail(session, asked.id, "never_taken")


def _belongs_to_another(session: Session, message_id: UUID, provider_ref: str | None) -> bool:
    other = select(Message.id).where(Message.provider_ref == provider_ref, Message.id != message_id).limit(1)
    return session.execute(other).first() is not None


def _move_taken(session: Session, taken: list[dict[str, Any]]) -> None:
    if not taken:
        return
    may_accept = or_(*[Message.state == old for old in states.before(states.ACCEPTED)])
    session.connection().execute(
        update(Message.__table__)  # type: ignore[arg-type]  # a mapped class's table is a Table
        .where(Message.id == bindparam("b_id"))
        .values(
            provider_ref=func.coalesce(Message.provider_ref, bindparam("b_ref")),
            state=case((may_accept, states.ACCEPTED), else_=Message.state),
            lease_until=None, news_at=real_now(),
        ),
        taken,
    )  # fmt: skip


def _move(session: Session, ids: Sequence[UUID], state: str, **values: Any) -> None:
    """Move messages to an open state, where the table of states allows it."""
    if ids:
        session.execute(
            update(Message)
            .where(and_(Message.id.in_(ids), or_(Message.state.in_(states.before(state)), Message.state == state)))
            .values(state=state, lease_until=None, news_at=real_now(), **values)
            .execution_options(synchronize_session=False)
        )


def _touch(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    session.execute(
        update(Message).where(Message.id.in_(ids)).values(news_at=now).execution_options(synchronize_session=False)
    )


def _fail(session: Session, message_id: UUID, code: str) -> None:
    if close(session, Message.id == message_id, states.FAILED, error_code=code):
        _learn(session, message_id, code)


def _learn(session: Session, message_id: UUID, code: str | None) -> None:
    """What an error says of the phone, beyond this message."""
    if code not in OPTED_OUT | LANDLINE:
        return
    phone = session.get_one(Message, message_id).phone
    if code in OPTED_OUT:
        consent.opt_out(session, phone, reason="carrier", proof=f"message/{message_id}", source="carrier")
    else:
        session.execute(
            update(Contact)
            .where(Contact.phone == phone)
            .values(line_kind="landline", line_kind_source="carrier")
            .execution_options(synchronize_session=False)
        )


def _tell(session: Session, ids: Sequence[UUID]) -> None:
    for campaign_id in session.scalars(select(Message.campaign_id).where(Message.id.in_(ids)).distinct()):
        tell_later(session, f"message-campaign/{campaign_id}")
