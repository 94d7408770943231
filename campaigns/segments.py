"""Segments: saved rules over people, each compiled to one SELECT (the rule's language: docs/segments.md)."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ForeignKey, Select, case, false, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import consent, suppressions
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact
from campaigns import segment_rules

validate = segment_rules.validate


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


@dataclass(frozen=True)
class Count:
    """How many people of a rule may be contacted, and how many may not, by reason. `as_of` is campaign time.

    `count` + all of `excluded` = `matching`: everybody is in exactly one of them."""

    count: int
    excluded: dict[str, int]
    as_of: datetime
    milliseconds: float

    @property
    def matching(self) -> int:
        return self.count + sum(self.excluded.values())


def compile_rule(rule: Any) -> Select[int]:
    """SELECT of contacts.id for everybody the rule means, every value bound. Raises InvalidInput.

    Who may not be contacted is among them: the gate says so at the moment, and records why."""
    validate(rule)
    return select(Contact.id).where(segment_rules.condition(rule))


def count(session: Session, rule: Any, *, purpose: str | None = None) -> Count:
    """Count the people of a rule in one SELECT, those who may not be contacted apart, by the first reason that holds.

    With `purpose`, those whose consent it needs and lacks are apart as well."""
    validate(rule)
    started = time.perf_counter()
    reason = case(
        (Contact.blocked_at.is_not(None), "blocked"),
        (suppressions.is_suppressed(Contact.phone), "suppressed"),
        (Contact.consent == "opted_out", "opted_out"),
        (_lacks_consent(purpose), "not_opted_in"),
        else_="",
    )
    rows = session.execute(select(reason, func.count()).where(segment_rules.condition(rule)).group_by(reason)).all()
    counts = {str(name): int(people) for name, people in rows}
    return Count(
        count=counts.pop("", 0),
        excluded=dict(sorted(counts.items())),
        as_of=campaign_now(session),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


def _lacks_consent(purpose: str | None) -> ColumnElement[bool]:
    return Contact.consent != "opted_in" if purpose in consent.NEEDS_OPT_IN else false()


def sample(session: Session, rule: Any, limit: int = 10) -> list[Contact]:
    """Some people of the rule, the same ones each time."""
    validate(rule)
    # Ordered by a hash of the id: spread over all lists, and stable while the reader thinks.
    spread = func.hashint8(Contact.id)
    return list(session.scalars(select(Contact).where(segment_rules.condition(rule)).order_by(spread).limit(limit)))


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
    validate(rule)
    name = " ".join(name.split())
    if not name:
        raise InvalidInput({"name": _("Give the segment a name.")})
    same = session.scalar(select(Segment.id).where(func.lower(Segment.name) == name.lower()))
    if same is not None and same != segment_id:
        raise InvalidInput({"name": _("There is a segment of that name already.")})
    if segment_id is None:
        segment = Segment(name=name, rule=rule, created_by=user_id)
        session.add(segment)
    else:
        segment = get(session, segment_id)
        segment.version += segment.rule != rule
        segment.name, segment.rule, segment.updated_at = name, rule, real_now()
    session.flush()
    audit.record(session, user_id, "segments.save", f"segment/{segment.id}", version=segment.version)
    return segment
