"""The reasons that operators choose for a pause, and their limits: an administrator's page."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.seats import pause_reasons
from callcenter.seats.pause_reasons import Wanted

blueprint = Blueprint("pause_reasons", "callcenter", url_prefix="/floor/pause-reasons", template_folder="templates")
NEW = "new"


@blueprint.get("/")
@access("administrator")
def page() -> str:
    return _page("", {}, {})


@blueprint.post("/")
@access("administrator")
def add() -> ResponseReturnValue:
    return _save(None)


@blueprint.post("/<code>")
@access("administrator")
def change(code: str) -> ResponseReturnValue:
    return _save(code)


def _save(code: str | None) -> ResponseReturnValue:
    session, form = web_session(), request.form
    try:
        pause_reasons.save(session, code, _wanted(form), int(current_user.id))
    except InvalidInput as fault:
        session.rollback()
        return _page(code or NEW, dict(form), fault.faults), 422
    session.commit()
    flash(_("Kept. It holds from the next pause on."), "success")
    return redirect(url_for("pause_reasons.page"))


def _wanted(form: Mapping[str, str]) -> Wanted:
    """Raises InvalidInput for minutes that are no number."""
    faults, minutes = {}, dict[str, int | None]()
    for name in ("minutes", "minutes_a_day"):
        text = form.get(name, "").strip()
        minutes[name] = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None
        if text and minutes[name] is None:
            faults[name] = _("Write whole minutes from 1 to %(most)s, or nothing for no limit.",
                             most=pause_reasons.MOST_MINUTES)  # fmt: skip
    if faults:
        raise InvalidInput(faults)
    word = " ".join(form.get("word", "").split())
    return Wanted(word, minutes["minutes"], minutes["minutes_a_day"], form.get("is_work") == "1",
                  form.get("is_enabled") == "1")  # fmt: skip


def _page(wrong: str, given: Mapping[str, str], faults: Mapping[str, str]) -> str:
    """`wrong`: the code of the reason whose form comes back as it was written, with its faults."""
    return render_template(
        "callcenter/floor/pause_reasons.html", reasons=pause_reasons.listed(web_session(), enabled_only=False),
        house=pause_reasons.CHOSEN, wrong=wrong, given=given, faults=faults, length=pause_reasons.LENGTH,
        most=pause_reasons.MOST_MINUTES, new=NEW,
    )  # fmt: skip
