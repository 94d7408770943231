"""The page of retention: how long each kind is kept, what would go now, and the administrator's confirmation."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.privacy import retention, retention_policy
from callcenter.privacy.retention_policy import TERMS

blueprint = Blueprint("retention", "callcenter", url_prefix="/privacy/retention", template_folder="templates")


@blueprint.get("")
@access("administrator")
def page() -> ResponseReturnValue:
    return _page({})


@blueprint.post("")
@access("administrator")
def change() -> ResponseReturnValue:
    """Other days: nothing is purged by them until they are confirmed."""
    session = web_session()
    try:
        days = {kind: _days(request.form.get(kind, "")) for kind in TERMS}
        retention_policy.change(session, days, _day(request.form.get("results_final_on", "")), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(fault.faults), 422
    session.commit()
    flash(_("Saved. Look at what would go, and confirm."), "success")
    return redirect(url_for("retention.page"))


@blueprint.post("/confirm")
@access("administrator")
def confirm() -> ResponseReturnValue:
    session = web_session()
    retention_policy.confirm(session, current_user.id, seen=request.form.get("terms", ""))
    retention.sweep(session)
    session.commit()
    flash(_("Confirmed: from now on what is due is deleted without asking again."), "success")
    return redirect(url_for("retention.page"))


@blueprint.post("/stop")
@access("administrator")
def stop() -> ResponseReturnValue:
    session = web_session()
    retention_policy.stop(session, current_user.id)
    session.commit()
    flash(_("Stopped: nothing is deleted until you confirm again."), "success")
    return redirect(url_for("retention.page"))


def _page(faults: dict[str, str]) -> str:
    session = web_session()
    policy = retention_policy.read(session)
    due = {one.kind: one for one in retention.preview(session)}
    return render_template(
        "callcenter/retention/page.html", policy=policy, terms=TERMS, due=due, purged=retention.purged(session),
        faults=faults, form=request.form if faults else {},
    )  # fmt: skip


def _days(written: str) -> int | None:
    return int(written) if written.strip().isdecimal() and len(written) < 8 else None


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise InvalidInput({"results_final_on": _("Write the day as year, month and day.")}) from None
