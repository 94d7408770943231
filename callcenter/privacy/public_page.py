"""The public page: anybody says that they want no more contact, or asks for their rights over their data.

What it answers depends on what was written and on nothing else: the work is left for a job, always, and throttled."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from callcenter.base.auth import public
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.gate.working_days import working_days
from callcenter.lists.voter_keys import without_keys
from callcenter.phones import normalise
from callcenter.privacy import arco, public_requests
from callcenter.privacy.arco import Asked

blueprint = Blueprint("public_page", "callcenter", template_folder="templates")
WHY = "anybody may ask not to be contacted again, and what we hold of them"
LIMIT = "10 per minute; 60 per hour"
LONGEST_PHONE = 100


@blueprint.get("/privacidad")
@blueprint.get("/baja")
@public(WHY)
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/privacidad/baja")
@blueprint.post("/baja")
@public(WHY)
def opt_out() -> ResponseReturnValue:
    """No calls and no messages to this phone any more."""
    _throttle()
    try:
        phone = _phone(request.form.get("phone", ""))
    except InvalidInput as fault:
        return _page(opt_out_faults=fault.faults), 422
    session = web_session()
    public_requests.leave(session, "opt_out", phone)
    session.commit()
    return _page(done="opt_out")


@blueprint.post("/privacidad/derechos")
@public(WHY)
def ask() -> ResponseReturnValue:
    """A privacy request: a person answers it."""
    _throttle()
    asked, faults = _asked(), {}
    try:
        arco.check(asked)
    except InvalidInput as fault:
        faults = fault.faults
    try:
        phone = _phone(request.form.get("phone", ""))
    except InvalidInput as fault:
        faults = {**faults, **fault.faults}
    if faults:
        return _page(faults=faults), 422
    session = web_session()
    detail = {"kind": asked.kind, "asker": asked.asker, "answer_to": asked.answer_to, "text": asked.text,
              "is_representative": asked.is_representative}  # fmt: skip
    public_requests.leave(session, "arco", phone, detail)
    session.commit()
    today = campaign_now(session).astimezone(ZONE).date()
    return _page(done="arco", answer_by=working_days(session).after(today, arco.DAYS["received"]))


def _asked() -> Asked:
    # Numbers of identity papers are not for us: what looks like one is cut out before anything is kept.
    given = {name: without_keys(request.form.get(name, "").replace("\0", "").strip())
             for name in ("kind", "asker", "answer_to", "text")}  # fmt: skip
    return Asked(
        given["kind"], given["asker"], given["answer_to"], text=given["text"],
        is_representative=request.form.get("is_representative") == "yes",
    )  # fmt: skip


def _phone(written: str) -> str:
    numbers = normalise(written[:LONGEST_PHONE]).numbers
    if len(numbers) != 1:
        raise InvalidInput({"phone": _("Write one phone number of ten digits, with its area code.")})
    return numbers[0].e164


def _throttle() -> None:
    limiter = next(iter(current_app.extensions["limiter"]))
    with limiter.limit(LIMIT):
        pass


def _page(
    *, done: str = "", faults: Mapping[str, str] | None = None, opt_out_faults: Mapping[str, str] | None = None,
    **more: Any,
) -> str:  # fmt: skip
    form = request.form if not done else {}
    return render_template(
        "callcenter/privacy/public.html", done=done, faults=faults or {}, opt_out_faults=opt_out_faults or {},
        kinds=arco.KINDS, form=form if faults else {}, opt_out_form=form if opt_out_faults else {}, **more,
    )  # fmt: skip
