"""Before a launch: who would get it, who would not and why, in how many parts, at what cost, if it began now."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base.clock import campaign_now
from callcenter.contacts import Contact
from callcenter.gate import elections
from campaigns import messages, segments, wording
from campaigns.dispatch import message_texts
from campaigns.dispatch.message_claims import WAITS
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.telephoning import notices
from campaigns.texts import wordings

SAMPLE = 2_000  # people looked at one by one; of a longer list the shares are estimates, and said to be
RENDERS = 5


@dataclass(frozen=True)
class Preflight:
    """`reachable`: how many would get it; `waiting`: of these, who waits for calling hours; `excluded`: (reason, n).

    `sampled` of `total` were asked at the gate; where it is less, `is_estimate` and the figures are scaled up."""

    total: int
    reachable: int
    waiting: int
    excluded: list[tuple[str, int]]
    sampled: int
    phase: str
    asks_to_confirm: bool  # the calendar lets it through, and wants somebody's word at launch
    campaign_time: datetime
    renders: list[str]
    parts: list[tuple[int, int]]  # (parts a message, people)
    part_count: int
    outside: str  # the characters that cost UCS-2
    plain_part_count: int  # the same without accents
    unit_price: Decimal

    @property
    def is_estimate(self) -> bool:
        return self.sampled < self.total

    @property
    def cost(self) -> Decimal:
        return self.part_count * self.unit_price

    @property
    def plain_cost(self) -> Decimal:
        return self.plain_part_count * self.unit_price


def of_messages(session: Session, campaign: MessageCampaign) -> Preflight:
    """What sending this draft would do, asked of the gate itself. Sends and writes nothing."""
    audience = messages.audience(session, campaign)
    total = sum(audience.values())
    open_to = audience.pop(None, 0)
    sample = messages.sample(session, campaign, SAMPLE)
    refusals = consent.refusals(
        session, [(row.contact_id, row.phone) for row in sample], campaign.channel, campaign.purpose,
        simulated=campaign.is_simulated,
    )  # fmt: skip
    why = Counter(refusal.code for refusal in refusals.values() if refusal.code not in WAITS)
    waiting = sum(1 for refusal in refusals.values() if refusal.code in WAITS)
    texts, said = [], _by_share(session, campaign)
    for place, row in enumerate(sample):
        if row.contact_id in refusals and refusals[row.contact_id].code not in WAITS:
            continue
        try:
            text = said[place % len(said)]
            texts.append(wording.render(text, messages.values_of(row), is_plain=campaign.is_plain))
        except wording.MissingValue:
            why["missing_value"] += 1
    scale = open_to / len(sample) if sample else 0.0
    excluded = Counter({code: n for code, n in audience.items() if code} | _scaled(why.items(), scale))
    return Preflight(
        total=total, reachable=round(len(texts) * scale), waiting=round(waiting * scale),
        excluded=excluded.most_common(), sampled=total if len(sample) >= open_to else len(sample),
        unit_price=campaign.unit_price, **_parts_of(texts, scale), **_moment(session, campaign.purpose),
    )  # fmt: skip


def of_calls(session: Session, rule: dict[str, Any], purpose: str, *, simulated: bool) -> Preflight:
    """What calling this segment would do, asked of the gate itself."""
    chosen = segments.compile_rule(session, rule).subquery()
    who = select(Contact.id, Contact.phone).where(Contact.id.in_(select(next(iter(chosen.c)))))
    total = session.scalar(select(func.count()).select_from(chosen)) or 0
    sample = [(row.id, row.phone) for row in session.execute(who.order_by(Contact.id).limit(SAMPLE))]
    refusals = consent.refusals(session, sample, "call", purpose, simulated=simulated)
    why = Counter(refusal.code for refusal in refusals.values() if refusal.until is None)
    waiting = sum(1 for refusal in refusals.values() if refusal.until is not None)
    scale = total / len(sample) if sample else 0.0
    return Preflight(
        total=total, reachable=round((len(sample) - sum(why.values())) * scale), waiting=round(waiting * scale),
        excluded=Counter(_scaled(why.items(), scale)).most_common(), sampled=len(sample), unit_price=Decimal(0),
        **_parts_of([], scale), **_moment(session, purpose),
    )  # fmt: skip


def _by_share(session: Session, campaign: MessageCampaign) -> list[str]:
    """A hundred texts, each wording as often as its share, with links as long as the real ones."""
    said = [
        (message_texts.shown(session, campaign.id, one.text), one.share) for one in wordings.of(session, campaign.id)
    ]
    return [text for text, share in said for _ in range(max(share, 1))]


def _parts_of(texts: list[str], scale: float) -> dict[str, Any]:
    cut = [wording.parts(text) for text in texts]
    plain = sum(wording.parts(wording.without_accents(text)).count for text in texts)
    by_count = Counter(each.count for each in cut)
    return {
        "renders": texts[:RENDERS], "parts": sorted(_scaled(by_count.items(), scale).items()),
        "part_count": round(sum(each.count for each in cut) * scale), "plain_part_count": round(plain * scale),
        "outside": "".join(dict.fromkeys("".join(each.outside for each in cut))),
    }  # fmt: skip


def _moment(session: Session, purpose: str) -> dict[str, Any]:
    now = campaign_now(session)
    asks = notices.is_needed(session, purpose)
    return {"phase": elections.phase_at(session, now), "campaign_time": now, "asks_to_confirm": asks}


def _scaled(counts: Iterable[tuple[Any, int]], scale: float) -> dict[Any, int]:
    return {what: round(n * scale) for what, n in counts}
