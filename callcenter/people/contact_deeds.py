"""What the ground floor tells of a person besides calls: the list that brought them, merges, notes, consents."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.consent import Consent
from callcenter.contacts import CONSENTS, SOURCES, Contact
from callcenter.imports import ImportBatch
from callcenter.people import contact_history
from callcenter.people.contact_history import Deed, earlier
from callcenter.people.contact_notes import ContactNote
from callcenter.people.duplicates import RULES
from callcenter.people.merges import ContactMerge


def compose() -> None:
    """Tell the page of a person."""
    contact_history.register("imports", imports, _l("Imports"))
    contact_history.register("merges", merges, _l("Merges"))
    contact_history.register("notes", notes, _l("Notes"))
    contact_history.register("consents", consents, _l("Consents"))


def imports(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """The list with which the person came (real time)."""
    brought = (
        select(Contact.created_at, ImportBatch.source, ImportBatch.id)
        .join(ImportBatch, ImportBatch.id == Contact.import_id)
        .where(Contact.id == contact_id)
    )
    rows = session.execute(earlier(brought, Contact.created_at, limit, before))
    return [Deed(at, _("Import"), source, _("Came with list number %(id)s", id=number)) for at, source, number in rows]


def merges(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """Who was merged into this person, and came apart again."""
    into = select(ContactMerge).where(ContactMerge.kept_id == contact_id)
    deeds = []
    for made in session.scalars(earlier(into, ContactMerge.at, limit, before)):
        rule = RULES.get(made.rule, made.rule)
        said = _("Number %(id)s was merged into this person: %(rule)s", id=made.removed_id, rule=rule)
        if made.undone_at is not None:
            said = _("Number %(id)s was merged into this person; it was undone", id=made.removed_id)
        deeds.append(Deed(made.at, _("Merge"), "", said))
    return deeds


def notes(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """That somebody wrote a note; what it says stands among the notes."""
    written = select(ContactNote.at).where(ContactNote.contact_id == contact_id, ContactNote.call_id.is_(None))
    times = session.scalars(earlier(written, ContactNote.at, limit, before))
    return [Deed(at, _("Note"), "", _("A note was written")) for at in times]


def consents(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """What the person answered to the privacy notice, and where the proof is."""
    rows = session.scalars(earlier(select(Consent).where(Consent.contact_id == contact_id), Consent.at, limit, before))
    return [
        Deed(row.at, _("Consent"), str(SOURCES.get(row.source, row.source)),
             _("%(answer)s (proof: %(proof)s)", answer=CONSENTS.get(row.kind, row.kind), proof=row.proof))
        for row in rows
    ]  # fmt: skip
