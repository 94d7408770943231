"""What is done to one person: their card and phones corrected, a note written. Their page: people.contact_views."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.people import attributes, contact_edit, contact_notes, contact_phones, contact_views, structure
from callcenter.people.contact_edit import SamePerson
from callcenter.people.contact_views import WRITERS
from callcenter.queueing import withdrawals

blueprint = Blueprint("person", "callcenter", url_prefix="/contacts/<int:contact_id>", template_folder="templates")
blueprint.context_processor(contact_views.words)


@blueprint.get("/edit")
@access(*WRITERS)
def edit(contact_id: int) -> ResponseReturnValue:
    session = web_session()
    contact = contacts.get(session, contact_id)
    return _form(session, contact_id, contact_edit.values(session, contact), {})


@blueprint.post("/edit")
@access(*WRITERS)
def save(contact_id: int) -> ResponseReturnValue:
    """A form with a fault, or one that is stale, is shown again with all that was typed."""
    session = web_session()
    given = request.form.to_dict()
    try:
        changed = contact_edit.save(session, contact_id, given, given.get("seen", ""), current_user.id)
        session.commit()
    except InvalidInput as fault:
        session.rollback()
        return _form(session, contact_id, given, fault.faults), 422
    except SamePerson as same:
        session.rollback()
        return _form(session, contact_id, given, {"name": str(same)}, other_id=same.other_id), 409
    flash(_("The person was corrected.") if changed else _("Nothing was changed."), "success")
    return redirect(url_for("contacts.show", contact_id=contact_id))


def _form(
    session: Session, contact_id: int, given: dict[str, str], faults: dict[str, str], other_id: int | None = None
) -> str:
    contact = contacts.get(session, contact_id)
    return render_template(
        "callcenter/contacts/edit.html",
        contact=contact,
        given=given,
        faults=faults,
        other_id=other_id,
        seen=contact_edit.version(contact_edit.values(session, contact)),
        attributes=attributes.all_attributes(session),
        typed_label=contact_edit.LABELS,
        organizations=[one.name for one in structure.organizations(session)],
    )


@blueprint.post("/phones")
@access(*WRITERS)
def add_phone(contact_id: int) -> ResponseReturnValue:
    said = request.form.get("phone", "")

    def add(session: Session) -> str:
        added = contact_phones.add(session, contact_id, said, current_user.id)
        return str(_("Added: %(phones)s.", phones=", ".join(added)))

    return _change_phones(contact_id, add, typed=said)


@blueprint.post("/phones/<int:phone_id>/remove")
@access(*WRITERS)
def remove_phone(contact_id: int, phone_id: int) -> ResponseReturnValue:
    def remove(session: Session) -> str:
        contact_phones.remove(session, contact_id, phone_id, current_user.id)
        return str(_("The phone was removed."))

    return _change_phones(contact_id, remove)


@blueprint.post("/phones/<int:phone_id>/first")
@access(*WRITERS)
def make_first(contact_id: int, phone_id: int) -> ResponseReturnValue:
    def put_first(session: Session) -> str:
        contact_phones.make_first(session, contact_id, phone_id, current_user.id)
        return str(_("This person is called there first from now on."))

    return _change_phones(contact_id, put_first)


def _change_phones(contact_id: int, change: Callable[[Session], str], typed: str = "") -> ResponseReturnValue:
    session = web_session()
    try:
        done = change(session)
        session.commit()
    except InvalidInput as fault:
        session.rollback()
        return _page(session, contact_id, phone_fault=str(fault), typed_phone=typed), 422
    except SamePerson as same:
        session.rollback()
        return _page(session, contact_id, phone_fault=str(same), other_id=same.other_id), 409
    flash(done, "success")
    return redirect(url_for("contacts.show", contact_id=contact_id, _anchor="phones"))


@blueprint.post("/voted")
@access(*WRITERS)
def report_voted(contact_id: int) -> ResponseReturnValue:
    """Somebody says that the person has voted (`has_voted` `no`: that it was a mistake). On election day only."""
    session = web_session()
    contact = contacts.get(session, contact_id)
    if not contact_views.is_election_day(session, contact.state):
        raise Refused("election_day", _("Who has voted is reported on election day only."))
    if request.form.get("has_voted") == "no":
        lists = withdrawals.unreport_voted(session, contact_id, current_user.id)
        said = _("The report was taken back; lists on which the person waits again: %(lists)s.", lists=lists)
    else:
        lists = withdrawals.report_voted(session, [contact_id], current_user.id, source="page of the person")
        said = _("Nobody calls this person about voting any more; lists that they left: %(lists)s.", lists=lists)
    session.commit()
    flash(said, "success")
    return redirect(url_for("contacts.show", contact_id=contact_id))


@blueprint.post("/notes")
@access(*WRITERS)
def write_note(contact_id: int) -> ResponseReturnValue:
    """A note with words of the list is saved only when the warning was read: the second press."""
    session = web_session()
    contacts.get(session, contact_id)
    said, despite = request.form.get("text", ""), request.form.get("despite_words") == "1"
    try:
        contact_notes.write(session, contact_id, said, current_user.id, despite_words=despite)
        session.commit()
    except InvalidInput as fault:
        session.rollback()
        return _page(session, contact_id, note_fault=str(fault), typed_note=said), 422
    except Refused as refused:
        session.rollback()
        return _page(session, contact_id, note_warning=str(refused), typed_note=said), 409
    flash(_("The note was kept."), "success")
    return redirect(url_for("contacts.show", contact_id=contact_id, _anchor="notes"))


def _page(session: Session, contact_id: int, **said: Any) -> str:
    return contact_views.person_page(session, contact_id, **said)
