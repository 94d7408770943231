"""The page on which a questionnaire is tried as an operator asks it: nothing is stored."""

import json
from functools import partial
from typing import Any
from uuid import uuid4

from babel.core import Locale, UnknownLocaleError
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from surveys import engine, questionnaire
from surveys.engine import Question
from surveys.fieldwork.interview_pages import after, before, keys_of
from surveys.fieldwork.keypad_trial_views import trial_items
from surveys.forms.items import Items
from surveys.pages import EVERYBODY, blueprint
from surveys.pictures import form_pictures, picture_views

MAX_KEPT = 100_000


@blueprint.route("/<int:survey_id>/try", methods=["GET", "POST"])
@access(*EVERYBODY)
def try_out(survey_id: int) -> ResponseReturnValue:
    """The questionnaire as an operator asks it, for training: the answers travel in the page and are stored nowhere."""
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    items, is_draft = trial_items(survey_id), bool(request.values.get("draft"))
    language = request.values.get("language", "")
    trial = _Trial(items, language if language in items["languages"] else items["default_language"])
    trial.seed = survey_id
    trial.today = campaign_now(session).astimezone(ZONE).date().isoformat()
    if request.method == "POST" and "restart" not in request.form:
        trial.go_on(request.form)
    draft = 1 if is_draft else None
    action = url_for("surveys.try_out", survey_id=survey_id, language=trial.language, draft=draft)
    part = trial.draw(action)
    if request.headers.get("HX-Request") == "true":
        return part
    return render_template(
        "surveys/try.html", survey=survey, part=part, items=items, language=trial.language,
        language_name=_language_name, draft=draft,
    )  # fmt: skip


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
        look = engine.Look(self.items, answers, self.seed, language=self.language)
        asked, way = look.question(self.wanted or "") or look.next_question(), look.path
        return render_template(
            "surveys/question.html", question=asked, keys=keys_of(asked), language=self.language, fault=self.fault,
            action=action, page=action, back=before(way, asked), forward=after(way, asked, answers),
            answered=sum(name in answers for name in way), total=len(way), saved_at=None, key=uuid4().hex,
            shown_at=real_now().timestamp(), kept=json.dumps(self.answers, ensure_ascii=False), state="trial",
            short=False, pictures=self._pictures(asked),
        )  # fmt: skip

    def _pictures(self, asked: Question | None) -> dict[str, form_pictures.Drawn]:
        """Those of the version in use; what only a draft names is kept beside them."""
        session = web_session()
        version = questionnaire.current(session, self.seed).id
        return form_pictures.drawn(session, version, asked, partial(picture_views.address, self.seed))

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
