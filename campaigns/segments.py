"""Segments: saved rules over people (the rule's language: docs/segments.md), and who they mean."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from campaigns.segmenting import frozen_segments, segment_rules, segment_versions
from campaigns.segmenting.frozen_segments import FrozenSegment
from campaigns.segmenting.segment_counts import (
    Comparison,
    Count,
    SectionPeople,
    by_section,
    compare,
    compile_rule,
    count,
    estimate,
    read,
    sample,
)
from campaigns.segmenting.segment_facts import SessionFacts

__all__ = ["Comparison", "Count", "FrozenSegment", "SectionPeople", "Segment", "all_segments", "by_section", "compare",
           "compile_rule", "count", "estimate", "freeze", "get", "sample", "save", "validate"]  # fmt: skip


class Segment(Base):
    """`rule` is JSON: {"all": [{"field": "section", "op": "in", "value": [2301]}, …]} (docs/segments.md)."""

    __tablename__ = "segments"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    rule: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    updated_at: Mapped[datetime] = mapped_column(default=real_now)


def validate(session: Session, rule: Any) -> None:
    """Check a rule with everything it names. Raises RuleFault: the place of the fault, and what to do."""
    read(session, rule)


def get(session: Session, segment_id: int) -> Segment:
    """The segment; raises NotFound."""
    segment = session.get(Segment, segment_id)
    if segment is None:
        raise NotFound(_("There is no segment %(number)s.", number=segment_id))
    return segment


def all_segments(session: Session) -> list[Segment]:
    """Every saved segment, by name."""
    return list(session.scalars(select(Segment).order_by(Segment.name)))


def save(session: Session, segment_id: int | None, name: str, rule: Any, user_id: int | None) -> Segment:
    """Create a segment or give it a new version. Raises InvalidInput for the rule, a blank name or one in use."""
    name = " ".join(name.split())
    if not name:
        raise InvalidInput({"name": _("Give the segment a name.")})
    # Two savings at once must not each name the other: a cycle that neither could see.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("segments.save"))))
    segment_rules.read(rule, SessionFacts(session), inside=(segment_id, name) if segment_id else None)
    same = session.scalar(select(Segment.id).where(func.lower(Segment.name) == name.lower()))
    if same is not None and same != segment_id:
        raise InvalidInput({"name": _("There is a segment of that name already.")})
    rule = {"version": segment_rules.VERSION, **{key: said for key, said in rule.items() if key != "version"}}
    segment = _written(session, segment_id, name, rule, user_id)
    audit.record(session, user_id, "segments.save", f"segment/{segment.id}", version=segment.version)
    return segment


def _written(session: Session, segment_id: int | None, name: str, rule: Any, user_id: int | None) -> Segment:
    if segment_id is None:
        segment = Segment(name=name, rule=rule, created_by=user_id)
        session.add(segment)
    else:
        segment = get(session, segment_id)
        segment_versions.keep(session, segment_id, segment.version, segment.name, segment.rule, segment.created_by)
        segment.version += {"version": segment_rules.VERSION, **segment.rule} != rule
        segment.name, segment.rule, segment.updated_at = name, rule, real_now()
    session.flush()
    segment_versions.keep(session, segment.id, segment.version, name, rule, user_id)
    return segment


def freeze(session: Session, segment_id: int, user_id: int | None) -> FrozenSegment:
    """Keep the people whom the segment means now as a list of its own. Raises NotFound, RuleFault."""
    segment = get(session, segment_id)
    frozen = frozen_segments.freeze(session, read(session, segment.rule), segment, user_id)
    audit.record(session, user_id, "segments.freeze", f"segment/{segment_id}", frozen=frozen.id, people=frozen.people)
    return frozen
