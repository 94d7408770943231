"""What a rule is checked against and what its words mean today: attributes, segments, surveys, queues, the clock."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now
from callcenter.people import attributes
from campaigns.segmenting import segment_deeds, segment_fields
from campaigns.segmenting.segment_fields import Field

# Tables of the house by the word that a rule uses; the modules of some of them stand above this one.
_TABLES = {
    "queue": "call_queues", "campaign": "message_campaigns", "survey": "surveys", "frozen": "frozen_segments",
}  # fmt: skip
_segments = table("segments", column("id"), column("name"), column("rule"))


class SessionFacts:
    """Facts of the database, read when they are asked for, each once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._segments: dict[int, tuple[str, Any] | None] = {}
        self._seen: dict[tuple[str, int], bool] = {}
        self._questions: dict[int, Mapping[str, Mapping[str, Any]]] = {}

    @cached_property
    def _now(self) -> datetime:
        return campaign_now(self._session)

    @cached_property
    def _attributes(self) -> dict[str, Field]:
        return {one.key: segment_fields.of_attribute(one) for one in attributes.all_attributes(self._session)}

    def now(self) -> datetime:
        """The campaign's clock, the same for the whole rule."""
        return self._now

    def attribute(self, key: str) -> Field | None:
        return self._attributes.get(key)

    def segment(self, number: int) -> tuple[str, Any] | None:
        """Name and rule of a saved segment."""
        if number not in self._segments:
            query = select(_segments.c.name, _segments.c.rule).where(_segments.c.id == number)
            row = self._session.execute(query).first()
            self._segments[number] = (row.name, row.rule) if row else None
        return self._segments[number]

    def exists(self, what: str, number: int) -> bool:
        """Is there a queue, campaign (of messages), survey or frozen list of this number?"""
        if (what, number) not in self._seen:
            rows = table(_TABLES[what], column("id"))
            found = self._session.execute(select(rows.c.id).where(rows.c.id == number)).first()
            self._seen[what, number] = found is not None
        return self._seen[what, number]

    def questions(self, survey: int) -> Mapping[str, Mapping[str, Any]]:
        """The items of a survey by name, over all versions of its questionnaire."""
        if survey not in self._questions:
            self._questions[survey] = segment_deeds.questions(self._session, survey)
        return self._questions[survey]
