"""People with links of their own to a survey, for the tests."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.contacts import Contact
from surveys.fieldwork import survey_links

SPONSOR = "Instituto Inventado"


def person(session: Session, name: str = "Lupita Prueba", **more: object) -> Contact:
    number = session.scalar(select(func.count()).select_from(Contact)) or 0
    fields = {
        "name": name, "given_names": name.split(maxsplit=1)[0], "name_key": name.lower(), "phone": f"+5292{number:08}",
        "source": "test", "sex": "M", "age": 41, "invented": True, "consent": "opted_in", "line_kind": "mobile",
    } | more  # fmt: skip
    contact = Contact(**fields)
    session.add(contact)
    session.flush()
    return contact


def code_of(session: Session, survey_id: int, contact: Contact) -> str:
    """The last part of the person's link, made now."""
    given = survey_links.give(session, survey_id, [contact.id], source="test", on_behalf_of=SPONSOR)
    session.commit()
    return given[contact.id].rpartition("/")[2]
