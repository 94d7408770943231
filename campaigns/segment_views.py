"""Pages of segments: the list, the rule with its live count and ten of its people."""

import json
import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter import contacts, territory
from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from campaigns import segment_forms, segments
from campaigns.segment_rules import FIELDS, OPS

blueprint = Blueprint(
    "segments",
    __name__,
    url_prefix="/segments",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/campaigns",
)

READERS = ("administrator", "strategist", "supervisor", "pollster")
AUTHORS = ("administrator", "strategist", "pollster")
EXCLUDED: dict[str, LazyString] = {
    "blocked": _l("blocked after a privacy request"),
    "suppressed": _l("asked not to be contacted"),
    "opted_out": _l("did not accept"),
    "not_opted_in": _l("no consent on record"),
}
MODES: dict[str, LazyString] = {
    "all": _l("all of these hold"),
    "any": _l("at least one of these holds"),
    "not": _l("none of these holds"),
}
CHOICES = {
    "section_kind": territory.SECTION_KINDS,
    "sex": contacts.SEXES,
    "consent": contacts.CONSENTS,
    "line_kind": contacts.LINE_KINDS,
}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "fields": FIELDS, "ops": OPS, "modes": MODES, "choices": CHOICES, "excluded_words": EXCLUDED,
        "shown": segment_forms.shown, "new_key": lambda: secrets.token_hex(4), "masked": contacts.masked,
        "consents": contacts.CONSENTS, "may_write": may(frozenset(AUTHORS)),
    }  # fmt: skip


@blueprint.get("/")
@access(*READERS)
def index() -> ResponseReturnValue:
    return render_template("campaigns/segments/index.html", segments=segments.all_segments(web_session()))


@blueprint.get("/new")
@access(*AUTHORS)
def new() -> ResponseReturnValue:
    return _editor(None, "", {"all": [{"field": "section", "op": "in", "value": []}]}, {})


@blueprint.get("/<int:segment_id>")
@access(*READERS)
def show(segment_id: int) -> ResponseReturnValue:
    segment = segments.get(web_session(), segment_id)
    return _editor(segment_id, segment.name, segment.rule, {})


def _editor(segment_id: int | None, name: str, rule: dict[str, Any], faults: dict[str, str]) -> str:
    return render_template(
        "campaigns/segments/edit.html",
        segment_id=segment_id,
        name=name,
        rule=rule,
        is_flat=segment_forms.is_flat(rule),
        as_json=json.dumps(rule, ensure_ascii=False, indent=1),
        faults=faults,
    )


@blueprint.post("/")
@blueprint.post("/<int:segment_id>")
@access(*AUTHORS)
def save(segment_id: int | None = None) -> ResponseReturnValue:
    session, name = web_session(), request.form.get("name", "")[:200]
    try:
        rule = segment_forms.read_rule(request.form)
        segment = segments.save(session, segment_id, name, rule, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _editor(segment_id, name, _rule_as_typed(), fault.faults), 422
    session.commit()
    flash(_("The segment is saved."), "success")
    return redirect(url_for("segments.show", segment_id=segment.id))


def _rule_as_typed() -> dict[str, Any]:
    """What the form said, valid or not, so that nothing typed is lost."""
    form = request.form
    members = []
    for key in form.getlist("clause"):
        values = form.getlist(f"value-{key}")
        value = values if form.get(f"op-{key}") in segment_forms.LISTS else ", ".join(values)
        if form.get(f"field-{key}") in FIELDS:
            members.append({"field": form[f"field-{key}"], "op": form.get(f"op-{key}", ""), "value": value})
    mode = form.get("mode", "all")
    return {mode if mode in MODES else "all": members}


@blueprint.post("/count")
@access(*READERS)
def count() -> ResponseReturnValue:
    """The live count of what stands in the form; a rule half written says what is missing."""
    session = web_session()
    try:
        rule = segment_forms.read_rule(request.form)
        counted = segments.count(session, rule)
    except InvalidInput as fault:
        return render_template("campaigns/segments/count.html", counted=None, fault=str(fault))
    return render_template("campaigns/segments/count.html", counted=counted, fault=None)


@blueprint.post("/sample")
@access(*READERS)
def sample() -> ResponseReturnValue:
    """Ten people of what stands in the form. Looking at people is audited; counting them is not."""
    session = web_session()
    try:
        people = segments.sample(session, segment_forms.read_rule(request.form))
    except InvalidInput as fault:
        return render_template("campaigns/segments/sample.html", fault=str(fault), people=[])
    audit.record(session, current_user.id, "segments.sample", "segments", people=len(people))
    session.commit()
    return render_template("campaigns/segments/sample.html", fault=None, people=people)


@blueprint.get("/clause")
@access(*READERS)
def clause() -> ResponseReturnValue:
    """One condition's inputs, for the field asked for. What was typed stays when only the comparison changes."""
    key = request.args.get("key", "")
    key = key if key.isalnum() and len(key) <= 16 else secrets.token_hex(4)
    asked = request.args.get("field") or request.args.get(f"field-{key}", "section")
    name = asked if asked in FIELDS else "section"
    op = request.args.get(f"op-{key}", "")
    op = op if op in FIELDS[name].ops else FIELDS[name].ops[0]
    typed = request.args.getlist(f"value-{key}")
    value = typed if op in segment_forms.LISTS else ", ".join(typed)
    return render_template("campaigns/segments/clause.html", clause={"field": name, "op": op, "value": value}, key=key)
