"""Who brought the demonstration's people: organisations, promoters and signed forms, some of them denied later."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE
from callcenter.contacts import Contact, text_key
from callcenter.people.pledges import Pledge, series
from callcenter.people.posts import Post
from callcenter.people.structure import Organization, Promoter
from scripts.demo import rows

ORGANIZATIONS = ("Comité municipal", "Mujeres del Sur", "Jóvenes por Minatitlán")
PROMOTERS = 24
FORMS_BEGAN, FORM_DAYS = date(2027, 3, 1), 60
PLEDGED, TWICE = 0.6, 0.03  # shares of those who accepted: with a form; with two, of two promoters
# Of verified forms near half are denied: that is why they are verified.
STATES = {"pending": 0.62, "confirmed": 0.19, "denied": 0.13, "unreachable": 0.06}


def load(session: Session) -> dict[int, tuple[int, int]]:
    """Insert organisations, promoters and the first posts; returns by promoter's number their id and organisation."""
    named = [{"name": name, "name_key": text_key(name)} for name in ORGANIZATIONS]
    session.execute(insert(Organization), named)
    by_name = dict(session.execute(select(Organization.name, Organization.id)).all())
    houses = [by_name[name] for name in ORGANIZATIONS]
    brought = [(name_of(number), houses[number % len(houses)]) for number in range(1, PROMOTERS + 1)]
    session.execute(
        insert(Promoter),
        [{"name": name, "name_key": text_key(name), "organization_id": house} for name, house in brought],
    )
    _posts(session)
    ids = dict(session.execute(select(Promoter.name, Promoter.id)).all())
    return {number: (ids[name_of(number)], houses[number % len(houses)]) for number in range(1, PROMOTERS + 1)}


def name_of(number: int) -> str:
    return f"Promotor {number:02}"


def load_pledges(session: Session, promoters: dict[int, tuple[int, int]], *, seed: int) -> int:
    """Give most people who accepted the notice a signed form, a few two; returns how many forms."""
    dice = random.Random(f"{seed}/pledges")
    people = session.execute(
        select(Contact.id, Contact.promoter_id).where(Contact.consent == "opted_in").order_by(Contact.id)
    ).all()
    of_promoter = dict(promoters.values())
    forms: list[dict[str, Any]] = []
    for contact_id, promoter_id in people:
        if promoter_id is not None and dice.random() < PLEDGED:
            forms.append(_form(contact_id, promoter_id, of_promoter[promoter_id], len(forms) + 1, dice))
            if dice.random() < TWICE:
                other = dice.choice(sorted(set(of_promoter) - {promoter_id}))
                forms.append(_form(contact_id, other, of_promoter[other], len(forms) + 1, dice))
    rows.copy(session, Pledge, forms)
    return len(forms)


def _form(contact_id: int, promoter_id: int, organization_id: int, number: int, dice: random.Random) -> dict[str, Any]:
    signed = FORMS_BEGAN + timedelta(days=dice.randrange(FORM_DAYS))
    state = dice.choices(tuple(STATES), tuple(STATES.values()))[0]
    captured = datetime.combine(signed + timedelta(days=2), time(10), ZONE)
    return {
        "contact_id": contact_id,
        "promoter_id": promoter_id,
        "organization_id": organization_id,
        "series": series(organization_id, promoter_id),
        "form_id": f"{number:05}",
        "signed_on": signed,
        "proof": f"caja {1 + number // 500}",
        "state": state,
        "verified_at": None if state == "pending" else captured + timedelta(days=3, hours=number % 8),
        "captured_at": captured,
        "source": "Demostración",
    }


def _posts(session: Session) -> None:
    town = Post(kind="coordinator", level="municipality", name="Coordinación de Minatitlán", state=30,
                municipality_code=109)  # fmt: skip
    session.add(town)
    session.flush()
    session.add_all(
        Post(parent_id=town.id, kind="coordinator", level="zone", name=f"Zona {zone}", state=30, municipality_code=109)
        for zone in ("norte", "sur")
    )
