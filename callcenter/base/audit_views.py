"""The audit page: who did what, and who saw this person."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.clock import real_now
from callcenter.base.db import web_session
from callcenter.base.web import PAGE_SIZE, Page, page_number

blueprint = Blueprint("audit", __name__, url_prefix="/audit", template_folder="templates")


@blueprint.get("")
@access("administrator")
def index() -> ResponseReturnValue:
    """Entries by person, act and subject; the filter is in the address."""
    who, action, subject = (request.args.get(name, "").strip() for name in ("who", "action", "subject"))
    number = page_number()
    query = audit.search(who, action, subject).limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    rows = web_session().execute(query).all()
    page = Page(rows[:PAGE_SIZE], number, len(rows) > PAGE_SIZE)
    return render_template("base/audit.html", page=page, as_of=real_now())
