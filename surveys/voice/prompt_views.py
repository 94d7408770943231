"""The page of what a recorded survey says: hear each sentence, say it in other words, record it, upload it, ring me."""

from urllib.parse import unquote

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter import carriers
from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, ProviderError
from callcenter.base.settings import web_settings
from callcenter.base.web import takes_upload
from surveys import questionnaire
from surveys.forms.items import Items
from surveys.pages import MAKERS, blueprint
from surveys.voice import prompt_catalogue, prompt_media, prompt_ringing, prompts, sounds, speech
from surveys.voice.prompt_catalogue import Line
from surveys.voice.sound_reading import read_apart


@blueprint.get("/<int:survey_id>/prompts", endpoint="prompts")
@access(*MAKERS)
def page(survey_id: int) -> ResponseReturnValue:
    """Every sentence of a recorded survey in one language."""
    return _draw(survey_id, _language(survey_id), {})


@blueprint.post("/<int:survey_id>/prompts/sound")
@access(*MAKERS)
@takes_upload(sounds.LARGEST)
def keep_prompt_sound(survey_id: int) -> ResponseReturnValue:
    """A sound file, or what the browser has recorded, for one sentence."""
    session, language = web_session(), _language(survey_id)
    line = _line(survey_id, language)
    if not line.can_be_recorded:
        raise InvalidInput({"file": _("This sentence is made anew for each key: record it under “keys”.")})
    session.commit()  # no transaction waits while the file is read
    upload = request.files.get("file")
    try:
        content = b""
        if upload:
            with upload.stream:
                content = upload.stream.read(sounds.LARGEST + 1)
        sound = read_apart(content)
    except InvalidInput as fault:
        return _draw(survey_id, language, {line.key: " ".join(fault.faults.values())}), 422
    source = "microphone" if request.form.get("source") == "microphone" else "file"
    prompts.keep_sound(session, (survey_id, language, line.key), sound, source=source,
                       file_name=(upload and upload.filename) or "", user_id=current_user.id)  # fmt: skip
    return _kept(survey_id, language, line, "prompt.record")


@blueprint.post("/<int:survey_id>/prompts/wording")
@access(*MAKERS)
def reword_prompt(survey_id: int) -> ResponseReturnValue:
    """Other words for the telephone; empty: those of the questionnaire again."""
    session, language = web_session(), _language(survey_id)
    line = _line(survey_id, language)
    items = questionnaire.current(session, survey_id).items
    try:
        if not line.can_be_worded:
            raise InvalidInput({"wording": _("The words are changed where the sentence stands without a key.")})
        wording = request.form.get("wording", "")
        prompts.reword(session, (survey_id, language, line.key), wording, items, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _draw(survey_id, language, {line.key: " ".join(fault.faults.values())}), 422
    return _kept(survey_id, language, line, "prompt.reword")


@blueprint.post("/<int:survey_id>/prompts/remove")
@access(*MAKERS)
def remove_prompt_sound(survey_id: int) -> ResponseReturnValue:
    """The recording goes; the synthesiser speaks again."""
    language = _language(survey_id)
    line = _line(survey_id, language)
    prompts.remove_sound(web_session(), (survey_id, language, line.key), current_user.id)
    return _kept(survey_id, language, line, "prompt.remove")


@blueprint.get("/<int:survey_id>/prompts/<language>/<path:key>.wav")
@access(*MAKERS)
def hear_prompt(survey_id: int, language: str, key: str) -> ResponseReturnValue:
    """One sentence as it sounds now, as a WAV file."""
    session = web_session()
    line = prompt_catalogue.line(session, survey_id, language, unquote(key))
    if line is None:
        raise NotFound(_("There is no such sentence."))
    if line.own and line.own.sha256:
        wav = prompts.sound(session, line.own.sha256)
    else:
        session.commit()
        wav = speech.spoken(_sample(line), language).wav
    return wav, 200, {"Content-Type": "audio/wav", "Cache-Control": "private, max-age=0"}


@blueprint.post("/<int:survey_id>/prompts/ring")
@access(*MAKERS)
def ring_me(survey_id: int) -> ResponseReturnValue:
    """Ring one's own telephone and hold the survey with it; nothing of it is kept."""
    language, shown = _language(survey_id), web_settings().twilio.voice_number
    try:
        prompt_ringing.ring(web_session(), survey_id, language, request.form.get("phone", ""), current_user.id,
                            shown="" if carriers.has_switchboard() else shown)  # fmt: skip
    except InvalidInput as fault:
        return _draw(survey_id, language, fault.faults), 422
    except ProviderError:
        told = _("The call was not taken. Look at the trunks, or at the carrier's settings.")
        return _draw(survey_id, language, {"phone": told}), 422
    flash(_("Your telephone rings in a moment. Nothing that you answer is kept."), "success")
    return redirect(url_for(".prompts", survey_id=survey_id, language=language))


def _sample(line: Line) -> str:
    """The sentence with dots where a value is put in."""
    text = prompt_catalogue.without_values(line.text)
    if not text.strip(" …."):
        raise NotFound(_("There are no words to speak."))
    return text


def _language(survey_id: int) -> str:
    items = questionnaire.current(web_session(), survey_id).items
    wanted = request.values.get("language", "")
    return str(wanted if wanted in items["languages"] else items["default_language"])


def _line(survey_id: int, language: str) -> Line:
    line = prompt_catalogue.line(web_session(), survey_id, language, request.form.get("key", ""))
    if line is None:
        raise NotFound(_("There is no such sentence."))
    return line


def _kept(survey_id: int, language: str, line: Line, act: str) -> ResponseReturnValue:
    session = web_session()
    audit.record(session, current_user.id, act, f"survey/{survey_id}", prompt=line.key, language=language)
    session.commit()
    if request.headers.get("HX-Request") == "true" or request.accept_mimetypes.best == "application/json":
        return {"kept": True}
    address = url_for(".prompts", survey_id=survey_id, language=language)
    return redirect(f"{address}#{prompt_catalogue.anchor(line.key)}")


def _media(items: Items, language: str, lines: list[Line]) -> list[tuple[str, int, bool]]:
    """(file that the form names, sentences it is for, has each of them a recording?)"""
    recorded = {line.key for line in lines if line.own and line.own.sha256}
    named = prompt_media.named(items, language)
    return [(file, len(keys), recorded.issuperset(keys)) for file, keys in named.items()]


def _draw(survey_id: int, language: str, faults: dict[str, str]) -> str:
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    lines = prompt_catalogue.listed(session, survey_id, language)
    main = [line for line in lines if line.kind in ("question", "choice", "complaint")]
    own = [line for line in lines if line.kind == "own"]
    items = questionnaire.current(session, survey_id).items
    keys = [line for line in lines if line.kind == "key"]
    return render_template(
        "surveys/prompts.html", survey=survey, language=language, main=main, own=own, keys=keys, faults=faults,
        languages=items["languages"], media=_media(items, language, lines),
        speaker=prompt_catalogue.is_spoken(language), can_hear=speech.synthesiser(language) is not None,
        gaps=prompt_catalogue.gaps(session, survey_id), anchor=prompt_catalogue.anchor,
        can_ring=carriers.can("recorded_surveys"), recorded=sum(bool(one.own and one.own.sha256) for one in lines),
        total=sum(one.can_be_recorded for one in lines), longest=int(sounds.LONGEST),
    )  # fmt: skip
