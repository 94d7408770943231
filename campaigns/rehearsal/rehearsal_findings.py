"""What a rehearsal finds out: who gets it, in how many parts, at what cost, by when from which sender, what would fail.

The calendar is the gate's own (gate.gate_rules), asked for the moments at which each group's turn would come.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import calendar as law
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.gate import gate_rules, rulebook
from callcenter.gate.gate_rules import Asked, Facts
from callcenter.gate.rulebook import Rulebook
from campaigns.dispatch import message_states as states
from campaigns.dispatch import senders
from campaigns.dispatch.sender_tables import ACTIVE
from campaigns.figures import message_prices
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from campaigns.rehearsal.rehearsal_hours import Calendar, Group, Line, Outlook, outlook
from campaigns.rehearsal.rehearsal_walk import Found, Home
from campaigns.rehearsal.rehearsal_wire import Tried

EXPERIENCE = 20_000  # messages of the newest campaigns from which failures are foreseen
FEWEST = 200  # of fewer nothing is concluded
_PHASE = next(rule for rule in gate_rules.RULES if rule.code == "phase")


@dataclass(frozen=True)
class Frame:
    """What is read before the sums: nothing of it is bound to the database."""

    book: Rulebook
    lines: list[Line]
    resting: list[str]  # senders that are paused or blocked
    unit_price: Decimal
    now: datetime
    experience: Mapping[str, float] = field(default_factory=dict)
    experience_of: int = 0
    tries_out: bool = True  # is it a channel that the simulated carrier can be asked about by text alone?


def frame(session: Session, campaign: MessageCampaign) -> Frame:
    """Read what the sums stand on."""
    every = senders.of_campaign(session, campaign)
    lines = [Line(one.address, one.parts_per_second, one.daily_people) for one in every if one.state == ACTIVE]
    price = message_prices.price(
        session, campaign.channel, campaign.carrier, real_now().astimezone(ZONE).date(), otherwise=campaign.unit_price
    )
    shares, n = _experience(session, campaign)
    resting = [one.address for one in every if one.state != ACTIVE]
    return Frame(
        rulebook.read(session), lines, resting, price, campaign_now(session), shares, n, campaign.channel == "sms"
    )


def result(
    campaign: MessageCampaign, left_out: Mapping[str, int], found: Found, seen: Frame, tried: Tried | None
) -> dict[str, Any]:
    """Everything that was found, as the rehearsal's row keeps it. Times are ISO, amounts text, shares 0–1."""
    ahead = outlook(found.by_group(), seen.lines, seen.now, calendar_of(campaign, seen.book, found.homes))
    excluded = dict((found.excluded + Counter(left_out)).most_common())
    return {
        "as_of": seen.now.isoformat(), "people": found.reachable + sum(excluded.values()),
        "reachable": found.reachable, "waiting": found.waiting, "excluded": excluded,
        "by_parts": {str(parts): people for parts, people in sorted(found.by_parts.items())},
        "by_wording": dict(sorted(found.by_wording.items())), "part_count": found.part_count,
        "in_ucs2": found.in_ucs2, "unit_price": str(seen.unit_price),
        "cost": str((found.part_count * seen.unit_price).quantize(Decimal("0.01"))),
        "senders": _of_senders(seen.lines, ahead), "resting": seen.resting, "ahead": _in_words(ahead),
        "closes_at": _closes_today(campaign, seen), "tried": tried.as_kept() if tried else None,
        "experience": {"of": seen.experience_of, "shares": dict(seen.experience)} if seen.experience_of else None,
    }  # fmt: skip


