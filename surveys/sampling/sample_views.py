"""Pages of samples: what was drawn, its releases into a campaign, waves, and drawing another one."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, format_percent, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.web import is_htmx
from callcenter.contacts import LINE_KINDS, SEXES
from callcenter.tables import file_faults, table_exports
from callcenter.tables.table_exports import Cell
from callcenter.territory import SECTION_KINDS
from surveys import questionnaire, samples
from surveys.pages import MAKERS, READERS, blueprint
from surveys.sampling import numbering_plans, sample_drawing, sample_forms, sample_frames, sample_plans, waves
from surveys.sampling.sample_frames import RDD, RDD_STRATA, STRATA
from surveys.sampling.sample_tables import Sample

LEFT_OUT: dict[str, LazyString] = {
    "fake": _l("Numbers that look invented"),
    "invalid": _l("Numbers that no person has"),
    "toll_free": _l("Numbers that no person has"),
    "foreign": _l("Numbers that no person has"),
    "drawn_before": _l("Numbers that an earlier sample of this survey has"),
    "blocked": _l("People whose data are blocked"),
    "suppressed": _l("People at phones that must not be contacted"),
    "opted_out": _l("People who refused to be contacted"),
}
ALLOCATIONS: dict[str, LazyString] = {
    "proportional": _l("In proportion to its size"),
    "equal": _l("The same number from each"),
}
NAMES: dict[str, dict[str, LazyString]] = {"sex": SEXES, "section_kind": SECTION_KINDS, "line_kind": LINE_KINDS}


@blueprint.get("/<int:survey_id>/samples")
@access(*READERS)
def sample_page(survey_id: int) -> ResponseReturnValue:
    """The survey's samples and waves."""
    return _samples(survey_id, {})


@blueprint.get("/<int:survey_id>/samples/new")
@access(*MAKERS)
def sample_form(survey_id: int) -> ResponseReturnValue:
    """What to draw from, how much, by which strata and seed."""
    return _form(survey_id, {})


