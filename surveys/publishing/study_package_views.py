"""A study's files, packages and links: what is uploaded, made, taken out and shared."""

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from werkzeug.utils import secure_filename

from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.languages import language
from callcenter.base.web import takes_upload
from surveys import studies
from surveys.pages import MAKERS, READERS, blueprint
from surveys.publishing import package_archive, silence, study_files, study_forms, study_links, study_packages
from surveys.publishing.study_files import Given
from surveys.publishing.study_views import packages_of

CONTENT_TYPES = {"zip": "application/zip", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8",
                 "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                 "sav": "application/x-spss-sav"}  # fmt: skip


@blueprint.post("/studies/<int:study_id>/files")
@access(*MAKERS)
@takes_upload(study_files.MAX_BYTES)
def add_study_file(study_id: int) -> ResponseReturnValue:
    session = web_session()
    study = studies.find(session, study_id)
    if study.state == "delivered":
        raise Refused("delivered", _("This study was delivered and stays as it is. Begin another one."))
    return _uploaded(study_id, url_for("surveys.study", study_id=study_id) + "#files")


@blueprint.get("/firm")
@access(*MAKERS)
def firm() -> ResponseReturnValue:
    """Who we are: it goes with every study."""
    return _firm({})


@blueprint.post("/firm")
@access(*MAKERS)
def save_firm() -> ResponseReturnValue:
    session = web_session()
    try:
        studies.save_firm(session, study_forms.firm(request.form), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _firm(fault.faults), 422
    session.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("surveys.firm"))


@blueprint.post("/firm/files")
@access(*MAKERS)
@takes_upload(study_files.MAX_BYTES)
def add_firm_file() -> ResponseReturnValue:
    return _uploaded(None, url_for("surveys.firm") + "#files")


def _uploaded(study_id: int | None, back: str) -> ResponseReturnValue:
    session, upload = web_session(), request.files.get("file")
    content = upload.stream.read(study_files.MAX_BYTES + 1) if upload else b""
    given = Given(request.form.get("kind", ""), upload.filename or "" if upload else "", content)
    try:
        study_files.add(session, study_id, given, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        flash(str(fault), "danger")
        return redirect(back)
    session.commit()
    flash(_("The file was kept."), "success")
    return redirect(back)


def _firm(faults: dict[str, str]) -> str:
    session = web_session()
    values = study_forms.firm(request.form) if faults else studies.firm_profile(session)
    return render_template("surveys/firm.html", values=values, faults=faults, files=study_files.of_firm(session),
                           kinds=study_files.FIRM_KINDS)  # fmt: skip


@blueprint.get("/study-files/<int:file_id>")
@access(*MAKERS)
def study_file(file_id: int) -> ResponseReturnValue:
    file = study_files.find(web_session(), file_id)
    return _file(file.content, file.content_type, file.file_name)


@blueprint.post("/study-files/<int:file_id>/remove")
@access(*MAKERS)
def remove_study_file(file_id: int) -> ResponseReturnValue:
    session = web_session()
    file = study_files.find(session, file_id)
    study_id = file.study_id
    if study_id is not None and studies.find(session, study_id).state == "delivered":
        raise Refused("delivered", _("This study was delivered and stays as it is. Begin another one."))
    study_files.remove(session, file_id, current_user.id)
    session.commit()
    back = url_for("surveys.study", study_id=study_id) if study_id else url_for("surveys.firm")
    return redirect(back + "#files")


@blueprint.get("/studies/<int:study_id>/packages")
@access(*READERS)
def study_packages_part(study_id: int) -> ResponseReturnValue:
    """The part of the page that follows the work; htmx asks for it while it lasts."""
    return _packages(study_id)


@blueprint.post("/studies/<int:study_id>/packages")
@access(*MAKERS)
def make_package(study_id: int) -> ResponseReturnValue:
    return _acted(study_id, lambda: study_packages.ask(web_session(), study_id, current_user.id, language=language()))


@blueprint.post("/study-packages/<int:package_id>/cancel")
@access(*MAKERS)
def cancel_package(package_id: int) -> ResponseReturnValue:
    session = web_session()
    package = study_packages.find(session, package_id)
    return _acted(package.study_id, lambda: study_packages.cancel(session, package_id, current_user.id))


def _acted(study_id: int, act: Callable[[], object]) -> ResponseReturnValue:
    act()
    web_session().commit()
    return redirect(url_for("surveys.study", study_id=study_id) + "#packages")


@blueprint.get("/study-packages/<int:package_id>/<name>")
@access(*MAKERS)
def package_file(package_id: int, name: str) -> ResponseReturnValue:
    """The ZIP or one of its files; audited, and held back during the silence."""
    session = web_session()
    package = study_packages.find(session, package_id)
    study = studies.find(session, package.study_id)
    if package.content is None or (name != "package.zip" and name not in package_archive.OFFERED):
        raise NotFound(_("There is no such file."))
    silence.check_leaving(session, study.survey_id, current_user.id, election_id=study.election_id)
    content = package.content
    if name != "package.zip":
        content = package_archive.open_package(content).read(package_archive.OFFERED[name])
    audit.record(session, current_user.id, "studies.download", f"survey/{study.survey_id}", package=package_id,
                 file=name)  # fmt: skip
    session.commit()
    return _file(content, CONTENT_TYPES[name.rpartition(".")[2]], f"convoca-{study.survey_id}-{package_id}-{name}")


@blueprint.post("/studies/<int:study_id>/links")
@access(*MAKERS)
def make_link(study_id: int) -> ResponseReturnValue:
    """A read-only link to the newest package."""
    session = web_session()
    package = study_packages.newest_ready(session, study_id)
    if package is None:
        raise Refused("not_ready", _("Make the package first: a link shows what is in it."))
    label, days = request.form.get("label", "").replace("\0", ""), request.form.get("days", "")
    try:
        study_links.make(session, package.id, label, int(days) if days.isdigit() else 0, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        flash(str(fault), "danger")
    session.commit()
    return redirect(url_for("surveys.study", study_id=study_id) + "#links")


@blueprint.post("/study-links/<int:link_id>/end")
@access(*MAKERS)
def end_link(link_id: int) -> ResponseReturnValue:
    session = web_session()
    link = study_links.end(session, link_id, current_user.id)
    study_id = study_packages.find(session, link.package_id).study_id
    session.commit()
    return redirect(url_for("surveys.study", study_id=study_id) + "#links")


def _packages(study_id: int) -> str:
    study = studies.find(web_session(), study_id)
    may_change = may(frozenset(MAKERS)) and study.state != "delivered"
    return render_template("surveys/_study_packages.html", study=study, may_change=may_change,
                           may_take=may(frozenset(MAKERS)), **packages_of(study))  # fmt: skip


def _file(content: bytes, kind: str, name: str) -> Response:
    answer = Response(content, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{secure_filename(name) or "file"}"'
    return answer
