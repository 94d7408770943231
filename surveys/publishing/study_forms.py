"""The form of a study's record: what stands in it, and what a person wrote into it. Nothing typed is lost."""

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from surveys import studies
from surveys.studies import MOST_PAYERS, PARTIES, PARTY_FIELDS, RECORD_FIELDS, Payer, Study, Written

EMPTY_ROWS = 2  # for payers to come
# What each text of the record is for, beside its name in the checklist.
HELP: dict[str, LazyString] = {
    "objectives": _l("What the study wants to know, and for what it is done."),
    "population": _l("Who could be interviewed: age, place, registered to vote."),
    "frame": _l(
        "Where the numbers or people come from: numbering plan or list, its date, its size, what was left out."
    ),
    "sampling": _l("How people were drawn: seed, strata, replicates released, quotas, tries for each number."),
    "collection": _l("By whom and how people were asked, at which hours, in which languages."),
    "estimation": _l("How figures follow from interviews, and why these weights."),
    "nonresponse": _l("What was done with people who did not answer, or answered in part."),
    "processing": _l("How the answers were checked, coded and cleaned before counting."),
    "limits": _l("What these figures cannot say."),
}
PARTY_LABELS: dict[str, LazyString] = {
    "name": _l("Full name"),
    "legal_name": _l("Registered name (denominación social)"),
    "contact": _l("Address, phone and e-mail"),
}


def values(study: Study) -> dict[str, Any]:
    """Name of the field -> what stands in it."""
    found: dict[str, Any] = {
        "title": study.title,
        "election_id": str(study.election_id or ""),
        "scope": study.scope,
        "states": [str(state) for state in study.states],
        "is_first": "yes" if study.record.get("is_first") else "",
    }
    found |= {f"record.{field}": study.record.get(field, "") for field in RECORD_FIELDS}
    for party in PARTIES:
        fields = study.parties.get(party, {})
        found |= {f"parties.{party}.{field}": fields.get(field, "") for field in PARTY_FIELDS}
    for number, row in enumerate(study.resources):
        found |= {f"{field}-{number}": row[field] for field in ("payer", "amount", "document")}
    return found


def typed(form: MultiDict[str, str]) -> dict[str, Any]:
    """What was written, as `values` has it, for a form that is shown again."""
    return {name: form.get(name, "") for name in form} | {"states": form.getlist("states")}


def rows(found: Mapping[str, Any]) -> range:
    """How many rows of payers the form shows."""
    filled = [int(name.rpartition("-")[2]) for name in found if name.startswith("payer-") and _row(found, name)]
    return range(min(MOST_PAYERS, max(filled, default=-1) + 1 + EMPTY_ROWS))


def _row(found: Mapping[str, Any], name: str) -> bool:
    number = name.rpartition("-")[2]
    return number.isdigit() and any(found.get(f"{field}-{number}") for field in ("payer", "amount", "document"))


def read(form: MultiDict[str, str]) -> Written:
    """What was written, as the study takes it; `studies.save` says what is wrong with it."""

    def said(name: str) -> str:
        return form.get(name, "").replace("\0", "").strip()

    election = said("election_id")
    payers = [
        Payer(said(f"payer-{number}"), said(f"amount-{number}"), said(f"document-{number}"))
        for number in range(MOST_PAYERS)
        if any(said(f"{field}-{number}") for field in ("payer", "amount", "document"))
    ]
    record: dict[str, Any] = {field: said(f"record.{field}") for field in RECORD_FIELDS}
    record["is_first"] = said("is_first") == "yes"
    return Written(
        title=said("title"),
        election_id=int(election) if election.isascii() and election.isdigit() else None,
        scope=said("scope"),
        states=tuple(int(state) for state in form.getlist("states") if state.isascii() and state.isdigit()),
        record=record,
        parties={party: {field: said(f"parties.{party}.{field}") for field in PARTY_FIELDS} for party in PARTIES},
        resources=payers,
    )


def firm(form: MultiDict[str, str]) -> dict[str, str]:
    return {field: form.get(field, "").replace("\0", "").strip() for field in studies.FIRM_FIELDS}
