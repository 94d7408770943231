"""The page of the pictures that a questionnaire names: what is there, what is missing; upload, replace, remove."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.web import takes_upload
from surveys import questionnaire
from surveys.pages import EVERYBODY, MAKERS, READERS, blueprint
from surveys.pictures import form_pictures, picture_files, picture_reading
from surveys.pictures.picture_files import Upload
from surveys.pictures.picture_store import Picture

FOREVER = "private, max-age=31536000, immutable"  # a picture is named by what is in it
SAID = 20  # sentences of one upload: who reads more


@blueprint.get("/<int:survey_id>/pictures")
@access(*READERS)
def pictures(survey_id: int) -> ResponseReturnValue:
    """Every picture that the questionnaire names."""
    session = web_session()
    survey, named = questionnaire.find(session, survey_id), form_pictures.listed(session, survey_id)
    return render_template(
        "surveys/pictures.html", survey=survey, named=named, may_make=may(frozenset(MAKERS)),
        missing=sum(one.shown is None for one in named), most=picture_files.LARGEST >> 20,
        side=picture_files.MOST_SIDE, together=picture_files.LARGEST_UPLOAD >> 20,
    )  # fmt: skip


@blueprint.post("/<int:survey_id>/pictures")
@access(*MAKERS)
@takes_upload(picture_files.LARGEST_UPLOAD)
def keep_pictures(survey_id: int) -> ResponseReturnValue:
    """Picture files, or ZIPs of them; their names decide where they are shown."""
    session = web_session()
    questionnaire.find(session, survey_id)
    session.commit()  # no transaction waits while the files are read
    upload = uploaded()
    if not upload.files and not upload.refused:
        flash(_("Choose the picture files first."), "error")
    keep(session, survey_id, upload)
    session.commit()
    return redirect(url_for("surveys.pictures", survey_id=survey_id))


def uploaded() -> Upload:
    """The pictures of this request, read; the caller holds no transaction."""
    try:
        return picture_reading.read_apart(request.files.getlist("pictures"))
    except InvalidInput as fault:
        return Upload(refused=list(fault.faults.values()))


def keep(session: Session, survey_id: int, upload: Upload) -> None:
    """Put the pictures of an upload where their names say, and tell the person what became of each file."""
    refused = list(upload.refused)
    if upload.files:
        kept, left = form_pictures.keep(session, survey_id, upload.files, current_user.id)
        refused += left
        audit.record(session, current_user.id, "picture.keep", f"survey/{survey_id}", kept=kept)
        if kept:
            flash(ngettext("%(num)s picture is in its place.", "%(num)s pictures are in their place.", kept), "success")
    for sentence in refused[:SAID]:
        flash(sentence, "error")
    if len(refused) > SAID:
        flash(_("%(n)s more files were not taken.", n=len(refused) - SAID), "error")


@blueprint.post("/<int:survey_id>/pictures/remove")
@access(*MAKERS)
def remove_picture(survey_id: int) -> ResponseReturnValue:
    """Nothing is shown for this name any more."""
    session = web_session()
    form_pictures.remove(session, survey_id, request.form.get("name", "").replace("\0", ""))
    audit.record(session, current_user.id, "picture.remove", f"survey/{survey_id}")
    session.commit()
    return redirect(url_for("surveys.pictures", survey_id=survey_id))


@blueprint.get("/<int:survey_id>/pictures/<sha256>")
@access(*EVERYBODY)
def picture(survey_id: int, sha256: str) -> ResponseReturnValue:
    """One picture of a survey, for who asks its questions or tries them."""
    return as_response(form_pictures.find(web_session(), survey_id, sha256))


def address(survey_id: int, sha256: str) -> str:
    """Of a picture on the pages of the house."""
    return url_for("surveys.picture", survey_id=survey_id, sha256=sha256)


def as_response(shown: Picture) -> Response:
    """The file as it was uploaded, of the kind that its content has; browsers may keep it."""
    return Response(shown.content, headers={"Content-Type": shown.kind, "Cache-Control": FOREVER})
