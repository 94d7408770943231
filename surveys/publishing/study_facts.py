"""What a study can show of what the checklist wants: entered by people, or found in its figures."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from surveys import studies
from surveys.publishing import study_files
from surveys.sampling import outcomes
from surveys.studies import Study

Facts = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A study as people entered it, free of the session. `files`: how many there are of each kind."""

    title: str
    scope: str
    states: tuple[int, ...]
    record: Mapping[str, Any]
    parties: Mapping[str, Mapping[str, str]]
    resources: tuple[Mapping[str, str], ...]
    firm: Mapping[str, str]
    files: Mapping[str, int]
    published_on: str | None
    published_in: str | None


def said(session: Session, study: Study) -> Said:
    """What people entered into this study."""
    kinds = [file.kind for file in study_files.with_firm(session, study.id)]
    return Said(
        title=study.title,
        scope=study.scope,
        states=tuple(study.states),
        record=dict(study.record),
        parties={party: dict(study.parties.get(party, {})) for party in studies.PARTIES},
        resources=tuple(study.resources),
        firm=studies.firm_profile(session),
        files={kind: kinds.count(kind) for kind in study_files.KINDS},
        published_on=study.published_on.isoformat() if study.published_on else None,
        published_in=study.published_in,
    )


def fingerprint(session: Session, study: Study) -> str:
    """Names what people entered: the same fingerprint, the same words and files. Publishing does not change it."""
    known = asdict(said(session, study)) | {"published_on": None, "published_in": None, "election": study.election_id}
    known["digests"] = study_files.digests(session, study.id)
    return hashlib.sha256(json.dumps(known, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def entered(of: Said) -> Facts:
    """The facts that people enter."""
    facts: Facts = {field: _text(of.record.get(field)) for field in studies.RECORD_FIELDS}
    for party, fields in of.parties.items():
        for field in studies.PARTY_FIELDS:
            facts[f"{party}_{field}"] = _text(fields.get(field))
        facts[f"{party}_logo"] = of.files.get(f"logo_{party}") or None
    facts["publication"] = of.files.get("note") or None
    facts["contracts"] = of.files.get("contract") or None
    facts["resources"] = len(of.resources) or None
    facts["experience"] = _text(of.firm.get("experience"))
    facts["memberships"] = _text(of.firm.get("memberships"))
    facts["cvs"] = of.files.get("cv") or None
    facts["deed"] = of.files.get("deed") or (None if of.record.get("is_first") else "not needed")
    return facts


def found(figures: Mapping[str, Any], told: Mapping[str, Any]) -> Facts:
    """The facts that follow from the figures. `told`: `rejection` (outcomes of the field), `weights_signed`,
    `has_questionnaire`, `software`, `has_database`."""
    field, vote = figures["field"], figures["vote"]
    roles = vote["roles"] if vote else {}
    facts: Facts = {
        "sample_size": field["n"] or None,
        "errors": figures["weights"]["margin"],
        "field_dates": field["first_day"],
        "chain": vote["steps"] if vote else None,
        "intervals": vote["gross"]["base"] if vote else None,
        "results_gross": vote["gross"]["base"] if vote else None,
        "questionnaire": told["has_questionnaire"] or None,
        "software": told["software"],
        "database": told["has_database"] or None,
        "weights_signed": told["weights_signed"] or None,
    }
    # A questionnaire that offers no such answer has none, and the study says so.
    facts |= {role: roles.get(role, "not offered") if vote else None for role in ("undecided", "dk", "wont_vote")}
    rejection = told["rejection"]
    facts["rejection_refusals"] = rejection["of_contacted"]
    facts["rejection_contacts"] = rejection["unsuccessful"]
    return facts


def rejection(session: Session, survey_id: int) -> dict[str, Any]:
    """The two rates of the annex with what they are shares of, over the attempts of all the survey's campaigns."""
    counted = outcomes.count(session, outcomes.Scope(survey_id))
    rates = counted.rejection
    return {"attempts": counted.tried.total, "reached": counted.tried.reached, "refused": counted.tried.refused,
            "of_attempts": rates.of_attempts, "of_contacted": rates.of_contacted,
            "unsuccessful": rates.unsuccessful}  # fmt: skip


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value else None
