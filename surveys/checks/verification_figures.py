"""What the call-backs found: by interviewer, and one by one."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from callcenter.base.auth import User
from surveys import questionnaire
from surveys.checks import interviewer_counts
from surveys.checks.verification_tables import Verification
from surveys.checks.verifications import differing
from surveys.engine import wording
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.forms.items import Items
from surveys.weighting.intervals import wilson

OUTCOMES = ("open", "confirmed", "differs", "denied", "not_reached")
REACHED = ("confirmed", "differs", "denied")


@dataclass(frozen=True)
class Verified:
    """One interviewer's drawn interviews by outcome. `share` (0–1) of those reached is confirmed, with its interval;
    None while nobody was reached."""

    name: str
    counts: Counter[str]

    @property
    def reached(self) -> int:
        return sum(self.counts[outcome] for outcome in REACHED)

    @property
    def share(self) -> tuple[float, float, float] | None:
        if not self.reached:
            return None
        confirmed = self.counts["confirmed"]
        return confirmed / self.reached, *wilson(confirmed, self.reached)


def by_interviewer(session: Session, survey_id: int) -> list[Verified]:
    """Everybody of whose interviews some were drawn, by name."""
    found = interviewer_counts.by_interviewer(session, survey_id, Verification, Verification.outcome)
    return [Verified(name, counts) for name, counts in found]


@dataclass(frozen=True)
class Finding:
    """One verified interview. `differences`: (question, before, now), in words. No name and no phone of the person."""

    interview_id: UUID
    at: datetime
    interviewer: str
    verifier: str
    outcome: str
    done_at: datetime | None
    differences: tuple[tuple[str, str, str], ...]


def findings(session: Session, survey_id: int, limit: int = 100) -> list[Finding]:
    """What differs or was denied, the newest first."""
    interviewer, verifier = aliased(User), aliased(User)
    rows = session.execute(
        select(Verification, Interview.at, interviewer.full_name, verifier.full_name, Interview.questionnaire_id)
        .join(Interview, Interview.id == Verification.interview_id)
        .outerjoin(interviewer, interviewer.id == Interview.interviewer_id)
        .outerjoin(verifier, verifier.id == Verification.verifier_id)
        .where(Verification.survey_id == survey_id, Verification.outcome.in_(("differs", "denied")))
        .order_by(Verification.done_at.desc()).limit(limit)
    ).all()  # fmt: skip
    before = _before(session, [row.Verification.interview_id for row in rows])
    items = {version.id: version.items for version in questionnaire.versions(session, survey_id)}
    return [
        Finding(
            one.interview_id, at, asked_by or "–", verified_by or "–", one.outcome, one.done_at,
            tuple(_differences(items[version], before[one.interview_id], one.given)),
        )
        for one, at, asked_by, verified_by, version in rows
    ]  # fmt: skip


def _before(session: Session, interview_ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    holding = select(Answer.interview_id, Answer.item, Answer.value).where(
        Answer.interview_id.in_(interview_ids), Answer.superseded_at.is_(None), Answer.counts
    )
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    for interview_id, item, value in session.execute(holding):
        found[interview_id][item] = value
    return found


def _differences(items: Items, before: dict[str, str], given: dict[str, Any]) -> list[tuple[str, str, str]]:
    named = {item["name"]: item for item in items["items"]}
    numbers = {name for name, item in named.items() if item["type"] == "integer"}
    return [
        (
            wording(items, named[name]["label"], items["default_language"]),
            _words(items, named[name], before.get(name, "")), _words(items, named[name], given[name]),
        )
        for name in differing(before, given, numbers)
        if name in named
    ]  # fmt: skip


def _words(items: Items, item: dict[str, Any], value: str) -> str:
    for choice in item["choices"]:
        if choice["name"] == value:
            return wording(items, choice["label"], items["default_language"])
    return value
