"""Pages of duplicates: what waits, two people side by side, the merging of all certain pairs, and the undo."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact
from callcenter.people import attributes, contact_edit, contact_views, duplicate_runs, duplicates, merges
from callcenter.people.contact_views import WRITERS
from callcenter.people.merge_fields import ATTRIBUTE, GROUPS

blueprint = Blueprint("duplicates", "callcenter", url_prefix="/contacts", template_folder="templates")
blueprint.context_processor(contact_views.words)
PAGE_SIZE = 50
DECIDE_ALL = ("administrator", "supervisor")
GROUP_LABELS: dict[str, LazyString] = {
    "name": _l("Name"), "phone": _l("First phone"), "sex": _l("Sex"), "age": _l("Age"), "section": _l("Section"),
    "neighborhood": _l("Neighbourhood"), "municipality": _l("Municipality"), "promoter": _l("Promoter"),
    "organization": _l("Organisation"), "language": _l("Language"),
}  # fmt: skip


@blueprint.get("/duplicates")
@access(*WRITERS)
def index() -> ResponseReturnValue:
    session = web_session()
    after = request.args.get("after", 0, type=int)
    rows = duplicates.waiting(session, after=after, limit=PAGE_SIZE + 1)
    return render_template(
        "callcenter/contacts/duplicates.html",
        rows=rows[:PAGE_SIZE],
        next_after=rows[PAGE_SIZE - 1][0].id if len(rows) > PAGE_SIZE else None,
        after=after,
        may_merge_all=current_user.has_role("administrator") or current_user.has_role("supervisor"),
        **_work(session),
    )


@blueprint.get("/duplicates/work")
@access(*WRITERS)
def work() -> ResponseReturnValue:
    """The part of the page that moves while a search or a merge runs."""
    may = current_user.has_role("administrator") or current_user.has_role("supervisor")
    return render_template("callcenter/contacts/duplicate_work.html", may_merge_all=may, **_work(web_session()))


def _work(session: Session) -> dict[str, Any]:
    runs = {kind: duplicate_runs.newest(session, kind) for kind in duplicate_runs.JOBS}
    is_running = any(run is not None and run.state == "running" for run in runs.values())
    return {"runs": runs, "is_running": is_running, "counts": duplicates.counts(session)}


@blueprint.post("/duplicates/search")
@access(*DECIDE_ALL)
def search() -> ResponseReturnValue:
    session = web_session()
    duplicate_runs.start_search(session, current_user.id)
    session.commit()
    return redirect(url_for("duplicates.index"))


@blueprint.post("/duplicates/merge-certain")
@access(*DECIDE_ALL)
def merge_certain() -> ResponseReturnValue:
    session = web_session()
    duplicate_runs.start_merge(session, current_user.id)
    session.commit()
    return redirect(url_for("duplicates.index"))


@blueprint.get("/duplicates/compare")
@access(*WRITERS)
def compare() -> ResponseReturnValue:
    """Two people side by side; of each value that differs one is chosen. An address that names no two is the list."""
    if not {"one", "other"} <= set(request.args):
        return redirect(url_for("duplicates.index"))
    session = web_session()
    one, other = (contacts.get(session, request.args.get(name, 0, type=int)) for name in ("one", "other"))
    for contact in (one, other):
        audit.record(session, current_user.id, "contacts.look_up", f"contact/{contact.id}")
    session.commit()
    return _comparison(session, one, other)


def _comparison(session: Session, one: Contact, other: Contact) -> str:
    cards = [_shown(session, contact) for contact in (one, other)]
    rows = [
        (key, label, cards[0][key], cards[1][key])
        for key, label in _labels(session).items()
        if cards[0][key] or cards[1][key]
    ]
    return render_template("callcenter/contacts/compare.html", one=one, other=other, people=[one, other], rows=rows)


def _labels(session: Session) -> dict[str, str]:
    own = {ATTRIBUTE + one.key: one.label for one in attributes.all_attributes(session)}
    return {**{key: str(label) for key, label in GROUP_LABELS.items()}, **own}


def _shown(session: Session, contact: Contact) -> dict[str, str]:
    """What a person has in each group of values that is chosen as one, in words."""
    card = contact_edit.values(session, contact)
    sex = str(contacts.SEXES[contact.sex]) if contact.sex else ""
    place = " · ".join(part for part in (card["section"], card["state"]) if part)
    return {**card, "phone": contact.phone, "sex": sex, "section": place}


@blueprint.post("/duplicates/merge")
@access(*WRITERS)
def merge() -> ResponseReturnValue:
    session = web_session()
    one_id, other_id, kept_id = (request.form.get(name, 0, type=int) for name in ("one", "other", "kept"))
    if kept_id not in (one_id, other_id):
        raise InvalidInput(_("Choose which of the two stays."))
    removed_id = other_id if kept_id == one_id else one_id
    chosen = {key.removeprefix("from-"): value for key, value in request.form.items() if key.startswith("from-")}
    take = {key for key, value in chosen.items() if value == str(removed_id)}
    known = {*GROUPS, *(ATTRIBUTE + one.key for one in attributes.all_attributes(session))}
    made = merges.merge(session, kept_id, removed_id, user_id=current_user.id, take=take & known)
    session.commit()
    flash(_("The two are one person now. Number %(id)s can be parted again below.", id=made.removed_id), "success")
    return redirect(url_for("contacts.show", contact_id=kept_id))


@blueprint.post("/duplicates/set-apart")
@access(*WRITERS)
def set_apart() -> ResponseReturnValue:
    session = web_session()
    one_id, other_id = (request.form.get(name, 0, type=int) for name in ("one", "other"))
    duplicates.set_apart(session, one_id, other_id, current_user.id)
    session.commit()
    flash(_("Noted for good: two different people. They are not shown together again."), "success")
    return redirect(url_for("duplicates.index"))


@blueprint.post("/merges/<int:merge_id>/undo")
@access(*WRITERS)
def undo(merge_id: int) -> ResponseReturnValue:
    session = web_session()
    made = merges.undo(session, merge_id, current_user.id)
    session.commit()
    flash(_("The two are two people again; number %(id)s is back.", id=made.removed_id), "success")
    return redirect(url_for("contacts.show", contact_id=made.kept_id))
