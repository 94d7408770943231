"""Privacy requests of invented people: one that just came in, one that waits, one that is to be carried out."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, campaign_now
from callcenter.contacts import Contact
from callcenter.privacy import arco
from callcenter.privacy.arco import Asked


def load(session: Session, user_id: int) -> int:
    """Write the cases, as an administrator would; returns how many."""
    today = campaign_now(session).astimezone(ZONE).date()
    kinds = (("access", 16, "letter"), ("cancellation", 9, "phone"), ("opposition", 0, "in_person"))
    people = session.scalars(select(Contact).order_by(Contact.id).offset(40).limit(len(kinds))).all()
    for person, (kind, days, way) in zip(people, kinds, strict=True):
        day = today - timedelta(days=days)
        asked = Asked(kind, person.name, "correo@example.org", person.phone, way=way, received_on=day)
        case = arco.open_case(session, asked, user_id, contact_id=person.id)
    arco.check_identity(session, case.id, ["voter_card"], user_id)
    arco.answer(session, case.id, "Se le dijo que no se le volverá a contactar.", user_id)
    return len(kinds)
