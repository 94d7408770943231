"""The page on which a recorded survey is tried without a telephone."""

import json

from flask import render_template, request
from flask.typing import ResponseReturnValue

from callcenter.base.auth import access, may
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.web import takes_form
from callcenter.ledger import dispositions
from surveys import questionnaire
from surveys.fieldwork import keypad_trial
from surveys.fieldwork.keypad_trial import Stand
from surveys.forms import drafts
from surveys.forms.form_outline import outline
from surveys.forms.instance import by_name, choice_labels, wording
from surveys.forms.items import Items
from surveys.pages import EVERYBODY, MAKERS, blueprint

MAX_KEPT = 20_000


@blueprint.route("/<int:survey_id>/try/keys", methods=["GET", "POST"])
@takes_form(MAX_KEPT * 3)
@access(*EVERYBODY)
def try_by_keys(survey_id: int) -> ResponseReturnValue:
    """What a recorded call says and does with each key; `?draft=1`: of the draft, for who builds it."""
    session = web_session()
    survey, items = questionnaire.find(session, survey_id), trial_items(survey_id)
    wanted = request.values.get("language", "")
    language = str(wanted if wanted in items["languages"] else items["default_language"])
    facts = {item["name"]: f"[{item['name']}]" for item in items["items"] if item["type"] == "hidden"}
    facts["today"] = campaign_now(session).astimezone(ZONE).date().isoformat()
    # The field for keys comes along with the button «nothing is pressed»: the last one counts.
    press = [text for text in map(str.strip, request.form.getlist("press")) if text][-1:]
    pressed = [] if "restart" in request.form else [*_kept(), *press]
    stand = keypad_trial.walk(items, language, facts, pressed, seed=survey_id)
    return render_template(
        "surveys/try_keys.html", survey=survey, items=items, language=language, stand=stand,
        kept=json.dumps(stand.pressed), answers=_answers(items, stand, language), is_draft=_wants_draft(),
        ignored=len(pressed) > len(stand.pressed), outcome=dispositions.label(stand.code or None),
    )  # fmt: skip


def trial_items(survey_id: int) -> Items:
    """The questions to try: of the version in use, or of the draft when it can be asked at all."""
    session = web_session()
    in_use = questionnaire.current(session, survey_id).items
    if not _wants_draft():
        return in_use
    return outline(drafts.opened(session, survey_id).source).items or in_use


def _wants_draft() -> bool:
    return bool(request.values.get("draft")) and may(frozenset(MAKERS))


def _kept() -> list[str]:
    """The presses that the page carried; nothing in it is believed beyond short texts."""
    text = request.form.get("kept", "[]")
    try:
        carried = json.loads(text) if len(text) <= MAX_KEPT else []
    except ValueError:
        carried = []
    return [str(press)[:20] for press in carried] if isinstance(carried, list) else []


def _answers(items: Items, stand: Stand, language: str) -> list[tuple[str, str]]:
    """(question, answer) in words, as they were given."""
    named, labels = by_name(items), choice_labels(items, language)
    found = []
    for name, value in stand.answers.items():
        if name in named and named[name]["type"] not in ("note", "hidden"):
            said = ", ".join(labels.get((name, code), code) for code in value.split()) if value else "—"
            found.append((" ".join(wording(items, named[name]["label"], language).split()), said))
    return found
