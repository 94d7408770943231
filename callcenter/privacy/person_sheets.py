"""What the ground floor holds of a person, as sheets for their export."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.attempts import Attempt
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import ROLE_LABELS, User
from callcenter.contacts import Contact
from callcenter.imports import ImportBatch
from callcenter.ledger import dispositions
from callcenter.ledger.call_ledger import Call
from callcenter.lists.import_undo import ImportChange
from callcenter.privacy.arco import KINDS, STATES, ArcoRequest
from callcenter.privacy.person_register import Sheet, in_words
from callcenter.queues import CallQueue, QueueEntry

_AT, _CAMPAIGN, _STATE = _l("When"), _l("Campaign"), _l("State")
_LABELS = {
    "name": _l("Name"), "sex": _l("Sex"), "age": _l("Age"), "phone": _l("Phone"),
    "phone_raw": _l("Phone as it was written"), "extension": _l("Extension"), "line_kind": _l("Kind of line"),
    "neighborhood": _l("Neighbourhood"), "municipality": _l("Municipality"), "state": _l("State of the country"),
    "section_number": _l("Section"), "promoter": _l("Promoter"), "is_member": _l("Member of the organisation"),
    "holds_post": _l("Holds a post"), "language": _l("Language"), "source": _l("Where the data came from"),
    "consent": _l("Consent"), "suppressed": _l("Must not be contacted"), "blocked_at": _l("Data blocked since"),
    "created_at": _l("In the list since"), "updated_at": _l("Changed last"),
}  # fmt: skip
CHANNELS = {"all": _l("Every channel"), "call": _l("Call"), "sms": _l("SMS"), "whatsapp": _l("WhatsApp"),
            "telegram": _l("Telegram"), "email": _l("E-mail")}  # fmt: skip
EXPORT_STATES = {
    "asked": _l("being made"), "ready": _l("ready"), "taken": _l("taken"), "expired": _l("too old, emptied"),
}  # fmt: skip
_ENTRIES = {
    "waiting": _l("waiting"), "calling": _l("being called"), "done": _l("done"), "excluded": _l("left out"),
}  # fmt: skip
_CODES = {"sex": contacts.SEXES, "line_kind": contacts.LINE_KINDS, "consent": contacts.CONSENTS}


def export(session: Session, contact_id: int) -> list[Sheet]:
    """The person, their calls, queues, lists, privacy requests, and who looked at them."""
    person = contacts.get(session, contact_id)
    return [
        _person(person),
        _calls(session, contact_id),
        _queues(session, contact_id),
        _imports(session, person),
        _cases(session, contact_id),
        _seen(session, contact_id),
    ]


def _person(person: Contact) -> Sheet:
    rows: list[tuple[Any, Any]] = []
    for field, label in _LABELS.items():
        value = getattr(person, field)
        if value is not None:
            rows.append((str(label), str(_CODES[field].get(value, value)) if field in _CODES else value))
    rows += [(key, value) for key, value in person.attributes.items()]
    return Sheet("person", _l("The person"), [_l("Datum"), _l("Value")], rows)


def _calls(session: Session, contact_id: int) -> Sheet:
    rows = session.execute(
        select(Attempt.at, CallQueue.name, CallQueue.on_behalf_of, Attempt.phone, Attempt.outcome, Call.disposition,
               Call.note)
        .join(Call, Call.id == Attempt.id).join(CallQueue, CallQueue.id == Call.queue_id)
        .where(Attempt.contact_id == contact_id).order_by(Attempt.at)
    )  # fmt: skip
    told = [(*row[:4], dispositions.label(row.disposition or row.outcome), row.note) for row in rows]
    return Sheet("calls", _l("Calls"), [_AT, _CAMPAIGN, _l("On behalf of"), _l("Phone"), _l("What became of it"),
                                        _l("Note of the operator")], told)  # fmt: skip


def _queues(session: Session, contact_id: int) -> Sheet:
    rows = session.execute(
        select(CallQueue.name, QueueEntry.state, QueueEntry.reason, QueueEntry.not_before)
        .join(CallQueue, CallQueue.id == QueueEntry.queue_id).where(QueueEntry.contact_id == contact_id)
        .order_by(QueueEntry.id)
    )  # fmt: skip
    return Sheet("queues", _l("Calling campaigns they are in"), [_CAMPAIGN, _STATE, _l("Reason"), _l("Not before")],
                 [(row.name, in_words(_ENTRIES, row.state), *row[2:]) for row in rows])  # fmt: skip


def _imports(session: Session, person: Contact) -> Sheet:
    changed = select(ImportChange.import_id).where(ImportChange.contact_id == person.id)
    theirs = or_(ImportBatch.id == person.import_id, ImportBatch.id.in_(changed))
    batches = session.scalars(select(ImportBatch).where(theirs).order_by(ImportBatch.id))
    rows = [(batch.created_at, batch.source, batch.file_name, batch.notice_version) for batch in batches]
    return Sheet("imports", _l("Lists the data came from"),
                 [_AT, _l("Source"), _l("File"), _l("Version of the notice")], rows)  # fmt: skip


def _cases(session: Session, contact_id: int) -> Sheet:
    cases = session.scalars(select(ArcoRequest).where(ArcoRequest.contact_id == contact_id).order_by(ArcoRequest.id))
    rows = [(case.received_at, case.reference, str(KINDS[case.kind]), str(STATES[case.state]), case.text)
            for case in cases]  # fmt: skip
    return Sheet("privacy_requests", _l("Privacy requests"), [_AT, _l("Reference"), _l("Request"), _STATE, _l("Text")],
                 rows)  # fmt: skip


def _seen(session: Session, contact_id: int) -> Sheet:
    """Who saw or changed the data: by role and number, because who works here is a person, too."""
    rows = session.execute(
        select(AuditEntry, User).outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.subject == f"contact/{contact_id}").order_by(AuditEntry.id)
    )  # fmt: skip
    told = [(entry.at, entry.action, ", ".join(str(ROLE_LABELS[role.name]) for role in user.roles) if user else "",
             user.id if user else None) for entry, user in rows]  # fmt: skip
    return Sheet("seen_by", _l("Who saw or changed the data"), [_AT, _l("Act"), _l("Role"), _l("Number of who did it")],
                 told)  # fmt: skip
