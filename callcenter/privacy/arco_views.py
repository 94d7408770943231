"""Pages of privacy requests, for administrators: the list with its lights, a case and what is done in it."""

from collections.abc import Callable
from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent, contacts
from callcenter.base import audit, languages
from callcenter.base.auth import User, access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.web import PAGE_SIZE, Page, page_number
from callcenter.contacts import Contact
from callcenter.phones import normalise
from callcenter.privacy import arco, arco_deadlines, person_erasure, person_exports, retention_policy
from callcenter.privacy.arco import ArcoRequest, Asked

blueprint = Blueprint("privacy", "callcenter", url_prefix="/privacy", template_folder="templates")
STEPS: dict[str, LazyString] = {
    "received": _l("Received"), "identity_checked": _l("Identity checked"), "answered": _l("Answered"),
    "carried_out": _l("Carried out"), "rejected": _l("Rejected"), "extended": _l("Deadline extended"),
    "linked": _l("Person found"), "unlinked": _l("No person of ours"), "exported": _l("Export made"),
    "blocked": _l("Data blocked"), "unblocked": _l("Block lifted"), "deleted": _l("Data deleted"),
    "opposed": _l("Kept off all lists"),
}  # fmt: skip


@blueprint.get("/")
@access("administrator")
def index() -> ResponseReturnValue:
    session, number, closed = web_session(), page_number(), request.args.get("closed") == "yes"
    rows = arco_deadlines.listed(session, closed=closed, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
    page = Page(rows[:PAGE_SIZE], number, len(rows) > PAGE_SIZE)
    return render_template("callcenter/privacy/index.html", page=page, closed=closed, **_words())


@blueprint.get("/new")
@access("administrator")
def new() -> ResponseReturnValue:
    contact_id = request.args.get("contact", type=int)
    contact = web_session().get(Contact, contact_id) if contact_id else None
    given = {"contact": contact_id, "asker": contact.name, "phone": contact.phone} if contact else {}
    return render_template("callcenter/privacy/new.html", form=given, faults={}, ways=arco.WAYS, **_words())


@blueprint.post("/")
@access("administrator")
def create() -> ResponseReturnValue:
    session, form = web_session(), request.form
    try:
        asked = Asked(
            form.get("kind", ""), form.get("asker", ""), form.get("answer_to", ""), _phone(form.get("phone", "")),
            form.get("text", ""), form.get("way", ""), form.get("is_representative") == "yes",
            _day(form.get("received_on", "")),
        )  # fmt: skip
        contact_id = form.get("contact", type=int)
        known = contact_id if contact_id and session.get(Contact, contact_id) else None
        case = arco.open_case(session, asked, current_user.id, contact_id=known)
    except InvalidInput as fault:
        shown = render_template(
            "callcenter/privacy/new.html", form=form, faults=fault.faults, ways=arco.WAYS, **_words()
        )
        return shown, 422
    session.commit()
    flash(_("The case is open. Its number for the person: %(reference)s", reference=case.reference), "success")
    return redirect(url_for("privacy.show", case_id=case.id))


@blueprint.get("/<int:case_id>")
@access("administrator")
def show(case_id: int) -> ResponseReturnValue:
    session = web_session()
    case = arco.get(session, case_id)
    audit.record(session, current_user.id, "privacy.look_up", f"privacy-request/{case_id}")
    session.commit()
    return _case_page(session, case)


def _case_page(session: Session, case: ArcoRequest, faults: dict[str, str] | None = None) -> str:
    history = arco.history(session, case.id)
    names = select(User.id, User.full_name).where(User.id.in_([step.user_id for step in history if step.user_id]))
    contact = session.get(Contact, case.contact_id) if case.contact_id else None
    candidates = consent.people_at(session, case.phone) if case.phone and contact is None else []
    return render_template(
        "callcenter/privacy/show.html",
        case=case, standing=arco_deadlines.stand(session, [case])[0], history=history, contact=contact,
        people=dict(session.execute(names).all()),
        candidates=[contacts.get(session, number) for number in candidates],
        exports=person_exports.of_person(session, contact.id) if contact else [], next=arco.NEXT[case.state],
        waiting=retention_policy.read(session).days_of("blocked"), documents=arco.DOCUMENTS, steps=STEPS,
        faults=faults or {}, form=request.form, **_words(),
    )  # fmt: skip


def _words() -> dict[str, object]:
    return {"kinds": arco.KINDS, "states": arco.STATES, "lights": arco_deadlines.LABELS, "way_labels": arco.WAYS}


@blueprint.post("/<int:case_id>/<any(identity, answer, carry_out, reject, extend, link, export, block, unblock, delete,"
                " oppose):act>")  # fmt: skip
@access("administrator")
def step(case_id: int, act: str) -> ResponseReturnValue:
    """One step in a case. What cannot be used is said on the page of the case, and nothing that was typed is lost."""
    session = web_session()
    case = arco.get(session, case_id)
    try:
        ACTS[act](session, case)
    except InvalidInput as fault:
        session.rollback()
        return _case_page(session, arco.get(session, case_id), fault.faults), 422
    session.commit()
    return redirect(url_for("privacy.show", case_id=case_id))


def _identity(session: Session, case: ArcoRequest) -> None:
    arco.check_identity(session, case.id, request.form.getlist("documents"), current_user.id)


def _said(move: Callable[[Session, int, str, int | None], None]) -> Callable[[Session, ArcoRequest], None]:
    return lambda session, case: move(session, case.id, request.form.get("note", ""), current_user.id)


def _link(session: Session, case: ArcoRequest) -> None:
    wanted = request.form.get("contact", "")
    if wanted and (not wanted.isdecimal() or session.get(Contact, int(wanted[:18])) is None):
        raise InvalidInput({"contact": _("There is no person with this number in the list.")})
    arco.link(session, case.id, int(wanted) if wanted else None, current_user.id)


def _export(session: Session, case: ArcoRequest) -> None:
    person_exports.ask(session, _person(case), current_user.id, request_id=case.id, language=languages.language())
    arco.note(session, case, "exported", current_user.id)


def _block(session: Session, case: ArcoRequest) -> None:
    reason = request.form.get("reason", "")
    person_erasure.block(session, _person(case), reason, current_user.id)
    arco.note(session, case, "blocked", current_user.id, reason.strip())


def _unblock(session: Session, case: ArcoRequest) -> None:
    reason = request.form.get("reason", "")
    person_erasure.unblock(session, _person(case), reason, current_user.id)
    arco.note(session, case, "unblocked", current_user.id, reason.strip())


def _delete(session: Session, case: ArcoRequest) -> None:
    keep_off = request.form.get("keep_off_lists") == "yes"
    reason = request.form.get("reason", "")
    person_erasure.delete(session, _person(case), current_user.id, reason=reason, keep_off_lists=keep_off)
    session.expire_all()
    arco.note(session, arco.get(session, case.id), "deleted", current_user.id)
    flash(_("The person's data are deleted on every floor."), "success")


def _oppose(session: Session, case: ArcoRequest) -> None:
    contact = contacts.get(session, _person(case))
    for phone in (contact.phone, *(extra.phone for extra in contact.extra_phones)):
        consent.opt_out(session, phone, reason="administrator", proof=f"privacy-request/{case.id}", source="opposition")
    audit.record(session, current_user.id, "contacts.opt_out", f"contact/{contact.id}")
    arco.note(session, case, "opposed", current_user.id)


ACTS: dict[str, Callable[[Session, ArcoRequest], None]] = {
    "identity": _identity, "answer": _said(arco.answer), "carry_out": _said(arco.carry_out),
    "reject": _said(arco.reject), "extend": _said(arco.extend), "link": _link, "export": _export, "block": _block,
    "unblock": _unblock, "delete": _delete, "oppose": _oppose,
}  # fmt: skip


@blueprint.post("/exports/<int:export_id>/take")
@access("administrator")
def take_export(export_id: int) -> ResponseReturnValue:
    """The ZIP, once."""
    session = web_session()
    content = person_exports.take(session, export_id, current_user.id)
    session.commit()
    headers = {"Content-Disposition": f"attachment; filename=person-{export_id}.zip", "Cache-Control": "no-store"}
    return Response(content, mimetype="application/zip", headers=headers)


def _person(case: ArcoRequest) -> int:
    """Whose data: only once somebody knows who asks. Raises Refused."""
    if case.contact_id is None:
        raise Refused("no_person", _("Say first which person of the list this is about."))
    if case.state in ("received", "rejected"):
        raise Refused("identity", _("Check first who asks: until then nothing is shown, blocked or deleted."))
    return case.contact_id


def _phone(written: str) -> str:
    if not written.strip():
        return ""
    numbers = normalise(written[:100]).numbers
    if len(numbers) != 1:
        raise InvalidInput({"phone": _("Write one phone number of ten digits, with its area code.")})
    return numbers[0].e164


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise InvalidInput({"received_on": _("Write the day as year, month and day.")}) from None
