"""What somebody outside the house sees by a link to a study: its figures as they were packed, nothing live."""

from typing import Any

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound, Refused
from callcenter.base.settings import web_settings
from surveys import studies
from surveys.publishing import package_archive, study_links, study_words
from surveys.publishing.study_packages import StudyPackage
from surveys.vote.vote_recipe import Percents

blueprint = Blueprint("study_links", "surveys", url_prefix="/study", template_folder="templates")
WHY = "somebody outside was given a signed link that ends"
LIMIT = "60 per minute; 600 per hour"
FILES = {
    "study.pdf": "application/pdf",
    "tables.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@blueprint.get("/<code>")
@public(WHY)
def page(code: str) -> ResponseReturnValue:
    """The figures of the study; why not, when the link ended or the silence holds."""
    try:
        package = _opened(code)
    except Refused as refusal:
        return _private(render_template("surveys/shared_closed.html", sentence=str(refusal)), 410)
    study = studies.find(web_session(), package.study_id)
    web_session().commit()
    return _private(render_template("surveys/shared.html", study=study, package=package, code=code,
                                    words=study_words, **_shown(package)), 200)  # fmt: skip


@blueprint.get("/<code>/<any('study.pdf', 'tables.xlsx'):name>")
@public(WHY)
def file(code: str, name: str) -> ResponseReturnValue:
    """The study to read, or its tables."""
    try:
        package = _opened(code)
    except Refused as refusal:
        return _private(render_template("surveys/shared_closed.html", sentence=str(refusal)), 410)
    content = package_archive.open_package(package.content or b"").read(package_archive.OFFERED[name])
    web_session().commit()
    answer = _private(content, 200)
    answer.content_type = FILES[name]
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


def _opened(code: str) -> StudyPackage:
    limiter = next(iter(current_app.extensions["limiter"]))
    with limiter.limit(LIMIT):
        pass
    session = web_session()
    package = study_links.open_link(session, study_links.find(session, code, web_settings()))
    if package.content is None or package.figures is None:
        raise NotFound(_("This address is not complete, or it is no longer in use."))
    return package


def _shown(package: StudyPackage) -> dict[str, Any]:
    kept = package.figures or {}
    figures = kept["figures"]
    return {"figures": figures, "labels": kept["words"], "percents": Percents(**kept.get("percents", {}))}


def _private(body: str | bytes, status: int) -> Response:
    answer = Response(body, status)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
