"""What stands on a segment, and what may therefore be done with it: the list with its uses, copies, deletion."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.errors import Refused
from campaigns import audiences, segments
from campaigns.calling import CallCampaign
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.segmenting.frozen_segments import FrozenSegment
from campaigns.segmenting.segment_drafts import SegmentDraft
from campaigns.segmenting.segment_versions import SegmentVersion
from campaigns.segments import Segment

_KINDS: tuple[tuple[str, Any], ...] = (("calls", CallCampaign), ("messages", MessageCampaign))


@dataclass(frozen=True)
class Use:
    """One thing that stands on a segment. `kind`: calls | messages | segment; `frozen_id`: by way of that list."""

    kind: str
    number: int
    name: str
    frozen_id: int | None = None


def uses(session: Session, segment_id: int | None = None) -> dict[int, list[Use]]:
    """Of each segment (or of one), the campaigns that reach its people and the segments that name it."""
    found: dict[int, list[Use]] = defaultdict(list)
    for kind, model in _KINDS:
        query = select(model.id, model.name, model.segment_id, model.frozen_segment_id).order_by(model.id.desc())
        for row in session.execute(query if segment_id is None else query.where(model.segment_id == segment_id)):
            found[row.segment_id].append(Use(kind, row.id, row.name, row.frozen_segment_id))
    for segment in segments.all_segments(session):
        for kind, number in audiences.named(segment.rule):
            if kind == "segment" and segment_id in (None, number):
                found[number].append(Use("segment", segment.id, segment.name))
    return dict(found)


def overview(session: Session) -> dict[str, object]:
    """What the list of segments shows: each with its uses, who saved it last, and its frozen lists."""
    listed = segments.all_segments(session)
    frozen = dict(
        session.execute(
            select(FrozenSegment.segment_id, func.count())
            .where(FrozenSegment.segment_id.is_not(None))
            .group_by(FrozenSegment.segment_id)
        ).all()
    )
    return {"segments": listed, "uses": uses(session), "frozen_counts": frozen, "savers": savers(session)}


def savers(session: Session) -> dict[int, str]:
    """segment id → who saved its newest version, or made it."""
    newest = (
        select(SegmentVersion.segment_id, SegmentVersion.saved_by)
        .order_by(SegmentVersion.segment_id, SegmentVersion.version.desc())
        .ext(distinct_on(SegmentVersion.segment_id))
        .subquery()
    )
    saved_by = func.coalesce(newest.c.saved_by, Segment.created_by)
    rows = session.execute(
        select(Segment.id, User.full_name)
        .outerjoin(newest, newest.c.segment_id == Segment.id)
        .join(User, User.id == saved_by)
    )
    return {row.id: row.full_name for row in rows}


def frozen_lists(session: Session, segment_id: int) -> list[tuple[FrozenSegment, str | None, list[Use]]]:
    """The frozen lists of a segment, the newest first: each with who froze it and what reaches it."""
    used: dict[int | None, list[Use]] = defaultdict(list)
    for use in uses(session, segment_id).get(segment_id, []):
        used[use.frozen_id].append(use)
    rows = session.execute(
        select(FrozenSegment, User.full_name)
        .outerjoin(User, User.id == FrozenSegment.frozen_by)
        .where(FrozenSegment.segment_id == segment_id)
        .order_by(FrozenSegment.id.desc())
    )
    return [(frozen, name, used[frozen.id]) for frozen, name in rows]


def duplicate(session: Session, segment_id: int, user_id: int | None) -> Segment:
    """A new segment with the same rule, named as a copy."""
    segment = segments.get(session, segment_id)
    name = free_name(session, str(_("Copy of %(name)s", name=segment.name)))
    return segments.save(session, None, name, segment.rule, user_id)


def free_name(session: Session, wanted: str) -> str:
    """The name, or the first of `name (2)`, `name (3)` … that no segment has."""
    taken = {name.casefold() for name in session.scalars(select(Segment.name))}
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name


def remove(session: Session, segment_id: int, user_id: int | None) -> None:
    """Delete a segment that nothing stands on, with its versions and drafts. Raises Refused: what stands on it."""
    segment = segments.get(session, segment_id)
    session.refresh(segment, with_for_update=True)
    standing = uses(session, segment_id).get(segment_id, [])
    if standing:
        names = ", ".join(f"«{use.name}»" for use in standing[:5])
        raise Refused("in_use", _("The segment is in use and stays: %(names)s.", names=names))
    audit.record(session, user_id, "segments.delete", f"segment/{segment_id}", name=segment.name)
    session.execute(delete(SegmentDraft).where(SegmentDraft.segment_id == segment_id))
    session.delete(segment)
    session.flush()
