"""The figures beside the builder: how many people, who is left out and why, ten of them, and where they live."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.web import takes_form
from callcenter.places import territory_map
from callcenter.tables import small_counts
from campaigns import segments
from campaigns.segmenting import segment_builder
from campaigns.segmenting.segment_access import AUTHORS, MAX_FORM, READERS, SEEING
from campaigns.segmenting.segment_builder import Builder

blueprint = Blueprint("figures", __name__)

MOST_SECTIONS = 500  # rows of the table; the map shows them all

# reason -> what it means, what lifts it
EXCLUDED: dict[str, tuple[LazyString, LazyString]] = {
    "blocked": (_l("blocked after a privacy request"), _l("Nothing lifts it: they asked us to stop using their data.")),
    "suppressed": (_l("asked not to be contacted"), _l("Only the person can lift it, by asking for contact again.")),
    "opted_out": (_l("did not accept"), _l("A new consent of the person lifts it.")),
    "not_opted_in": (
        _l("no consent on record for this purpose"),
        _l("A consent on record lifts it: ask for it in a campaign to verify data or consent."),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Exclusion:
    """One reason why people of the rule are not contacted: its words, what lifts it, and where that is done."""

    people: int
    words: str
    remedy: str
    act: str
    url: str


@blueprint.post("/count")
@takes_form(MAX_FORM)
@access(*READERS)
def count() -> ResponseReturnValue:
    """The number of what stands in the form: with `quick` an estimate at first; unfinished rows are left out of it."""
    session = web_session()
    builder = segment_builder.from_form(session, request.form)
    counted = None
    if not builder.root.fault:
        ask = segments.estimate if "quick" in request.args else segments.count
        counted = ask(session, builder.rule, purpose=builder.purpose or None)
    if may(frozenset(AUTHORS)) and "quick" in request.args:
        builder.keep(current_user.id)
        session.commit()
    return render_template(
        "campaigns/segments/count.html", b=builder, counted=counted,
        exclusions=[_exclusion(reason, people) for reason, people in (counted.excluded if counted else {}).items()],
    )  # fmt: skip


def _exclusion(reason: str, people: int) -> Exclusion:
    words, remedy = EXCLUDED.get(reason, (reason, ""))
    acts = {
        "opted_out": (_l("See them"), url_for("contacts.index", consent="opted_out")),
        "not_opted_in": (_l("Prepare that campaign"), url_for("campaigns.calls.create")),
    }
    act, url = acts.get(reason, ("", ""))
    return Exclusion(people, str(words), str(remedy), str(act), url)


@blueprint.post("/sample")
@takes_form(MAX_FORM)
@access(*SEEING)
def sample() -> ResponseReturnValue:
    """Ten people of what stands in the form. Looking at people is audited; counting them is not."""
    builder = _whole(segment_builder.from_form(web_session(), request.form))
    people = segments.sample(builder.session, builder.rule)
    audit.record(builder.session, current_user.id, "segments.sample", "segments", people=len(people))
    builder.session.commit()
    return render_template("campaigns/segments/sample.html", people=people)


def _whole(builder: Builder) -> Builder:
    """The page without what keeps its rule from being read: then nobody is shown rather than everybody."""
    if builder.root.fault:
        builder.rule = {"any": []}
    return builder


@blueprint.post("/sections")
@takes_form(MAX_FORM)
@access(*READERS)
def sections() -> ResponseReturnValue:
    """Where the people of what stands in the form live: a table and a map, with numbers below five hidden."""
    builder = _whole(segment_builder.from_form(web_session(), request.form))
    return render_template("campaigns/segments/sections.html", **by_section(builder))


def by_section(builder: Builder) -> dict[str, object]:
    """The table's rows (most people first), what was cut off, the total and the map."""
    found = segments.by_section(builder.session, builder.rule)
    counted = {(one.state, one.number, one.section_id): one.people for one in found}
    shown = small_counts.hide(counted)
    rows = [
        {"state": state, "number": number, "people": shown.values[state, number, section]}
        for state, number, section in sorted(counted, key=lambda key: -(shown.values[key] or 0))
    ]
    on_map = {key[2]: people for key, people in shown.values.items() if key[2] is not None}
    drawn = territory_map.draw(builder.session, on_map, title=str(_l("People of the segment by section")))
    return {"rows": rows[:MOST_SECTIONS], "more": max(0, len(rows) - MOST_SECTIONS), "total": shown.total,
            "map": drawn, "fewest": small_counts.FEWEST}  # fmt: skip
