"""The page on which somebody hears single questions of recorded interviews and says how they were asked."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from surveys import questionnaire
from surveys.checks import quality_words, question_sounds
from surveys.checks.question_sounds import Extract
from surveys.engine import wording
from surveys.pages import LISTENERS, blueprint

VERDICTS = {
    "right": _l("Asked as written, noted as said"), "changed": _l("Wording changed"), "led": _l("Led to an answer"),
    "skipped": _l("Not read out"), "misnoted": _l("Noted otherwise than said"), "unclear": _l("Cannot be heard"),
}  # fmt: skip


@blueprint.get("/<int:survey_id>/hearing")
@access(*LISTENERS)
def hearing(survey_id: int) -> ResponseReturnValue:
    """The next question to hear, of any or of `?item=`; and what was heard so far, by interviewer."""
    return _page(survey_id, "")


@blueprint.post("/<int:survey_id>/hearing")
@access(*LISTENERS)
def judge_sound(survey_id: int) -> ResponseReturnValue:
    """What somebody thinks of what they heard."""
    session, form = web_session(), request.form
    try:
        subject = UUID(form.get("interview", "")), form.get("heard", "")
    except ValueError:
        raise NotFound(_("There is no sound of this answer any more.")) from None
    try:
        question_sounds.judge(session, survey_id, subject, form.get("verdict", ""), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(survey_id, " ".join(fault.faults.values())), 422
    session.commit()
    return redirect(url_for(".hearing", survey_id=survey_id, item=form.get("item") or None))


def _page(survey_id: int, fault: str) -> str:
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    item = request.values.get("item") or None
    extract = question_sounds.next_extract(session, survey_id, current_user.id, item)
    label, said = _words(survey_id, extract) if extract else ("", "")
    return render_template(
        "surveys/hearing.html", survey=survey, extract=extract, label=label, said=said, item=item, fault=fault,
        heard=question_sounds.items_heard(session, survey_id), verdicts=VERDICTS, words=quality_words,
        people=question_sounds.judged(session, survey_id), keys="123456",
    )  # fmt: skip


def _words(survey_id: int, extract: Extract) -> tuple[str, str]:
    """The question as it should be read, and the answer as it was noted."""
    for version in questionnaire.versions(web_session(), survey_id):
        items = version.items
        for one in items["items"]:
            if one["name"] == extract.item:
                labels = {c["name"]: wording(items, c["label"], items["default_language"]) for c in one["choices"]}
                codes = extract.value.split() if labels else [extract.value]
                said = ", ".join(labels.get(code, code) for code in codes)
                return wording(items, one["label"], items["default_language"]), said
    return extract.item, extract.value
