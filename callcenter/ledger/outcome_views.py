"""Calls and what became of them: a supervisor looks one up, and corrects its outcome with a reason."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base import audit, navigation
from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.web import PAGE_SIZE, Page, page_number
from callcenter.contacts import Contact
from callcenter.gate import rulebook
from callcenter.ledger import dispositions, outcome_corrections, outcome_search
from callcenter.ledger.outcome_search import Filter
from callcenter.places import zones
from callcenter.queueing import callbacks
from callcenter.tables.table_files import csv_line

blueprint = Blueprint("outcomes", "callcenter", url_prefix="/floor/calls", template_folder="templates")
READERS = ("supervisor", "administrator")
MOST_EXPORTED = 100_000


@blueprint.get("/")
@access(*READERS)
def page() -> str:
    session, wanted, number = web_session(), Filter.read(request.args), page_number()
    query = outcome_search.found(wanted).limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    rows = session.execute(query).all()
    return render_template(
        "callcenter/floor/calls.html", page=Page(rows[:PAGE_SIZE], number, len(rows) > PAGE_SIZE), wanted=wanted,
        asked=request.args, queues=outcome_search.queues(session), operators=outcome_search.operators(session),
        outcomes=dispositions.DISPOSITIONS, outcome_label=dispositions.label,
    )  # fmt: skip


@blueprint.get("/calls.csv")
@access(*READERS)
def export() -> ResponseReturnValue:
    """The list as it is filtered, at most 100,000 calls; it names no citizen."""
    session = web_session()
    audit.record(session, int(current_user.id), "calls.list", "calls")
    session.commit()
    headers = {"Content-Disposition": "attachment; filename=calls.csv", "Cache-Control": "no-store"}
    return Response(stream_with_context(_lines(session)), mimetype="text/csv", headers=headers)


@blueprint.get("/<uuid:call_id>")
@access(*READERS)
def call_page(call_id: UUID) -> str:
    """One call, what was said of it, and the form that corrects it."""
    return _call_page(call_id, {}, {})


@blueprint.post("/<uuid:call_id>")
@access(*READERS)
def correct(call_id: UUID) -> ResponseReturnValue:
    session, form = web_session(), request.form
    try:
        at = _callback_at(session, call_id, form)
        made = outcome_corrections.correct(
            session, call_id, form.get("code", ""), form.get("reason", ""), int(current_user.id), callback_at=at
        )
    except InvalidInput as fault:
        session.rollback()
        return _call_page(call_id, form, fault.faults), 422
    except Refused as refusal:
        session.rollback()
        return _call_page(call_id, form, {"": str(refusal)}), 409
    is_followed = made.is_followed
    session.commit()
    flash(_("The outcome is corrected; both stand in the history."), "success")
    if not is_followed:
        flash(_("The person's place in the queue stays as it is: they have been called since, or taken out of it."),
              "warning")  # fmt: skip
    return redirect(url_for("outcomes.call_page", call_id=call_id))


def _lines(session: Session) -> Iterator[str]:
    heads = (_("When"), _("Campaign"), _("Operator"), _("Outcome"), _("Corrected"), _("Seconds talked"), _("Number"))
    yield "\ufeff" + csv_line(heads)
    query = outcome_search.found(Filter.read(request.args)).limit(MOST_EXPORTED)
    for row in session.execute(query.execution_options(yield_per=500)):
        yield csv_line((
            row.at.isoformat(timespec="seconds"), row.queue, row.operator, dispositions.label(row.outcome),
            _("yes") if row.is_corrected else "", int(row.seconds or 0), row.Call.id,
        ))  # fmt: skip


def _call_page(call_id: UUID, given: Mapping[str, str], faults: Mapping[str, str]) -> str:
    session = web_session()
    row = outcome_search.one(session, call_id)
    sees_person = row.contact_id is not None and navigation.is_open("contacts.show")
    return render_template(
        "callcenter/floor/call.html", row=row, call=row.Call, given=given, faults=faults,
        history=outcome_corrections.of_call(session, call_id), may_correct=outcome_corrections.may_correct(row.Call),
        outcomes=dispositions.listed(), outcome_label=dispositions.label, length=outcome_corrections.LENGTH,
        person_url=url_for("contacts.show", contact_id=row.contact_id) if sees_person else None,
    )  # fmt: skip


def _callback_at(session: Session, call_id: UUID, form: Mapping[str, str]) -> datetime | None:
    """The time of a callback as a person writes it, in the citizen's own time. Raises InvalidInput."""
    text = form.get("callback_text", "").strip()
    if form.get("code") != "callback" or not text:
        return None
    row = outcome_search.one(session, call_id)
    person = session.get(Contact, row.contact_id) if row.contact_id is not None else None
    theirs = zones.zones_of(person.state, person.municipality, row.Call.attempt.phone) if person else (ZONE,)
    try:
        now = campaign_now(session).astimezone(theirs[0])
        return callbacks.from_words(text[:120], now, theirs, rulebook.read(session).hours_on)
    except InvalidInput as fault:
        raise InvalidInput({"callback_at": str(fault)}) from None
