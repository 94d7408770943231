"""Whom a campaign reaches: the people whom its segment means when it starts, or those of a frozen list."""

from collections.abc import Iterator
from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput
from campaigns import frozen_segments, segments
from campaigns.frozen_segments import FrozenSegment
from campaigns.segments import Segment

FROZEN = "frozen-"  # how a form names a frozen list; a bare number is a segment


class Addressed(Protocol):
    """A campaign, of calls or of messages."""

    frozen_segment_id: int | None

    @property
    def segment(self) -> Segment: ...


def rule_of(campaign: Addressed) -> dict[str, Any]:
    """The rule whose people the campaign reaches."""
    return frozen_rule(campaign.frozen_segment_id) if campaign.frozen_segment_id else campaign.segment.rule


def frozen_rule(frozen_id: int) -> dict[str, Any]:
    """The rule that means the people of a frozen list."""
    return {"all": [{"frozen": frozen_id}]}


def choices(session: Session) -> dict[str, list[tuple[str, str]]]:
    """What a form of a campaign offers, by group: segments as they are at the start, lists as they were frozen."""
    kept = set(session.scalars(select(FrozenSegment.id).where(FrozenSegment.segment_id.is_not(None))))
    offered = {
        str(_("Segments, as they are when the campaign starts")): [
            (str(one.id), one.name) for one in segments.all_segments(session)
        ],
        str(_("Frozen lists, as they were")): [
            (f"{FROZEN}{number}", name) for number, name in frozen_segments.names(session).items() if number in kept
        ],
    }
    return {group: found for group, found in offered.items() if found}


def read(session: Session, chosen: str) -> tuple[int, int | None]:
    """(segment id, frozen list's id or None) of what a form says. Raises InvalidInput."""
    plain = chosen.removeprefix(FROZEN)
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise InvalidInput({"segment_id": _("Choose a segment.")})
    if plain == chosen:
        return int(plain), None
    segment_id = frozen_segments.get(session, int(plain)).segment_id
    if segment_id is None:
        raise InvalidInput({"segment_id": _("The segment of this list was deleted. Choose another.")})
    return segment_id, int(plain)


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
