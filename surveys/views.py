"""Pages of surveys: the list, a survey and its questionnaire, the trial. The other pages use the same blueprint."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base import audit, live
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.languages import language as page_language
from callcenter.base.web import takes_upload
from callcenter.ledger import call_scripts
from callcenter.ledger.call_scripts import CallScript
from callcenter.people import contact_history
from surveys import interviews, questionnaire
from surveys.analysis import map_pages, order_pages, table_pages
from surveys.checks import quality_views, question_sound_views, verification_views
from surveys.coding import coding_views
from surveys.fieldwork import contact_interviews, interview_pages, keypad_trial_views, link_views
from surveys.forms import builder_pages, builder_words, trial_views, version_pages
from surveys.forms.branching_words import Speaker
from surveys.forms.form_reading import read_apart
from surveys.forms.items import Items
from surveys.forms.xlsform import MAX_BYTES
from surveys.pages import EVERYBODY, MAKERS, READERS, blueprint
from surveys.pictures import form_pictures, picture_views
from surveys.pictures.picture_files import LARGEST_UPLOAD
from surveys.publishing import study_package_views, study_views
from surveys.questionnaire import ReadForm
from surveys.sampling import numbering_views, outcome_views, sample_views
from surveys.voice import prompt_media_views, prompt_views, voice_views
from surveys.vote import report, result_pages, trend_pages, vote_pages
from surveys.vote.report import CACHE_SECONDS
from surveys.weighting import weight_views

__all__ = [
    "blueprint",
    "builder_pages",
    "coding_views",
    "interview_pages",
    "keypad_trial_views",
    "link_views",
    "map_pages",
    "numbering_views",
    "order_pages",
    "outcome_views",
    "picture_views",
    "prompt_media_views",
    "prompt_views",
    "quality_views",
    "question_sound_views",
    "result_pages",
    "sample_views",
    "study_package_views",
    "study_views",
    "table_pages",
    "trend_pages",
    "trial_views",
    "verification_views",
    "version_pages",
    "voice_views",
    "vote_pages",
    "weight_views",
]


def compose() -> None:
    """Tell the ground floor what a call can run here and what a person took part in; make the results live."""
    script = CallScript(
        "surveys.call_page", interviews.close_call, interviews.suggested, interviews.reopen_call, _preview_address
    )
    call_scripts.register("survey", script)
    contact_history.register("interviews", contact_interviews.deeds, _l("Surveys"))
    live.register("survey", _live_snapshot, roles=READERS, pause=CACHE_SECONDS)


def _preview_address(survey_id: int) -> str:
    return url_for("surveys.try_out", survey_id=survey_id)


def _live_snapshot(session: Session, _user_id: int, survey_id: int) -> dict[str, Any]:
    return report.snapshot(session, survey_id)


@blueprint.get("/")
@access(*EVERYBODY)
def page() -> ResponseReturnValue:
    """Every survey, and the form to add one."""
    return _list({})


@blueprint.post("/")
@access(*MAKERS)
@takes_upload(MAX_BYTES + LARGEST_UPLOAD)
def create() -> ResponseReturnValue:
    """A survey from an XLSForm; a form with faults is answered with each of them by sheet, row and column."""
    session = web_session()
    try:
        form, pictures = _uploaded(session), picture_views.uploaded()
        survey = questionnaire.add_survey(session, request.form.get("name", ""), form)
        picture_views.keep(session, survey.id, pictures)
    except InvalidInput as fault:
        session.rollback()
        return _list(fault.faults), 422
    audit.record(session, current_user.id, "survey.create", f"survey/{survey.id}")
    session.commit()
    flash(_("The survey was created. Try the questionnaire before you use it."), "success")
    return redirect(url_for("surveys.show", survey_id=survey.id))


@blueprint.get("/<int:survey_id>")
@access(*READERS)
def show(survey_id: int) -> ResponseReturnValue:
    """One survey: its questions as they are asked, its versions."""
    return _show(survey_id, {})


@blueprint.post("/<int:survey_id>/form")
@access(*MAKERS)
@takes_upload(MAX_BYTES + LARGEST_UPLOAD)
def replace_form(survey_id: int) -> ResponseReturnValue:
    """A corrected XLSForm: in place while nobody has answered, else as the next version."""
    session = web_session()
    try:
        form, pictures = _uploaded(session), picture_views.uploaded()
        version = questionnaire.replace_form(session, survey_id, form)
        picture_views.keep(session, survey_id, pictures)
    except InvalidInput as fault:
        session.rollback()
        return _show(survey_id, fault.faults), 422
    audit.record(session, current_user.id, "survey.replace_form", f"survey/{survey_id}", version=version.version)
    session.commit()
    flash(_("Version %(number)s of the questionnaire is in use for new interviews.", number=version.version), "success")
    return redirect(url_for("surveys.show", survey_id=survey_id))


@blueprint.post("/<int:survey_id>/state")
@access(*MAKERS)
def set_state(survey_id: int) -> ResponseReturnValue:
    """Open or close a survey by hand."""
    session = web_session()
    survey = questionnaire.set_state(session, survey_id, request.form.get("state", ""))
    audit.record(session, current_user.id, "survey.set_state", f"survey/{survey_id}", state=survey.state)
    session.commit()
    return redirect(url_for("surveys.show", survey_id=survey_id))


def _uploaded(session: Session) -> ReadForm:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise InvalidInput({"file": _("Choose the XLSForm (.xlsx) to upload.")})
    session.commit()  # no transaction waits while the form is read
    return read_apart(upload.filename, upload.stream.read(MAX_BYTES + 1))


def _list(faults: Mapping[str, str]) -> str:
    surveys = questionnaire.listed(web_session())
    return render_template(
        "surveys/list.html",
        surveys=surveys,
        faults=faults,
        may_make=may(frozenset(MAKERS)),
        may_read=may(frozenset(READERS)),
    )


def _show(survey_id: int, faults: Mapping[str, str]) -> str:
    session = web_session()
    survey, newest = questionnaire.find(session, survey_id), questionnaire.current(session, survey_id)
    return render_template(
        "surveys/show.html",
        survey=survey,
        questionnaire=newest,
        versions=questionnaire.versions(session, survey_id),
        faults=faults,
        language=_reading_language(newest.items),
        missing=form_pictures.missing(session, survey_id),
        words=builder_words,
        speaker=Speaker(newest.items, _reading_language(newest.items)),
        may_make=may(frozenset(MAKERS)),
    )


def _reading_language(items: Items) -> str:
    """The reader's language when the form has it, else the form's own."""
    wanted = page_language()
    return str(wanted if wanted in items["languages"] else items["default_language"])
