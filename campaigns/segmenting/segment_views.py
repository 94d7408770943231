"""Pages of segments: the list and the builder. Its figures: segment_figures; versions and sets: segment_acts."""

import json
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter import contacts
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.web import takes_form
from campaigns import labels, segments
from campaigns.segmenting import (
    segment_acts,
    segment_builder,
    segment_choices,
    segment_drafts,
    segment_figures,
    segment_forms,
    segment_uses,
)
from campaigns.segmenting.segment_access import AUTHORS, MAX_FORM, READERS, SEEING
from campaigns.segmenting.segment_builder import Builder

blueprint = Blueprint(
    "segments",
    "campaigns",
    url_prefix="/segments",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/campaigns",
)
blueprint.register_blueprint(segment_figures.blueprint)
blueprint.register_blueprint(segment_acts.blueprint)


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "group_labels": segment_builder.GROUP_LABELS, "periods": segment_forms.PERIODS, "purposes": labels.PURPOSES,
        "shown_values": segment_builder.SHOWN_VALUES, "masked": contacts.masked, "consents": contacts.CONSENTS,
        "option_labels": segment_builder.OPTION_LABELS, "all_of_it": segment_builder.WITHOUT,
        "may_write": may(frozenset(AUTHORS)), "may_see_people": may(frozenset(SEEING)), "dump": json.dumps,
    }  # fmt: skip


@blueprint.get("/")
@access(*READERS)
def index() -> ResponseReturnValue:
    return render_template("campaigns/segments/index.html", **segment_uses.overview(web_session()))


@blueprint.get("/new")
@access(*AUTHORS)
def new() -> ResponseReturnValue:
    session = web_session()
    draft = segment_drafts.find(session, current_user.id, None)
    if draft is not None:
        return _page(segment_builder.from_draft(session, draft), draft=draft)
    return _page(segment_builder.new(session))


@blueprint.get("/<int:segment_id>")
@access(*READERS)
def show(segment_id: int) -> ResponseReturnValue:
    session = web_session()
    segment = segments.get(session, segment_id)
    draft = segment_drafts.find(session, current_user.id, segment_id)
    if draft is not None and may(frozenset(AUTHORS)):
        return _page(segment_builder.from_draft(session, draft), draft=draft)
    return _page(segment_builder.from_segment(session, segment))


@blueprint.post("/")
@blueprint.post("/<int:segment_id>")
@takes_form(MAX_FORM)
@access(*AUTHORS)
def save(segment_id: int | None = None) -> ResponseReturnValue:
    """Save the segment; or, where the browser runs no script, do what a button says and show the page again."""
    session = web_session()
    builder = segment_builder.from_form(session, request.form)
    builder.segment_id = segment_id
    if "act" in request.form:
        builder.act(request.form["act"])
        return _page(builder)
    try:
        segment = _saved(builder)
    except InvalidInput as fault:
        session.rollback()
        builder.faults |= fault.faults
        return _page(builder), 422
    segment_drafts.forget(session, current_user.id, segment_id)
    session.commit()
    flash(_("The segment is saved."), "success")
    return redirect(url_for("segments.show", segment_id=segment.id))


def _saved(builder: Builder) -> segments.Segment:
    """Save what the page says. Raises InvalidInput, its faults at their rows, the name or the JSON."""
    if builder.json_text.strip():
        builder.act("json")
    if builder.faults or builder.unfinished:
        raise InvalidInput({"": _("The segment is not saved: some of its conditions are not finished.")})
    _check_version(builder)
    return segments.save(builder.session, builder.segment_id, builder.name, builder.rule, current_user.id)


def _check_version(builder: Builder) -> None:
    """Raises InvalidInput when somebody else saved since the page was opened; saving again then is meant."""
    if builder.segment_id is None:
        return
    present = segments.get(builder.session, builder.segment_id).version
    if builder.version not in (0, present):
        builder.version = present
        sentence = _("Somebody saved version %(number)s while you were writing; it is among the versions. Save again to"
                     " put yours above it.", number=present)  # fmt: skip
        raise InvalidInput({"": sentence})


@blueprint.post("/rule")
@takes_form(MAX_FORM)
@access(*READERS)
def rule() -> ResponseReturnValue:
    """The rows after a button was pressed."""
    builder = segment_builder.from_form(web_session(), request.form)
    builder.act(request.form.get("act", ""))
    _keep(builder)
    return _part("campaigns/segments/rule.html", builder)


@blueprint.post("/row")
@takes_form(MAX_FORM)
@access(*READERS)
def row() -> ResponseReturnValue:
    """One row again, after something was chosen that changes its inputs. Whatever fits them still stays."""
    builder = segment_builder.from_form(web_session(), request.form)
    _keep(builder)
    found = builder.find(request.form.get("row", ""))
    if found is None:
        return _part("campaigns/segments/rule.html", builder)
    return _part("campaigns/segments/row.html", builder, node=found.node, parent=found.parent)


@blueprint.get("/suggest")
@access(*READERS)
def suggest() -> ResponseReturnValue:
    """Values that begin as somebody types, for a field of text."""
    code, typed = request.args.get("field", ""), request.args.get("typed", "")[:100]
    values = segment_choices.suggestions(web_session(), code, typed)
    return render_template("campaigns/segments/suggestions.html", values=values)


@blueprint.post("/discard")
@access(*AUTHORS)
def discard() -> ResponseReturnValue:
    """Back to what was saved last."""
    session = web_session()
    number = request.form.get("segment", "")
    segment_id = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    segment_drafts.forget(session, current_user.id, segment_id)
    session.commit()
    return redirect(url_for("segments.show", segment_id=segment_id) if segment_id else url_for("segments.new"))


def _page(builder: Builder, draft: segment_drafts.SegmentDraft | None = None) -> str:
    saved = segments.get(builder.session, builder.segment_id) if builder.segment_id else None
    return render_template("campaigns/segments/edit.html", b=builder, draft=draft, saved=saved)


def _part(template: str, builder: Builder, **more: object) -> ResponseReturnValue:
    answer = make_response(render_template(template, b=builder, **more))
    answer.headers["HX-Trigger-After-Settle"] = "recount"
    return answer


def _keep(builder: Builder) -> None:
    """Keep the half-written page of an author, so that a reload brings it back."""
    if may(frozenset(AUTHORS)):
        builder.keep(current_user.id)
        builder.session.commit()
