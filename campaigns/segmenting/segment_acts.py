"""Pages of what is done with whole segments: versions, frozen lists, copies, deletion, two of them compared."""

from itertools import zip_longest
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select

from callcenter.base import audit
from callcenter.base.auth import User, access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from campaigns import segments
from campaigns.segmenting import (
    segment_choices,
    segment_drafts,
    segment_jobs,
    segment_uses,
    segment_versions,
    segment_words,
)
from campaigns.segmenting.segment_access import AUTHORS, READERS, SEEING
from campaigns.segmenting.segment_rules import VERSION

blueprint = Blueprint("acts", __name__)


@blueprint.get("/<int:segment_id>/versions")
@access(*READERS)
def history(segment_id: int) -> ResponseReturnValue:
    """Every version with what changed in words, and the frozen lists."""
    session = web_session()
    segment = segments.get(session, segment_id)
    catalogue = segment_choices.catalogue(session)
    kept = segment_versions.history(session, segment_id)
    names = {one.id: one.full_name for one in
             session.scalars(select(User).where(User.id.in_({each.saved_by for each in kept})))}  # fmt: skip
    changes = [
        (version, names.get(version.saved_by or 0), segment_words.sentence(version.rule, catalogue),
         segment_words.difference(before.rule, version.rule, catalogue) if before else [])
        for version, before in zip_longest(kept, kept[1:])
    ]  # fmt: skip
    return render_template(
        "campaigns/segments/history.html", segment=segment, changes=changes, **_frozen(segment_id),
        words=segment_words.sentence(segment.rule, catalogue),
        uses=segment_uses.uses(session, segment_id).get(segment_id, []),
    )  # fmt: skip


@blueprint.get("/<int:segment_id>/frozen")
@access(*READERS)
def frozen(segment_id: int) -> ResponseReturnValue:
    """The frozen lists alone, for the page that waits for one."""
    segment = segments.get(web_session(), segment_id)
    return render_template("campaigns/segments/frozen.html", segment=segment, **_frozen(segment_id))


def _frozen(segment_id: int) -> dict[str, Any]:
    session = web_session()
    return {"frozen": segment_uses.frozen_lists(session, segment_id),
            "is_freezing": segment_jobs.is_under_way(session, segment_id)}  # fmt: skip


@blueprint.post("/<int:segment_id>/freeze")
@access(*AUTHORS)
def freeze(segment_id: int) -> ResponseReturnValue:
    session = web_session()
    done = segment_jobs.ask(session, segment_id, current_user.id)
    session.commit()
    if done:
        flash(_("The list is frozen: it keeps these people, whatever changes."), "success")
    return redirect(url_for("segments.acts.history", segment_id=segment_id))