def calendar_of(campaign: MessageCampaign, book: Rulebook, homes: Mapping[Group, Home]) -> Calendar:
    """The gate's own words on hours and phases, for one of each group."""
    people = {group: _facts(group, home) for group, home in homes.items()}
    channel, purpose, simulated = campaign.channel, campaign.purpose, campaign.is_simulated

    def asked(at: datetime) -> Asked:
        return Asked(channel, purpose, at, simulated, book)

    def opens(group: Group, at: datetime) -> datetime | None:
        if channel not in gate_rules.CHANNELS_WITH_HOURS:
            return None
        return law.opens_at(at, group.homes, gate_rules.hours_for(people[group], asked(at)))

    def closes(group: Group, at: datetime) -> datetime:
        if channel not in gate_rules.CHANNELS_WITH_HOURS:
            return datetime.max.replace(tzinfo=at.tzinfo)
        return law.closes_at(at, group.homes, gate_rules.hours_for(people[group], asked(at)))

    def allows(group: Group, at: datetime) -> bool:
        return _PHASE.refuse(people[group], asked(at)) is None

    return Calendar(opens, closes, allows)


def _facts(group: Group, home: Home) -> Facts:
    return Facts(
        contact_id=0, phone=home.phone, state=home.state, municipality=home.municipality, consent="opted_in",
        invented=False, is_blocked=False, is_member=group.is_member, holds_post=False, is_suppressed=False,
        is_in_register=False, is_being_called=False, is_other_called=False, other_written_at=None, phone_total=0,
        phone_recent=None, person_total=0, person_recent=None,
    )  # fmt: skip


def _experience(session: Session, campaign: MessageCampaign) -> tuple[dict[str, float], int]:
    """What became of the last messages of this channel and carrier: error code → share, '' for delivered."""
    newest = (
        select(Message.error_code, Message.state)
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .where(MessageCampaign.channel == campaign.channel, MessageCampaign.carrier == campaign.carrier,
               Message.state.in_((states.DELIVERED, states.UNDELIVERED, states.FAILED)))
        .order_by(Message.finished_at.desc()).limit(EXPERIENCE).subquery()
    )  # fmt: skip
    rows = session.execute(
        select(newest.c.state, newest.c.error_code, func.count()).group_by(newest.c.state, newest.c.error_code)
    ).all()
    total = sum(row[2] for row in rows)
    if total < FEWEST:
        return {}, 0
    found: dict[str, float] = {}
    for state, code, n in rows:
        key = "" if state == states.DELIVERED else code or "?"
        found[key] = found.get(key, 0.0) + n / total
    return found, total


def _of_senders(lines: list[Line], ahead: Outlook) -> list[dict[str, Any]]:
    """Each sender's share of the work, and how long it has to send."""
    speed = sum(line.parts_per_second for line in lines) or 1.0
    people, parts = sum(day.people for day in ahead.days), sum(day.parts for day in ahead.days)
    return [
        {"address": line.address, "parts_per_second": line.parts_per_second, "daily_people": line.daily_people,
         "people": round(people * line.parts_per_second / speed), "parts": round(parts * line.parts_per_second / speed),
         "seconds": round(parts / speed)}
        for line in lines
    ]  # fmt: skip


def _in_words(ahead: Outlook) -> dict[str, Any]:
    return {
        "starts_at": ahead.days[0].begins.isoformat() if ahead.days else ahead.starts_at.isoformat(),
        "ends_at": ahead.ends_at.isoformat() if ahead.ends_at else None, "seconds": round(ahead.seconds),
        "expired": round(ahead.expired), "left": round(ahead.left), "ends_today": ahead.ends_today,
        "days": [
            {"day": day.day.isoformat(), "people": round(day.people), "parts": round(day.parts),
             "begins": day.begins.isoformat(), "ends": day.ends.isoformat()}
            for day in ahead.days
        ],
    }  # fmt: skip


def _closes_today(campaign: MessageCampaign, seen: Frame) -> str | None:
    """When the hours of the house's own zone end today; None for a channel without hours."""
    if campaign.channel not in gate_rules.CHANNELS_WITH_HOURS:
        return None
    today: date = seen.now.astimezone(ZONE).date()
    return datetime.combine(today, seen.book.hours_on(today, ZONE)[1], ZONE).isoformat()