@blueprint.post("/<int:survey_id>/samples")
@access(*MAKERS)
def draw_sample(survey_id: int) -> ResponseReturnValue:
    """Let a worker draw a sample; what cannot be used is said beside its field, and nothing typed is lost."""
    session = web_session()
    try:
        sample = sample_plans.create(session, survey_id, sample_forms.wanted(request.form), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _form(survey_id, fault.faults), 422
    session.commit()
    return redirect(url_for("surveys.one_sample", survey_id=survey_id, sample_id=sample.id))


@blueprint.get("/<int:survey_id>/samples/<int:sample_id>")
@access(*READERS)
def one_sample(survey_id: int, sample_id: int) -> ResponseReturnValue:
    """One sample: how it was drawn, what of it is in the field, what came of it."""
    return _one(survey_id, sample_id, {})


@blueprint.post("/<int:survey_id>/samples/<int:sample_id>/release")
@access(*MAKERS)
def release_sample(survey_id: int, sample_id: int) -> ResponseReturnValue:
    """Let the next replicates into the field."""
    session = web_session()
    _of_survey(survey_id, sample_id)
    try:
        queued = samples.release(session, sample_id, sample_forms.replicates(request.form), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _one(survey_id, sample_id, fault.faults), 422
    session.commit()
    said = ngettext("Released: %(num)s person is new in the campaign's list.",
                    "Released: %(num)s people are new in the campaign's list.", queued)  # fmt: skip
    flash(said, "success")
    return redirect(url_for("surveys.one_sample", survey_id=survey_id, sample_id=sample_id))


@blueprint.post("/<int:survey_id>/samples/<int:sample_id>/queue")
@access(*MAKERS)
def feed_campaign(survey_id: int, sample_id: int) -> ResponseReturnValue:
    """Choose the campaign into which releases go."""
    session = web_session()
    _of_survey(survey_id, sample_id)
    try:
        samples.set_queue(session, sample_id, sample_forms.queue(request.form), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _one(survey_id, sample_id, fault.faults), 422
    session.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("surveys.one_sample", survey_id=survey_id, sample_id=sample_id))


@blueprint.post("/<int:survey_id>/samples/<int:sample_id>/remove")
@access(*MAKERS)
def remove_sample(survey_id: int, sample_id: int) -> ResponseReturnValue:
    """Delete a sample of which nothing was released."""
    session = web_session()
    _of_survey(survey_id, sample_id)
    samples.remove(session, sample_id, current_user.id)
    session.commit()
    flash(_("The sample was deleted."), "success")
    return redirect(url_for("surveys.sample_page", survey_id=survey_id))


@blueprint.get("/<int:survey_id>/samples/<int:sample_id>/cases.csv")
@access(*READERS)
def sample_file(survey_id: int, sample_id: int) -> ResponseReturnValue:
    """Every case with its replicate and stratum, in the order of the draw; no phone and no name."""
    session = web_session()
    sample = _of_survey(survey_id, sample_id)
    header = [_("Case"), _("Replicate"), _("Stratum"), _("Released")]
    rows: Iterator[list[Cell]] = ([number, of, name, int(of <= sample.released)] for number, of, name
            in sample_drawing.lines(session, sample_id))  # fmt: skip
    content = table_exports.csv_bytes(header, rows)
    audit.record(session, current_user.id, "sample.export", f"sample/{sample_id}")
    session.commit()
    answer = Response(content, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="sample-{sample_id}.csv"'
    return answer


@blueprint.post("/<int:survey_id>/waves")
@access(*MAKERS)
def save_wave(survey_id: int) -> ResponseReturnValue:
    """A new wave, or the one of this code changed."""
    session = web_session()
    try:
        wave = waves.save(session, survey_id, sample_forms.wave(request.form), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _samples(survey_id, fault.faults), 422
    session.commit()
    flash(_("The wave %(code)s was saved.", code=wave.code), "success")
    return redirect(url_for("surveys.sample_page", survey_id=survey_id))


@blueprint.post("/<int:survey_id>/waves/remove")
@access(*MAKERS)
def remove_wave(survey_id: int) -> ResponseReturnValue:
    """Delete a wave to which nothing belongs."""
    session = web_session()
    waves.remove(session, survey_id, request.form.get("code", ""), current_user.id)
    session.commit()
    flash(_("The wave was deleted."), "success")
    return redirect(url_for("surveys.sample_page", survey_id=survey_id))


def _samples(survey_id: int, faults: Mapping[str, str]) -> str:
    session = web_session()
    found = samples.listed(session, survey_id)
    return render_template(
        "surveys/samples.html", survey=questionnaire.find(session, survey_id), samples=found,
        frames={sample.id: samples.frame_words(session, sample) for sample in found},
        waves=waves.listed(session, survey_id), done=waves.interviews(session, survey_id),
        wave_now=waves.now(session, survey_id), faults=faults, asked=_wave_fields(survey_id),
        may_make=may(frozenset(MAKERS)),
    )  # fmt: skip


def _wave_fields(survey_id: int) -> Mapping[str, str]:
    """What the form of a wave holds: what was typed, else the wave that the address names."""
    wave = waves.find(web_session(), survey_id, request.args.get("wave", "")) if not request.form else None
    if wave is None:
        return request.form
    closes_on = wave.closes_on.isoformat() if wave.closes_on else ""
    return {"code": wave.code, "label": wave.label, "opens_on": wave.opens_on.isoformat(), "closes_on": closes_on,
            "break_reason": wave.break_reason or ""}  # fmt: skip


def _form(survey_id: int, faults: Mapping[str, str]) -> str:
    session = web_session()
    plans = [(f"{RDD}:{plan.id}", plan.title) for plan in numbering_plans.ready(session)]
    sources = {str(_("Random digits from a numbering plan")): plans}
    for kind, frame in sample_frames.frames().items():
        choices = frame.choices(session, survey_id)
        sources[str(frame.label)] = [(f"{kind}:{ref}", words) for ref, words in choices]
    return render_template(
        "surveys/sample_form.html", survey=questionnaire.find(session, survey_id),
        sources={label: choices for label, choices in sources.items() if choices}, strata=STRATA,
        rdd_strata=RDD_STRATA, allocations=ALLOCATIONS, kinds=LINE_KINDS, waves=waves.listed(session, survey_id),
        wave_now=waves.now(session, survey_id), faults=faults, asked=request.form,
        items=questionnaire.current(session, survey_id).items["items"], chosen_kinds=request.form.getlist("kinds"),
    )  # fmt: skip


def _one(survey_id: int, sample_id: int, faults: Mapping[str, str]) -> str | Response:
    session = web_session()
    sample = _of_survey(survey_id, sample_id)
    strata = samples.strata(session, sample_id)
    page: dict[str, Any] = {
        "survey": questionnaire.find(session, survey_id), "sample": sample, "strata": strata,
        "outlook": samples.outlook(sample, strata), "releases": samples.releases(session, sample_id),
        "left_out": _left_out(sample), "percent": percent,
        "stratum_name": partial(stratum_name, sample.options["strata"]),
        "error": file_faults.sentence(sample.error) if sample.error else "",
    }  # fmt: skip
    if is_htmx():
        answer = Response(render_template("surveys/sample_part.html", **page))
        if request.args.get("state") != sample.state:  # the forms around the part are others now
            answer.headers["HX-Refresh"] = "true"
        return answer
    return render_template(
        "surveys/sample.html", drawn_from=samples.frame_words(session, sample), faults=faults, allocations=ALLOCATIONS,
        queues=samples.queues_for(session, sample), campaign_door=samples.campaign_door(),
        may_make=may(frozenset(MAKERS)), **page,
    )  # fmt: skip


def _of_survey(survey_id: int, sample_id: int) -> Sample:
    """Raises NotFound for another survey's."""
    sample = samples.get(web_session(), sample_id)
    if sample.survey_id != survey_id:
        raise NotFound(_("There is no sample %(number)s.", number=sample_id))
    return sample


def _left_out(sample: Sample) -> dict[str, int]:
    """What was passed over, by sentence."""
    said: dict[str, int] = {}
    for reason, number in sample.left_out.items():
        label = str(LEFT_OUT.get(reason, LEFT_OUT["invalid"]))
        said[label] = said.get(label, 0) + number
    return said


def stratum_name(dimensions: Sequence[str], name: str) -> str:
    """A joint stratum in the reader's words: `M · 18-29` → `Woman · 18-29`."""
    if name == sample_frames.NO_STRATUM:
        return str(_("All together"))
    parts = zip(dimensions, name.split(sample_frames.BETWEEN), strict=False)
    return sample_frames.BETWEEN.join(_part_name(dimension, part) for dimension, part in parts)


def _part_name(dimension: str, part: str) -> str:
    known = NAMES.get(dimension, {})
    return str(_("Not known")) if part == sample_frames.UNKNOWN else str(known.get(part, part))


def percent(share: float | None) -> str:
    """`12.3 %`; a dash where there is nothing to divide by."""
    return "–" if share is None else str(format_percent(share, "#,##0.0 %"))
