"""Whom a campaign reaches: the people whom its segment means when it starts, or those of a frozen list."""

from collections.abc import Iterator
from typing import Any, Protocol

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.errors import NotFound
from campaigns import segments
from campaigns.segmenting import frozen_segments
from campaigns.segmenting.frozen_segments import FrozenSegment
from campaigns.segments import Segment


class Addressed(Protocol):
    """A campaign, of calls or of messages."""

    frozen_segment_id: int | None

    @property
    def segment(self) -> Segment: ...
    @property
    def frozen(self) -> FrozenSegment | None: ...


def rule_of(campaign: Addressed) -> dict[str, Any]:
    """The rule whose people the campaign reaches."""
    return frozen_rule(campaign.frozen_segment_id) if campaign.frozen_segment_id else campaign.segment.rule


def frozen_rule(frozen_id: int) -> dict[str, Any]:
    """The rule that means the people of a frozen list."""
    return {"all": [{"frozen": frozen_id}]}


def choices(session: Session) -> dict[str, list[tuple[str, str]]]:
    """What a form of a campaign offers, by group: segments as they are at the start, lists as they were frozen."""
    of_segment = dict(
        session.execute(
            select(FrozenSegment.id, FrozenSegment.segment_id).where(FrozenSegment.segment_id.is_not(None))
        ).all()
    )
    frozen = frozen_segments.names(session).items()
    offered = {
        str(_("Segments, as they are when the campaign starts")): [
            (str(one.id), one.name) for one in segments.all_segments(session)
        ],
        str(_("Frozen lists, as they were")): [
            (f"{of_segment[number]}/{number}", name) for number, name in frozen if number in of_segment
        ],
    }
    return {group: found for group, found in offered.items() if found}


def read(chosen: str) -> tuple[int, int | None]:
    """(segment id, frozen list's id or None) of what a form says: `12` or `12/3`. Raises ValueError."""
    segment, slash, frozen = chosen.partition("/")
    numbers = [segment, frozen] if slash else [segment]
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
        raise ValueError(chosen)
    return int(segment), int(frozen) if slash else None


def check(session: Session, segment_id: int, frozen_id: int | None) -> Segment:
    """The segment that a campaign is to reach. Raises NotFound, also for a frozen list of another segment."""
    segment = session.get(Segment, segment_id)
    if segment is None:
        raise NotFound(_("There is no such segment."))
    if frozen_id is not None and frozen_segments.get(session, frozen_id).segment_id != segment_id:
        raise NotFound(_("There is no frozen list %(number)s.", number=frozen_id))
    return segment


def name_of(campaign: Addressed) -> str:
    """Whom a campaign reaches, in words: the segment's name, and the day of a frozen list."""
    if campaign.frozen is None:
        return campaign.segment.name
    day = format_date(campaign.frozen.as_of, "d MMM yyyy")
    return str(_("%(name)s, frozen on %(day)s", name=campaign.frozen.segment_name, day=day))


def named(rule: Any) -> Iterator[tuple[str, int]]:
    """("segment" | "frozen", number) of every other list that a rule names."""
    if isinstance(rule, list):
        for member in rule:
            yield from named(member)
    elif isinstance(rule, dict):
        for kind, value in rule.items():
            if kind in ("segment", "frozen") and isinstance(value, int):
                yield kind, value
            elif kind in ("all", "any", "not"):
                yield from named(value)
