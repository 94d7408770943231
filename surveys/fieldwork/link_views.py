"""The page of a survey's links: how many people have one, what became of them, until when they are good."""

from datetime import date, datetime, time

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access, may
from callcenter.base.clock import ZONE, real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from surveys import questionnaire
from surveys.fieldwork import survey_links
from surveys.pages import MAKERS, READERS, blueprint
from surveys.pictures import form_pictures


@blueprint.get("/<int:survey_id>/links")
@access(*READERS)
def links(survey_id: int) -> ResponseReturnValue:
    """What became of the links of this survey."""
    return _page(survey_id)


@blueprint.post("/<int:survey_id>/links/expiry")
@access(*MAKERS)
def set_link_expiry(survey_id: int) -> ResponseReturnValue:
    """All its links are good until the end of this day."""
    session, typed = web_session(), request.form.get("until", "")
    questionnaire.find(session, survey_id)
    try:
        try:
            day = date.fromisoformat(typed)
        except ValueError:
            raise InvalidInput({"until": _("Choose a day, for example 2027-06-02.")}) from None
        until = datetime.combine(day, time(23, 59, 59), ZONE)
        survey_links.set_expiry(session, survey_id, until, int(current_user.id))
    except InvalidInput as fault:
        session.rollback()
        return _page(survey_id, fault=fault.faults.get("until", str(fault)), typed=typed), 422
    session.commit()
    flash(_("The links are good until the end of that day."), "success")
    return redirect(url_for("surveys.links", survey_id=survey_id))


def _page(survey_id: int, *, fault: str = "", typed: str = "") -> str:
    session = web_session()
    return render_template(
        "surveys/links.html", survey=questionnaire.find(session, survey_id), fault=fault, typed=typed,
        figures=survey_links.figures(session, survey_id), latest=survey_links.latest_expiry(session, survey_id),
        may_make=may(frozenset(MAKERS)), as_of=real_now(), missing=form_pictures.missing(session, survey_id),
    )  # fmt: skip
