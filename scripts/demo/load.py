"""The demonstration put into an empty database, all of it or nothing."""

import time
from datetime import date
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base import clock
from callcenter.base.auth import User
from callcenter.base.settings import Settings
from callcenter.gate import elections
from campaigns.correspondence import conversations
from scripts.demo import (
    SEED,
    chats,
    coding,
    floor,
    history,
    lists,
    mailing,
    panel,
    people,
    places,
    privacy,
    staff,
    structure,
    studies,
    verification,
)

ELECTION, ELECTION_NAME = date(2027, 6, 6), "Elecciones federales 2027"
CONTACTS, CALLS = 5000, 900
FIRST_ANSWER = 1  # the conversation that an operator finds waiting


def is_loaded(session: Session) -> bool:
    """Is anybody here already? Then the demonstration keeps its hands off."""
    return bool(session.scalar(select(exists().where(User.id.is_not(None)))))


def load_once(session: Session, settings: Settings) -> str:
    """Load and commit, unless somebody is there or the carrier is real; returns what was done, in words."""
    if not settings.is_drill:
        return "demo: not loaded. It belongs to drill mode: CONVOCA_CARRIER must be simulated."
    if is_loaded(session):
        return "demo: there are people here already; nothing was loaded"
    began = time.monotonic()
    counts = load(session, settings)
    session.commit()
    said = ", ".join(f"{number} {name}" for name, number in counts.items())
    return f"demo: loaded in {time.monotonic() - began:.1f} s: {said}"


def load(session: Session, settings: Settings, *, contacts: int = CONTACTS, calls: int = CALLS) -> dict[str, Any]:
    """Load everything; returns counts. Needs an application context. The caller commits."""
    clock.start_drill(session)
    elections.set_phases(session, calendar.election_of(ELECTION), name=ELECTION_NAME)
    user_ids = staff.load(session)
    lists.load(session, user_ids)
    section_ids = places.load(session)
    promoters = structure.load(session)
    people.load(session, section_ids, promoters, contacts, clock.campaign_now(session), seed=SEED)
    forms = structure.load_pledges(session, promoters, seed=SEED)
    made = studies.load(session, user_ids, settings)
    complete = history.load(session, made.calls.queue_id, made.survey.id, calls, seed=SEED)
    sent = mailing.load(session, made.sent, seed=SEED)
    by_link = panel.load(session, made.panel, made.sent, seed=SEED)
    chats.load(session, made.sent, seed=SEED)
    coding.load(session, made.survey.id, user_ids, seed=SEED)
    verification.load(session, made.survey.id, user_ids["encuestas"], seed=SEED)
    floor.load(session, user_ids, seed=SEED)
    conversations.assign(session, [FIRST_ANSWER], user_ids["operador"], user_ids["supervision"])
    cases = privacy.load(session, user_ids["administracion"])
    made.survey.state = "open"
    return {
        "users": len(user_ids),
        "sections": len(section_ids),
        "contacts": contacts,
        "pledges": forms,
        "calls": calls,
        "interviews": complete,
        "interviews by link": by_link,
        "messages": sent,
        "privacy requests": cases,
    }
