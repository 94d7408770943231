"""What an interview learns from its call without asking: section, age, who calls on whose behalf."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, campaign_now
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.queues import CallQueue
from callcenter.territory import Section
from surveys.faces.sentences import CALLER, tongue
from surveys.fieldwork import interview_people
from surveys.fieldwork.interview_ledger import Interview
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.forms.items import Items


def of_call(session: Session, call_id: UUID, user_id: int | None, face: str = "screen") -> tuple[dict[str, str], str]:
    """Values filled from the call, none of them the person's identity; and the person's language."""
    row = session.execute(
        select(
            Contact.sex,
            Contact.age,
            Contact.language,
            func.coalesce(Section.state, Contact.state).label("state"),
            func.coalesce(Section.number, Contact.section_number).label("section"),
            Section.kind.label("section_kind"),
            Section.federal_district,
            Section.local_district,
            func.coalesce(Section.municipality, Contact.municipality).label("municipality"),
            CallQueue.on_behalf_of.label("sponsor"),
            CallQueue.name.label("campaign"),
        )
        .select_from(Call)
        .join(Attempt, Attempt.id == Call.id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(Contact, Contact.id == Attempt.contact_id)
        .outerjoin(Section, Section.id == Contact.section_id)
        .where(Call.id == call_id)
    ).one()
    facts = {key: str(value) for key, value in row._mapping.items() if value is not None and key != "language"}
    facts["today"] = campaign_now(session).astimezone(ZONE).date().isoformat()
    operator = session.get(User, user_id) if user_id else None
    language = row.language or "es"
    machine = (
        CALLER.get(tongue(language) or "es", "") if face in ("agi", "twiml") else ""
    )  # said where a questionnaire names it
    facts["operator_name"] = operator.full_name if operator else machine
    return facts, language


def of_link(session: Session, link: SurveyLink, face: str = "web") -> tuple[dict[str, str], str]:
    """The same for an interview by a person's own link: nobody calls, `sponsor` is whom the link's page names."""
    row = session.execute(
        select(
            Contact.sex, Contact.age, Contact.language, Section.kind.label("section_kind"),
            func.coalesce(Section.state, Contact.state).label("state"),
            func.coalesce(Section.number, Contact.section_number).label("section"),
            Section.federal_district, Section.local_district,
            func.coalesce(Section.municipality, Contact.municipality).label("municipality"),
        )
        .select_from(Contact).outerjoin(Section, Section.id == Contact.section_id)
        .where(Contact.id == link.contact_id)
    ).one_or_none()  # fmt: skip
    known: Mapping[Any, Any] = row._mapping if row is not None else {}
    facts = {str(key): str(value) for key, value in known.items() if value is not None and key != "language"}
    facts |= {"sponsor": link.on_behalf_of, "today": campaign_now(session).astimezone(ZONE).date().isoformat()}
    language = str(known.get("language") or "es")
    return facts | {"operator_name": CALLER.get(tongue(language) or "es", "") if face != "web" else ""}, language


def for_items(items: Items, hidden: Mapping[str, str]) -> dict[str, str]:
    """The hidden items' values; other facts of the call (kept for the results) are not answers to a question."""
    wanted = {item["name"] for item in items["items"] if item["type"] == "hidden"} | {"today"}
    return {name: value for name, value in hidden.items() if name in wanted}


def personal(session: Session, items: Items, interview: Interview) -> dict[str, str]:
    """The person's given names for the wording, when a form has a hidden `given_names`: read anew, never stored."""
    return _name(session, interview_people.contact_of(session, interview)) if _asks_name(items) else {}


def personal_in_call(session: Session, items: Items, call_id: UUID) -> dict[str, str]:
    """The same before there is an interview."""
    if not _asks_name(items):
        return {}
    return _name(session, session.scalar(select(Attempt.contact_id).where(Attempt.id == call_id)))


def _asks_name(items: Items) -> bool:
    return any(item["name"] == "given_names" and item["type"] == "hidden" for item in items["items"])


def _name(session: Session, contact_id: int | None) -> dict[str, str]:
    return {"given_names": session.scalar(select(Contact.given_names).where(Contact.id == contact_id)) or ""}
