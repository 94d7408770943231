"""Going through everybody of a draft, as the send will: the gate is asked, the text is written, the parts are counted.

Reads only. One transaction, so that everybody is seen as of one moment; block by block, so that memory does not grow.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.contacts import Contact
from callcenter.gate import rulebook
from callcenter.places import zones
from campaigns import channels, messages, wording
from campaigns.dispatch import message_texts
from campaigns.dispatch.message_claims import WAITS
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.rehearsal.rehearsal_hours import Group, Load
from campaigns.texts import wordings

BLOCK = 1_000  # people whom the gate is asked about at once
TRIED = 200  # texts that are tried on the simulated carrier


class Home(NamedTuple):
    """Where one of a group lives, and their phone: what the gate looks at to know their hours and their elections."""

    state: int | None
    municipality: str | None
    phone: str


@dataclass
class Found:
    """What the walk saw. Counts are of people. `excluded`: refusal code → people, with those whom the plan leaves out;
    `waiting`: of the reachable, who would wait for their hours now; `sample`: (phone, text), for the wire only."""

    seen: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    by_parts: Counter[int] = field(default_factory=Counter)
    in_ucs2: int = 0
    by_wording: Counter[str] = field(default_factory=Counter)
    loads: dict[Group, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    homes: dict[Group, Home] = field(default_factory=dict)
    sample: list[tuple[str, str]] = field(default_factory=list)

    @property
    def reachable(self) -> int:
        return sum(self.by_parts.values())

    @property
    def part_count(self) -> int:
        return sum(parts * people for parts, people in self.by_parts.items())

    def by_group(self) -> dict[Group, Load]:
        return {group: Load(people, parts) for group, (people, parts) in self.loads.items()}


def audience(session: Session, campaign: MessageCampaign) -> Counter[str | None]:
    """How many people of the segment would be planned (None), and how many not, by reason."""
    return Counter(messages.audience(session, campaign))


def walk(session: Session, campaign: MessageCampaign, found: Found) -> Iterator[int]:
    """Go through everybody who would be planned; `found` grows. Yields how many were seen, after each block."""
    texts = _Texts(session, campaign)
    named = rulebook.read(session).named_states
    dice = random.Random(campaign.id)  # noqa: S311  # which texts are tried, the same each time
    for block in _people(session, campaign).partitions(BLOCK):
        refusals = consent.refusals(
            session, [(row.contact_id, row.phone) for row in block], campaign.channel, campaign.purpose,
            simulated=campaign.is_simulated,
        )  # fmt: skip
        for row in block:
            refusal = refusals.get(row.contact_id)
            if refusal is not None and refusal.code not in WAITS:
                found.excluded[refusal.code] += 1
                continue
            letter, body = texts.of(row, found.seen)
            found.seen += 1
            if body is None or len(body) > texts.facts.most_characters:
                found.excluded["missing_value" if body is None else "too_long"] += 1
                continue
            found.waiting += refusal is not None
            group = _group(row, named)
            found.homes.setdefault(group, Home(row.state, row.municipality, row.phone))
            _count(found, letter, body, group, is_cut=texts.facts.is_cut_into_parts)
            _keep(found, dice, row.phone, body)
        yield found.reachable + sum(found.excluded.values())


class _Texts:
    """The campaign's wordings, each as often as its share."""

    def __init__(self, session: Session, campaign: MessageCampaign) -> None:
        self.facts, self.is_plain = channels.facts(campaign.channel), campaign.is_plain
        self.said: list[tuple[str, str]] = []
        for one in wordings.of(session, campaign.id):
            shown = message_texts.shown(session, campaign.id, one.text)
            self.said += [(one.letter, shown)] * max(one.share, 1)

    def of(self, row: Row[Any], place: int) -> tuple[str, str | None]:
        """The letter and the text of a person; no text where a value is missing."""
        letter, text = self.said[place % len(self.said)]
        try:
            return letter, wording.render(text, messages.values_of(row), is_plain=self.is_plain)
        except wording.MissingValue:
            return letter, None


def _people(session: Session, campaign: MessageCampaign) -> Any:
    people = messages.people(session, campaign)
    query = (
        select(people.c.contact_id, people.c.phone, Contact.state, Contact.is_member, *messages.PLACEHOLDERS)
        .join(Contact, Contact.id == people.c.contact_id)
        .where(people.c.refusal.is_(None))
    )
    return session.execute(query, execution_options={"yield_per": BLOCK})


def _count(found: Found, letter: str, body: str, group: Group, *, is_cut: bool) -> None:
    parts = wording.parts(body)
    count = parts.count if is_cut else 1
    found.by_parts[count] += 1
    found.in_ucs2 += is_cut and parts.encoding != "GSM-7"
    found.by_wording[letter] += 1
    load = found.loads[group]
    load[0] += 1
    load[1] += count


def _group(row: Row[Any], named: frozenset[int]) -> Group:
    homes = zones.zones_of(row.state, row.municipality, row.phone)
    state = row.state if row.state in named else None if row.state is None else -1
    return Group(tuple(home.key for home in homes), state, bool(row.is_member))


def _keep(found: Found, dice: random.Random, phone: str, body: str) -> None:
    """A fair sample, however many come."""
    if len(found.sample) < TRIED:
        found.sample.append((phone, body))
    elif (place := dice.randrange(found.reachable)) < TRIED:
        found.sample[place] = (phone, body)


def share_out(total: int, by: Sequence[float]) -> list[int]:
    """`total` in whole numbers, in proportion to `by`; they sum to it."""
    whole = sum(by) or 1.0
    ends = [round(total * sum(by[: place + 1]) / whole) for place in range(len(by))]
    return [end - begin for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
