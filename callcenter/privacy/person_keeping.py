"""What the ground floor keeps of a person: how it is erased, and which rows simply go with them."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, String, cast, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import Session

from callcenter import contacts, imports
from callcenter.attempts import Attempt
from callcenter.contacts import Contact
from callcenter.imports import ImportBatch, RefusedRow
from callcenter.ledger.call_ledger import Call, CallEvent
from callcenter.ledger.outcome_corrections import OutcomeCorrection
from callcenter.people import merges, pledges
from callcenter.privacy import person_register, person_sheets
from callcenter.privacy.arco import ArcoRequest, ArcoStep
from callcenter.privacy.person_exports import PersonExport
from callcenter.privacy.person_register import Gone, mentions
from callcenter.privacy.public_requests import PublicRequest
from callcenter.queues import QueueEntry

NOBODY = "gone-"  # and the row's own id: where a phone was; distinct, because phones are unique in places
BLOCKED = "blocked"  # why an entry is excluded
WAITING = ("uploaded", "mapping")  # states of a list that is not in yet
TABLES = (
    "contacts", "attempts", "calls", "call_events", "queue_entries", "refused_rows", "import_batches", "import_changes",
    "arco_requests", "arco_steps", "public_requests", "audit_entries", "contact_merges", "duplicate_pairs",
)  # fmt: skip

# Tables that look personal and hold no citizen.
SPARED = {
    "users": "who works here; an administrator disables them",
    "roles": "names of roles",
    "flags": "names of switches",
    "leases": "names of work",
    "call_queues": "names and scripts of campaigns",
    "organizations": "names of organisations",
    "promoters": "who brings pledges, as lists spell them; renamed or removed by an administrator on request",
    "suppressions": "keyed hashes: they must outlive the person, who else would be called again",
    "do_not_call_lists": "names and sizes of files",
    "do_not_call_phones": "keyed hashes of a public register",
    "duplicate_runs": "counts",
    "saved_mappings": "names of columns",
    "note_filters": "words that warn",
    "elections": "names of elections",
    "phases": "names of phases",
    "holidays": "names of days",
    "removed_people": "numbers of people who are gone, for a week",
    "removed_attempts": "numbers, for a week",
    "posts": "names of posts, not of who holds them",
    "past_elections": "public results",
    "election_results": "public results",
    "municipalities": "names of places",
    "districts": "names of places",
    "nominal_counts": "public counts",
    "sections": "names of places",
    "territory_batches": "names of public files",
    "contact_attributes": "names of typed columns, not their values",
    "switches": "addresses of our own machines",
    "softphones": "accounts of browsers of those who work here",
    "operator_lines": "how those who work here hear and speak, with the telephone they gave for it",
    "code_tries": "fingerprints of who tried a code of those who work here, for a day",
    "floor_notes": "what supervisors write to operators",
    "floor_note_readings": "which operator has seen a note",
    "transfer_targets": "numbers of offices and help lines that an administrator allows",
}


def compose() -> None:
    """Put the ground floor into the register, and let what is kept here follow merged people."""
    person_register.register("callcenter", export=person_sheets.export, erase=_erase, block=_block, tables=TABLES)
    _keep_rows()
    for table, why in SPARED.items():
        person_register.spare(table, why)
    for model in (ArcoRequest, PersonExport):
        merges.register_mover(model.__tablename__, *merges.column_mover(model.contact_id))


def _keep_rows() -> None:
    """Tables that go with the person by their foreign key."""
    at, proof, source, phone = _l("When"), _l("Proof"), _l("Source"), _l("Phone")
    person_register.keep_rows("consents", _l("Consents and refusals, with their proof"), {
        "at": at, "kind": _l("Answer"), "channel": _l("Channel"), "text_version": _l("Version of the notice"),
        "proof": proof, "source": source},
        {"kind": contacts.CONSENTS, "channel": person_sheets.CHANNELS})  # fmt: skip
    person_register.keep_rows("contact_phones", _l("Other phones"), {
        "phone": phone, "phone_raw": _l("As it was written"), "extension": _l("Extension"),
        "line_kind": _l("Kind of line")}, {"line_kind": contacts.LINE_KINDS})  # fmt: skip
    person_register.keep_rows("contact_notes", _l("Notes"), {"at": at, "text": _l("Note")})
    person_register.keep_rows("contact_aliases", _l("Other spellings in lists"), {
        "phone": phone, "name_key": _l("Name")})  # fmt: skip
    person_register.keep_rows("pledges", _l("Signed pledges"), {
        "signed_on": _l("Signed on"), "form_id": _l("Form"), "state": _l("State"), "proof": proof,
        "source": source}, {"state": pledges.STATES})  # fmt: skip
    person_register.keep_rows("post_holders", _l("Posts in the structure"), {
        "held_from": _l("From"), "held_to": _l("Until")})  # fmt: skip
    person_register.keep_rows("person_exports", _l("Exports of these data"), {
        "made_at": at, "state": _l("State")}, {"state": person_sheets.EXPORT_STATES})  # fmt: skip


def _block(session: Session, contact_id: int) -> int:
    """Out of every queue in which they wait."""
    waiting = (QueueEntry.contact_id == contact_id, QueueEntry.state == "waiting")
    return _count(session, update(QueueEntry).where(*waiting).values(state="excluded", reason=BLOCKED))


def _erase(session: Session, gone: Gone) -> dict[str, int]:
    counts = {
        "calls": _forget_calls(session, gone),
        "attempts": _count(session, update(Attempt).where(Attempt.contact_id.in_(gone.ids)).values(
            phone=literal(NOBODY) + cast(Attempt.id, String))),
        "refused_rows": _forget_refused(session, gone),
        "import_batches": _forget_lists(session, gone),
        "public_requests": _count(session, delete(PublicRequest).where(PublicRequest.phone.in_(gone.phones))),
        "arco_requests": _forget_cases(session, gone),
    }  # fmt: skip
    counts["contacts"] = _count(session, delete(Contact).where(Contact.id.in_(gone.ids)))
    return counts


def _forget_calls(session: Session, gone: Gone) -> int:
    """The calls stay as numbers; what a carrier or an operator said in them goes."""
    theirs = select(Attempt.id).where(Attempt.contact_id.in_(gone.ids), Attempt.channel == "call")
    _count(session, delete(CallEvent).where(CallEvent.call_id.in_(theirs)))
    _count(session, update(OutcomeCorrection).where(OutcomeCorrection.call_id.in_(theirs)).values(reason=""))
    return _count(session, update(Call).where(Call.id.in_(theirs)).values(note=None, cause=None, carrier_ref=None))


def _forget_refused(session: Session, gone: Gone) -> int:
    """Rows of lists that name them. A purge of everybody leaves these to their own, shorter term."""
    return _count(session, delete(RefusedRow).where(_says(RefusedRow.cells, gone))) if gone.names else 0


def _forget_lists(session: Session, gone: Gone) -> int:
    """A list that waits and shows rows that name them is cancelled, and its file is removed."""
    if not gone.names:
        return 0
    shown = select(ImportBatch.id).where(ImportBatch.preview.is_not(None), _shows(gone))
    found = list(session.scalars(shown.where(ImportBatch.state.in_(WAITING))))
    for import_id in found:
        imports.cancel(session, import_id, None)
        imports.forget_file(imports.get(session, import_id))
    session.flush()
    return len(found) + _count(session, update(ImportBatch).where(ImportBatch.id.in_(shown)).values(preview=None))


def _shows(gone: Gone) -> ColumnElement[bool]:
    """Does a row of a preview, or a cell among its samples, name them? Not: do its rows together hold their names."""
    parts = [
        func.jsonb_path_query(ImportBatch.preview, cast(path, JSONPATH)).column_valued(name)
        for name, path in (("row", "$.rows[*]"), ("sample", "$.samples.*[*]"))
    ]
    named = (select(part).where(_says(part, gone)).correlate(ImportBatch) for part in parts)
    return or_(*map(exists, named))


def _forget_cases(session: Session, gone: Gone) -> int:
    """The case stays as evidence of what was asked and done; who asked, and words that name them, go."""
    theirs = or_(ArcoRequest.contact_id.in_(gone.ids), ArcoRequest.phone.in_(gone.phones))
    found = list(session.scalars(select(ArcoRequest.id).where(theirs)))
    emptied = {"asker": None, "answer_to": None, "phone": None, "text": None, "contact_id": None}
    of_theirs = ArcoStep.request_id.in_(found)
    naming = _says(ArcoStep.note, gone) if gone.names else ArcoStep.note.is_not(None)
    _count(session, update(ArcoStep).where(of_theirs, naming).values(note=None))
    return _count(session, update(ArcoRequest).where(ArcoRequest.id.in_(found)).values(emptied))


def _says(column: Any, gone: Gone) -> ColumnElement[bool]:
    return mentions(cast(column, String), gone)


def _count(session: Session, statement: Any) -> int:
    done = session.connection().execute(statement.execution_options(preserve_rowcount=True))
    return int(done.rowcount)
