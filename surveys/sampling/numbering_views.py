"""The page of numbering plans: upload one, see what was read of it, delete it."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import web_settings
from callcenter.base.web import is_htmx, takes_upload
from callcenter.contacts import LINE_KINDS
from callcenter.tables import file_faults, uploads
from callcenter.tables.table_files import ENDINGS
from surveys.pages import MAKERS, READERS, blueprint
from surveys.sampling import numbering_plans

MAX_BYTES = 60_000_000  # the whole country's plan has 15 MB


@blueprint.get("/numbering-plans")
@access(*READERS)
def plan_page() -> ResponseReturnValue:
    """The plans there are, and the form for another one."""
    return _page({})


@blueprint.post("/numbering-plans")
@access(*MAKERS)
@takes_upload(MAX_BYTES)
def upload_plan() -> ResponseReturnValue:
    """Keep a file and let a worker read it."""
    session, wrong = web_session(), _("Send the plan as CSV, XLSX or ODS, or one of these in a ZIP.")
    try:
        file = uploads.chosen(request.files.get("file"), ENDINGS, wrong)
    except InvalidInput as fault:
        return _page(fault.faults), 422
    with uploads.kept(file, web_settings().var / numbering_plans.UPLOADS) as path:
        numbering_plans.create(session, path, uploads.name(file), request.form.get("title", ""), current_user.id)
        session.commit()
    return redirect(url_for("surveys.plan_page"))


@blueprint.post("/numbering-plans/<int:plan_id>/remove")
@access(*MAKERS)
def remove_plan(plan_id: int) -> ResponseReturnValue:
    """Delete a plan from which nothing was drawn."""
    session = web_session()
    numbering_plans.remove(session, plan_id, current_user.id)
    session.commit()
    flash(_("The numbering plan was deleted."), "success")
    return redirect(url_for("surveys.plan_page"))


def _page(faults: Mapping[str, str]) -> str:
    plans = numbering_plans.listed(web_session())
    page = {
        "plans": plans,
        "is_reading": any(plan.state == "uploaded" for plan in plans),
        "kinds": LINE_KINDS,
        "sentence": file_faults.sentence,
        "row_sentence": lambda fault: _(fault["message"], **fault["values"]),
        "may_make": may(frozenset(MAKERS)),
    }
    if is_htmx():
        return render_template("surveys/numbering_list.html", **page)
    return render_template("surveys/numbering_plans.html", faults=faults, asked=request.form, **page)
