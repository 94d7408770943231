"""Pages of studies: those of a survey, one study with everything that goes into it, its publication and delivery."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access, may
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.languages import language
from callcenter.base.settings import web_settings
from callcenter.base.web import takes_form
from callcenter.gate import elections
from callcenter.places import states
from surveys import questionnaire, studies
from surveys.pages import MAKERS, READERS, blueprint
from surveys.publishing import (
    silence,
    study_checklist,
    study_facts,
    study_files,
    study_forms,
    study_links,
    study_packages,
    study_publishing,
)
from surveys.studies import Study

RECORD_BYTES = 400_000


@blueprint.get("/<int:survey_id>/studies")
@access(*READERS)
def studies_page(survey_id: int) -> ResponseReturnValue:
    """The survey's studies, and whether results may leave today."""
    return _list(survey_id, {})


@blueprint.post("/<int:survey_id>/studies")
@access(*MAKERS)
def begin_study(survey_id: int) -> ResponseReturnValue:
    session = web_session()
    study = studies.begin(session, survey_id, current_user.id)
    session.commit()
    flash(_("The study was begun. Fill in what only you know; the rest comes from the interviews."), "success")
    return redirect(url_for("surveys.study", study_id=study.id))


@blueprint.post("/<int:survey_id>/silence")
@access("pollster")
def release_silence(survey_id: int) -> ResponseReturnValue:
    """A pollster takes files out although the silence lasts, with a reason."""
    session = web_session()
    questionnaire.find(session, survey_id)
    try:
        silence.release(session, survey_id, current_user.id, request.form.get("reason", ""))
    except InvalidInput as fault:
        session.rollback()
        return _list(survey_id, fault.faults), 422
    session.commit()
    flash(_("You may take files of this survey out for one hour. Your reason was recorded."), "warning")
    return redirect(url_for("surveys.studies_page", survey_id=survey_id))


@blueprint.get("/studies/<int:study_id>")
@access(*READERS)
def study(study_id: int) -> ResponseReturnValue:
    """One study: what is there, what is missing, its files, packages and links."""
    return _page(studies.find(web_session(), study_id))


@blueprint.post("/studies/<int:study_id>")
@takes_form(RECORD_BYTES)
@access(*MAKERS)
def save_study(study_id: int) -> ResponseReturnValue:
    """The record as it was written; a form with faults comes back as it was sent."""
    session = web_session()
    try:
        studies.save(session, study_id, study_forms.read(request.form), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(studies.find(session, study_id), fault.faults, study_forms.typed(request.form)), 422
    session.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("surveys.study", study_id=study_id))


@blueprint.post("/studies/<int:study_id>/publish")
@access(*MAKERS)
def publish_study(study_id: int) -> ResponseReturnValue:
    """Mark as published: from that day on the days to deliver are counted."""
    session = web_session()
    place = request.form.get("published_in", "").replace("\0", "")
    try:
        study_publishing.publish(session, study_id, _day("published_on"), place, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(studies.find(session, study_id), fault.faults), 422
    session.commit()
    flash(_("Marked as published. Add a copy of the note, make the package again and deliver it in time."), "success")
    return redirect(url_for("surveys.study", study_id=study_id))


@blueprint.post("/studies/<int:study_id>/deliver")
@access(*MAKERS)
def deliver_study(study_id: int) -> ResponseReturnValue:
    """Mark as handed in to the authority."""
    session = web_session()
    receipt = request.form.get("receipt", "").replace("\0", "")
    try:
        study_publishing.deliver(session, study_id, _day("delivered_on"), receipt, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(studies.find(session, study_id), fault.faults), 422
    session.commit()
    flash(_("Marked as delivered. The study stays as it is from now on."), "success")
    return redirect(url_for("surveys.study", study_id=study_id))


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        return None


@blueprint.context_processor
def _due() -> dict[str, Any]:
    """The list of surveys says which studies wait to be delivered; asked for where a page shows it."""
    return {"studies_due": lambda: study_publishing.due(web_session()) if may(frozenset(READERS)) else []}


def _list(survey_id: int, faults: Mapping[str, str]) -> str:
    session = web_session()
    survey, now = questionnaire.find(session, survey_id), campaign_now(session)
    found = [
        {"study": one, "countdown": study_publishing.countdown(session, one),
         "package": study_packages.newest_ready(session, one.id)}
        for one in studies.of_survey(session, survey_id)
    ]  # fmt: skip
    return render_template(
        "surveys/studies.html", survey=survey, found=found, faults=faults, lock=silence.lock_at(session, now),
        next_lock=silence.next_lock(session, now), may_make=may(frozenset(MAKERS)), scopes=studies.SCOPES,
        is_pollster=may(frozenset({"pollster"})), form=request.form if faults else {},
        release=silence.release_of(session, survey_id, current_user.id),
    )  # fmt: skip


def _page(study: Study, faults: Mapping[str, str] | None = None, typed: Mapping[str, Any] | None = None) -> str:
    session = web_session()
    values = typed or study_forms.values(study)
    may_change = may(frozenset(MAKERS)) and study.state != "delivered"
    return render_template(
        "surveys/study.html", study=study, survey=questionnaire.find(session, study.survey_id), values=values,
        payer_rows=study_forms.rows(values), faults=faults or {}, may_change=may_change,
        may_take=may(frozenset(MAKERS)), forms=study_forms,
        files=study_files.of_study(session, study.id), firm_files=study_files.of_firm(session),
        file_kinds=study_files.STUDY_KINDS, kinds=study_files.KINDS, scopes=studies.SCOPES, parties=studies.PARTIES,
        elections=elections.every(session), state_names=states.NAMES, record_fields=studies.RECORD_FIELDS,
        countdown=study_publishing.countdown(session, study), recipients=study_publishing.recipients(study),
        lock=silence.lock_at(session, campaign_now(session), [study.election_id] if study.election_id else ()),
        today=study_publishing.today(session), **_standing(study), **packages_of(study),
    )  # fmt: skip


def _standing(study: Study) -> dict[str, Any]:
    """The checklist as the study stands: what people entered now, and the figures of the newest package."""
    session = web_session()
    package = study_packages.newest_ready(session, study.id)
    day = study.published_on or study_publishing.today(session)
    listed = study_checklist.checklist(day)
    facts = study_facts.entered(study_facts.said(session, study))
    automatic = {fact.key for item in listed.items for fact in item.needs} - set(facts)
    lacking = set(package.missing) if package else automatic
    facts |= {key: None if key in lacking else "package" for key in automatic}
    standings = study_checklist.standings(listed, facts)
    spoken = language()
    labels = {fact.key: fact.label[spoken] for item in listed.items for fact in item.needs}
    return {"checklist": listed, "standings": standings, "spoken": spoken, "labels": labels,
            "lacking": study_checklist.missing(standings), "has_package": package is not None}  # fmt: skip


def packages_of(study: Study) -> dict[str, Any]:
    """What the part of the page on packages and links shows."""
    session = web_session()
    packages = study_packages.of_study(session, study.id)
    known = study_facts.fingerprint(session, study)
    return {
        "packages": packages, "stages": study_packages.STAGES, "fingerprint": known,
        "is_running": any(package.state == "asked" for package in packages),
        "links": study_links.of_study(session, study.id), "lives": study_links.LIVES,
        "link_url": lambda link: study_links.url(link, web_settings()),
    }  # fmt: skip