@blueprint.post("/<int:segment_id>/restore/<int:version>")
@access(*AUTHORS)
def restore(segment_id: int, version: int) -> ResponseReturnValue:
    """Make an old version the newest again; the versions between stay in the history."""
    session = web_session()
    old = segment_versions.get(session, segment_id, version)
    name = segments.get(session, segment_id).name
    try:
        saved = segments.save(session, segment_id, name, old.rule, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        flash(_("This version cannot be used any more: %(fault)s", fault=str(fault)), "danger")
        return redirect(url_for("segments.acts.history", segment_id=segment_id))
    audit.record(session, current_user.id, "segments.restore", f"segment/{segment_id}", version=version)
    segment_drafts.forget(session, current_user.id, segment_id)
    session.commit()
    flash(_("Version %(old)s is in force again, as version %(new)s.", old=version, new=saved.version), "success")
    return redirect(url_for("segments.acts.history", segment_id=segment_id))


@blueprint.post("/<int:segment_id>/duplicate")
@access(*AUTHORS)
def duplicate(segment_id: int) -> ResponseReturnValue:
    session = web_session()
    copy = segment_uses.duplicate(session, segment_id, current_user.id)
    session.commit()
    return redirect(url_for("segments.show", segment_id=copy.id))


@blueprint.post("/<int:segment_id>/delete")
@access(*AUTHORS)
def delete(segment_id: int) -> ResponseReturnValue:
    """Delete a segment that nothing stands on; a used one answers 409 with what stands on it."""
    session = web_session()
    segment_uses.remove(session, segment_id, current_user.id)
    session.commit()
    flash(_("The segment is deleted. Its frozen lists are kept in the records of what was done."), "success")
    return redirect(url_for("segments.index"))


@blueprint.get("/compare")
@access(*READERS)
def compare() -> ResponseReturnValue:
    """Two segments or frozen lists beside each other: who is in one alone, and who in both."""
    session = web_session()
    chosen = [request.args.get(side, "") for side in "ab"]
    rules, fault, found = [_chosen_rule(text) for text in chosen], "", None
    if all(rules):
        try:
            found = segments.compare(session, rules[0], rules[1])
        except InvalidInput as error:
            fault = str(error)
    return render_template(
        "campaigns/segments/compare.html", offered=_offered(), a=chosen[0], b=chosen[1], found=found, fault=fault
    )


def _offered() -> list[tuple[str, list[tuple[str, str]]]]:
    catalogue = segment_choices.catalogue(web_session())
    groups = ((_("Segments"), "segment", catalogue.segments), (_("Frozen lists"), "frozen", catalogue.frozen))
    return [(str(label), [(f"{kind}-{number}", name) for number, name in names.items()])
            for label, kind, names in groups if names]  # fmt: skip


def _chosen_rule(text: str) -> dict[str, Any] | None:
    clause = _chosen_clause(text)
    return {"version": VERSION, "all": [clause]} if clause else None


def _chosen_clause(text: str) -> dict[str, int] | None:
    kind, _dash, number = text.partition("-")
    if kind not in ("segment", "frozen") or not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    return {kind: int(number)}


@blueprint.post("/compare/sample")
@access(*SEEING)
def compare_sample() -> ResponseReturnValue:
    """Ten people of one part of the comparison; audited, as any look at people is."""
    session = web_session()
    rule = _part_rule(request.form.get("part", ""), request.form.get("a", ""), request.form.get("b", ""))
    people = segments.sample(session, rule)
    audit.record(session, current_user.id, "segments.sample", "segments", people=len(people))
    session.commit()
    return render_template("campaigns/segments/sample.html", people=people)


def _part_rule(part: str, a: str, b: str) -> dict[str, Any]:
    """The rule of what a person clicked: only_a, both, only_b, or either (the union). Raises InvalidInput."""
    first, second = _chosen_clause(a), _chosen_clause(b)
    if first is None or second is None:
        raise InvalidInput(_("Choose two segments."))
    rules: dict[str, dict[str, Any]] = {
        "either": {"any": [first, second]},
        "both": {"all": [first, second]},
        "only_a": {"all": [first, {"not": [second]}]},
        "only_b": {"all": [second, {"not": [first]}]},
    }
    if part not in rules:
        raise InvalidInput(_("Choose a part of the comparison."))
    return {"version": VERSION, **rules[part]}


@blueprint.post("/combine")
@access(*AUTHORS)
def combine() -> ResponseReturnValue:
    """A new segment of a part of the comparison, named after both; it opens in the builder."""
    session = web_session()
    part, a, b = (request.form.get(name, "") for name in ("part", "a", "b"))
    rule = _part_rule(part, a, b)
    named = {code: name for _group, options in _offered() for code, name in options}
    words = {"either": _("%(a)s or %(b)s"), "both": _("%(a)s and %(b)s"), "only_a": _("%(a)s without %(b)s"),
             "only_b": _("%(b)s without %(a)s")}  # fmt: skip
    name = words[part] % {"a": named.get(a, a), "b": named.get(b, b)}
    segment = segments.save(session, None, segment_uses.free_name(session, name), rule, current_user.id)
    session.commit()
    return redirect(url_for("segments.show", segment_id=segment.id))
