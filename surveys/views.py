"""Pages of surveys: the list, a survey and its questionnaire, the trial. The other pages use the same blueprint."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from babel.core import Locale, UnknownLocaleError
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import call_scripts, contact_history
from callcenter.base import audit, live
from callcenter.base.auth import access, may
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.languages import language as page_language
from callcenter.base.web import takes_upload
from callcenter.call_scripts import CallScript
from surveys import (
    builder_pages,
    coding_views,
    contact_interviews,
    engine,
    interview_pages,
    interviews,
    link_views,
    map_pages,
    numbering_views,
    order_pages,
    outcome_views,
    prompt_media_views,
    prompt_views,
    quality_views,
    question_sound_views,
    questionnaire,
    report,
    result_pages,
    sample_views,
    study_package_views,
    study_views,
    table_pages,
    trend_pages,
    verification_views,
    version_pages,
    voice_views,
    vote_pages,
    weight_views,
)
from surveys.branching_words import Speaker
from surveys.form_reading import read_apart
from surveys.interview_pages import after, before, keys_of
from surveys.items import Items
from surveys.pages import EVERYBODY, MAKERS, READERS, blueprint
from surveys.questionnaire import ReadForm
from surveys.report import CACHE_SECONDS
from surveys.xlsform import MAX_BYTES

__all__ = [
    "blueprint",
    "builder_pages",
    "coding_views",
    "interview_pages",
    "link_views",
    "map_pages",
    "numbering_views",
    "order_pages",
    "outcome_views",
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
    "verification_views",
    "version_pages",
    "voice_views",
    "vote_pages",
    "weight_views",
]
MAX_KEPT = 100_000


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
@takes_upload(MAX_BYTES)
def create() -> ResponseReturnValue:
    """A survey from an XLSForm; a form with faults is answered with each of them by sheet, row and column."""
    session = web_session()
    try:
        survey = questionnaire.add_survey(session, request.form.get("name", ""), _uploaded(session))
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
@takes_upload(MAX_BYTES)
def replace_form(survey_id: int) -> ResponseReturnValue:
    """A corrected XLSForm: in place while nobody has answered, else as the next version."""
    session = web_session()
    try:
        version = questionnaire.replace_form(session, survey_id, _uploaded(session))
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


@blueprint.route("/<int:survey_id>/try", methods=["GET", "POST"])
@access(*EVERYBODY)
def try_out(survey_id: int) -> ResponseReturnValue:
    """The questionnaire as an operator asks it, for training: the answers travel in the page and are stored nowhere."""
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    items = questionnaire.current(session, survey_id).items
    language = request.values.get("language", "")
    trial = _Trial(items, language if language in items["languages"] else items["default_language"])
    trial.seed = survey_id
    trial.today = campaign_now(session).astimezone(ZONE).date().isoformat()
    if request.method == "POST" and "restart" not in request.form:
        trial.go_on(request.form)
    action = url_for("surveys.try_out", survey_id=survey_id, language=trial.language)
    part = trial.draw(action)
    if request.headers.get("HX-Request") == "true":
        return part
    return render_template(
        "surveys/try.html", survey=survey, part=part, items=items, language=trial.language, language_name=_language_name
    )


def _language_name(code: str) -> str:
    """`en` -> `inglés`, for a reader of Spanish; a language without a known code keeps its own word."""
    try:
        return Locale.parse(code).get_display_name(get_locale()) or code
    except (ValueError, UnknownLocaleError):
        return code


class _Trial:
    """An interview that nobody records: what was answered so far comes back with each form."""

    def __init__(self, items: Items, language: str) -> None:
        self.items, self.language = items, language
        self.seed, self.today = 0, ""
        self.answers: dict[str, str] = {}
        self.fault = ""
        self.wanted: str | None = None

    def go_on(self, form: Any) -> None:
        """Take what the form carries: the answers so far, and the new one."""
        self.answers = _kept(form.get("kept", "{}"), self.items)
        self.wanted = form.get("item_wanted")
        if self.wanted:
            return
        name, values = form.get("item", ""), form.getlist("value")
        try:
            self.answers[name] = engine.read_answer(
                self.items, self._all(), name, values, seed=self.seed, language=self.language
            )
        except InvalidInput as fault:
            self.fault, self.wanted = " ".join(fault.faults.values()), name

    def draw(self, action: str) -> str:
        answers = self._all()
        asked = engine.question(self.items, answers, self.wanted or "", self.seed, language=self.language)
        asked = asked or engine.next_question(self.items, answers, self.seed, self.language)
        way = engine.path(self.items, answers, self.seed)
        return render_template(
            "surveys/question.html", question=asked, keys=keys_of(asked), language=self.language, fault=self.fault,
            action=action, page=action, back=before(way, asked), forward=after(way, asked, answers),
            answered=sum(name in answers for name in way), total=len(way), saved_at=None, key=uuid4().hex,
            shown_at=real_now().timestamp(), kept=json.dumps(self.answers, ensure_ascii=False), state="trial",
            short=False,
        )  # fmt: skip

    def _all(self) -> dict[str, str]:
        hidden = {item["name"]: f"[{item['name']}]" for item in self.items["items"] if item["type"] == "hidden"}
        return hidden | {"today": self.today} | self.answers


def _kept(text: str, items: Items) -> dict[str, str]:
    """The answers that the page carried; nothing in it is believed beyond names and texts."""
    try:
        carried = json.loads(text) if len(text) <= MAX_KEPT else {}
    except ValueError:
        carried = {}
    known = {item["name"] for item in items["items"]}
    if not isinstance(carried, dict):
        return {}
    return {name: value for name, value in carried.items() if name in known and isinstance(value, str)}


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
        speaker=Speaker(newest.items, _reading_language(newest.items)),
        may_make=may(frozenset(MAKERS)),
    )


def _reading_language(items: Items) -> str:
    """The reader's language when the form has it, else the form's own."""
    wanted = page_language()
    return str(wanted if wanted in items["languages"] else items["default_language"])
