"""Pages of notes: those that wait for a supervisor, and the list of words that an administrator edits."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.people import contact_notes

blueprint = Blueprint("notes", "callcenter", url_prefix="/contacts/notes", template_folder="templates")
REVIEWERS = ("administrator", "supervisor")
PAGE_SIZE = 50


@blueprint.get("")
@access(*REVIEWERS)
def index() -> ResponseReturnValue:
    return _page({}, None)


def _page(faults: dict[str, str], typed: str | None) -> str:
    session = web_session()
    after = request.args.get("after", 0, type=int)
    rows = contact_notes.to_review(session, after=after, limit=PAGE_SIZE + 1)
    return render_template(
        "callcenter/contacts/notes.html",
        rows=rows[:PAGE_SIZE],
        next_after=rows[PAGE_SIZE - 1].ContactNote.id if len(rows) > PAGE_SIZE else None,
        total=contact_notes.count_open(session),
        words="\n".join(contact_notes.words(session)) if typed is None else typed,
        faults=faults,
    )


@blueprint.post("/<int:note_id>/keep")
@access(*REVIEWERS)
def keep(note_id: int) -> ResponseReturnValue:
    session = web_session()
    contact_notes.keep(session, note_id, current_user.id)
    session.commit()
    return redirect(url_for("notes.index"))


@blueprint.post("/<int:note_id>/delete")
@access(*REVIEWERS)
def remove(note_id: int) -> ResponseReturnValue:
    session = web_session()
    contact_notes.remove(session, note_id, current_user.id)
    session.commit()
    flash(_("The note was deleted."), "success")
    return redirect(url_for("notes.index"))


@blueprint.post("/words")
@access("administrator")
def set_words() -> ResponseReturnValue:
    session = web_session()
    typed = request.form.get("words", "")
    try:
        contact_notes.set_words(session, typed.splitlines(), current_user.id)
        session.commit()
    except InvalidInput as fault:
        session.rollback()
        return _page(fault.faults, typed), 422
    flash(_("The words were kept. They count for what is written from now on."), "success")
    return redirect(url_for("notes.index"))
