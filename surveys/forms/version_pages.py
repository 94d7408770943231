"""The versions of a questionnaire: each as a file, and what changed from one to another."""

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.languages import language as page_language
from surveys import questionnaire
from surveys.forms import builder_words, drafts
from surveys.forms.branching_words import Speaker
from surveys.forms.form_changes import changes
from surveys.forms.form_files import as_file
from surveys.forms.form_outline import outline
from surveys.forms.items import Items
from surveys.pages import READERS, blueprint
from surveys.questionnaire import Questionnaire

DRAFT = "draft"


@blueprint.get("/<int:survey_id>/versions")
@access(*READERS)
def versions(survey_id: int) -> ResponseReturnValue:
    """Every version, and the changes between two of them; `?old=1&new=2`, or `new=draft`."""
    session = web_session()
    survey, found = questionnaire.find(session, survey_id), questionnaire.versions(session, survey_id)
    draft = drafts.opened(session, survey_id)
    new = request.args.get("new", str(found[0].version))
    old = request.args.get("old") or _before(new, found)
    sides = _items(survey_id, old), _items(survey_id, new)
    before, after = sides
    told = changes(before, after, page_language()) if before and after else []
    return render_template(
        "surveys/versions.html", survey=survey, versions=found, old=old, new=new, has_draft=draft.is_changed,
        changes=told, is_readable=before is not None and after is not None, words=builder_words,
        before_words=before and Speaker(before, page_language()), after_words=after and Speaker(after, page_language()),
    )  # fmt: skip


@blueprint.get("/<int:survey_id>/versions/<int:number>.xlsx")
@access(*READERS)
def download_version(survey_id: int, number: int) -> ResponseReturnValue:
    """One version as an XLSForm."""
    session = web_session()
    version = questionnaire.version(session, survey_id, number)
    return send_file(**as_file(questionnaire.find(session, survey_id).name, drafts.source_of(version), number))


def _before(new: str, found: list[Questionnaire]) -> str:
    """The version that the reader most likely compares with: the one before."""
    numbers = [one.version for one in found]
    if new == DRAFT:
        return str(numbers[0])
    earlier = [number for number in numbers if new.isdecimal() and number < int(new)]
    return str(earlier[0] if earlier else numbers[-1])


def _items(survey_id: int, side: str) -> Items | None:
    """What a version asks; None for a draft that cannot be read yet."""
    session = web_session()
    if side == DRAFT:
        return outline(drafts.opened(session, survey_id).source).items
    return questionnaire.version(session, survey_id, int(side) if side.isdecimal() else 0).items
