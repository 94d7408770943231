"""Upload the sound files that a form names, all at once."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.web import takes_upload
from surveys import questionnaire
from surveys.forms import form_media
from surveys.pages import MAKERS, blueprint
from surveys.voice import prompt_media, prompts, sounds
from surveys.voice.sound_reading import read_apart
from surveys.voice.sounds import Sound


@blueprint.post("/<int:survey_id>/prompts/files")
@access(*MAKERS)
@takes_upload(2 * sounds.LARGEST)
def keep_prompt_files(survey_id: int) -> ResponseReturnValue:
    """Each file becomes the recording of the sentences that name it; what nothing names is told."""
    session = web_session()
    items = questionnaire.current(session, survey_id).items
    wanted = request.form.get("language", "")
    language = str(wanted if wanted in items["languages"] else items["default_language"])
    keys = prompt_media.named(items, language)
    session.commit()  # no transaction waits while the files are read
    kept = 0
    for name, sound in _read(set(keys)):
        for key in keys[form_media.plain(name)]:
            prompts.keep_sound(session, (survey_id, language, key), sound, source="file", file_name=name,
                               user_id=current_user.id)  # fmt: skip
            kept += 1
    audit.record(session, current_user.id, "prompt.record_files", f"survey/{survey_id}", language=language, kept=kept)
    session.commit()
    if kept:
        flash(
            ngettext("%(num)s sentence has its recording.", "%(num)s sentences have their recording.", kept), "success"
        )
    return redirect(url_for("surveys.prompts", survey_id=survey_id, language=language))


def _read(known: set[str]) -> list[tuple[str, Sound]]:
    """The sounds of the files that some sentence names; of the others it is said why they were left."""
    uploads = [upload for upload in request.files.getlist("files") if upload.filename]
    if not uploads:
        flash(_("Choose the sound files first."), "error")
    read: list[tuple[str, Sound]] = []
    for upload in uploads[: prompt_media.AT_ONCE]:
        name = str(upload.filename)
        if form_media.plain(name) not in known:
            flash(_("%(file)s: the form names no such file in this language.", file=name), "error")
            continue
        try:
            with upload.stream:
                read.append((name, read_apart(upload.stream.read(sounds.LARGEST + 1))))
        except InvalidInput as fault:
            flash(f"{name}: {' '.join(fault.faults.values())}", "error")
    if len(uploads) > prompt_media.AT_ONCE:
        flash(_("Only the first %(most)s files were read; upload the rest now.", most=prompt_media.AT_ONCE), "error")
    return read
