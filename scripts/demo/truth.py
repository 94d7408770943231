"""What the invented people really think, beside what the interviews found."""

import math
from collections import Counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.contacts import Contact
from scripts.demo import SEED
from scripts.simulated_carrier.citizens import CANDIDATES
from scripts.simulated_carrier.citizens import truth as hidden
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Survey


def compare(session: Session, *, seed: int = SEED) -> dict[str, Any]:
    """{"n", "raw": {answer: {"truth", "found"}}, "effective": …, "largest_error", "margin"}: shares 0–1 over all
    invented contacts and over complete interviews of the survey that is asked by telephone (the panel asks the same
    people several times); `margin` is that of a share of one half at 95 %."""
    phones = session.scalars(select(Contact.phone).where(Contact.invented))
    real = hidden(phones, seed)
    votes = Counter(session.scalars(_votes()))
    found = {"raw": _shares(votes), "effective": _shares({name: votes[name] for name in CANDIDATES})}
    compared: dict[str, Any] = {
        kind: {
            name: {"truth": round(real[kind].get(name, 0), 4), "found": round(found[kind].get(name, 0), 4)}
            for name in sorted(real[kind] | found[kind])
        }
        for kind in ("raw", "effective")
    }
    n = sum(votes.values())
    errors = [abs(pair["truth"] - pair["found"]) for pair in compared["raw"].values()]
    return {
        "n": n,
        **compared,
        "largest_error": round(max(errors, default=0.0), 4),
        "margin": round(1.96 * math.sqrt(0.25 / n), 4) if n else None,
    }


def as_text(found: dict[str, Any]) -> str:
    """The comparison as a table for a terminal."""
    lines = [f"{'raw vote':<12} {'truth':>7} {'found':>7}   (n = {found['n']})"]
    lines += [f"{name:<12} {pair['truth']:>7.1%} {pair['found']:>7.1%}" for name, pair in found["raw"].items()]
    return "\n".join(lines)


def _votes() -> Any:
    return (
        select(Answer.value)
        .join(Interview, Interview.id == Answer.interview_id)
        .where(Interview.survey_id == select(func.min(Survey.id)).scalar_subquery())
        .where(Answer.item == "vote", Answer.superseded_at.is_(None), Answer.counts, Interview.state == "complete")
    )


def _shares(counts: dict[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: number / total for name, number in counts.items()} if total else {}
