"""Answers in people's own voices: heard, written down by hand, deleted. Who listens is on record."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.sound import recording_files
from surveys import questionnaire
from surveys.engine import wording
from surveys.pages import MAKERS, blueprint
from surveys.voice import voice_answers
from surveys.voice.voice_answers import VoiceAnswer

PAGE = 25


@blueprint.get("/<int:survey_id>/voices")
@access(*MAKERS)
def voices(survey_id: int) -> ResponseReturnValue:
    """The recorded answers of a survey, the newest first. No name and no phone: they belong to interviews."""
    session = web_session()
    after = max(0, request.args.get("after", 0, type=int))
    found = voice_answers.of_survey(session, survey_id, after=after, limit=PAGE + 1)
    items = questionnaire.current(session, survey_id).items
    labels = {item["name"]: wording(items, item["label"], items["default_language"]) for item in items["items"]}
    return render_template(
        "surveys/voices.html", survey=questionnaire.find(session, survey_id), voices=found[:PAGE], labels=labels,
        after=after, following=after + PAGE if len(found) > PAGE else None, before=max(0, after - PAGE),
    )  # fmt: skip


@blueprint.get("/voices/<uuid:voice_id>.flac")
@access(*MAKERS)
def hear_voice(voice_id: UUID) -> ResponseReturnValue:
    """The voice itself; who hears it is audited."""
    session = web_session()
    voice = voice_answers.get(session, voice_id)
    if voice.state != "kept" or voice.storage is None or voice.size is None:
        raise NotFound(_("This recording is not here: it was deleted, or is still with the switch."))
    kind, size = voice.storage, voice.size
    audit.record(session, current_user.id, "voice_answer.hear", f"voice-answer/{voice_id}")
    session.commit()
    content = b"".join(recording_files.storage(kind).read(voice_id, 0, size))
    return content, 200, {"Content-Type": "audio/flac"}


@blueprint.post("/voices/<uuid:voice_id>/transcript")
@access(*MAKERS)
def write_down_voice(voice_id: UUID) -> ResponseReturnValue:
    """What was said, as somebody heard it."""
    session = web_session()
    voice_answers.write_down(session, voice_id, request.form.get("transcript", ""), current_user.id)
    session.commit()
    flash(_("The transcript is kept."), "success")
    return _back(voice_answers.get(session, voice_id))


@blueprint.post("/voices/<uuid:voice_id>/delete")
@access(*MAKERS)
def delete_voice(voice_id: UUID) -> ResponseReturnValue:
    """For good; the transcript stays."""
    session = web_session()
    voice = voice_answers.get(session, voice_id)
    voice_answers.remove(session, [voice_id], current_user.id)
    session.commit()
    flash(_("The voice is deleted; what was written down of it stays."), "success")
    return _back(voice)


def _back(voice: VoiceAnswer) -> ResponseReturnValue:
    survey_id = voice_answers.survey_of(web_session(), voice)
    return redirect(url_for(".voices", survey_id=survey_id))
