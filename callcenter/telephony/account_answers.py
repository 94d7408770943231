"""What the carrier answered to calls that failed lately, counted by its own codes, each in words."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.carriers.twilio import errors
from callcenter.ledger.call_ledger import Call

LATELY, MOST = timedelta(hours=24), 12


@dataclass(frozen=True)
class Answer:
    """`calls` ended with this within a day."""

    sentence: str
    calls: int


def lately(session: Session, carrier: str) -> list[Answer]:
    """The most frequent first; only ends that tell of more than a busy or silent phone."""
    code = func.coalesce(Call.cause["ErrorCode"].astext, Call.cause["code"].astext)
    sip = Call.cause["SipResponseCode"].astext
    counted = (
        select(code, sip, func.count())
        .where(Call.carrier == carrier, Call.ended_at > real_now() - LATELY, Call.cause.is_not(None))
        .group_by(code, sip)
        .order_by(func.count().desc())
    )
    said = (
        Answer(errors.sentence(code) if errors.knows(code) else errors.sip_sentence(sip), calls)
        for code, sip, calls in session.execute(counted)
        if errors.knows(code) or (errors.knows(sip) and errors.of_sip(sip).outcome not in ("busy", "no_answer"))
    )
    return [answer for _, answer in zip(range(MOST), said, strict=False)]
