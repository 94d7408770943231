"""Pages of quotas: how each cell of a campaign stands, its table to edit or paste, and a proposal from its list."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.web import takes_upload
from callcenter.tables.table_exports import Cell as FileCell
from callcenter.tables.table_files import csv_line
from campaigns import calling, labels
from campaigns.calling import CallCampaign
from campaigns.telephoning import quota_forms, quota_proposals
from campaigns.telephoning.quota_forms import QuotaForm
from surveys import quotas
from surveys.fieldwork import quota_counts, quota_standing, quota_table, quota_words
from surveys.fieldwork.quota_cells import Cell, QuotaPlan
from surveys.vote.report_words import points

blueprint = Blueprint("quotas", __name__, url_prefix="/calls/<int:campaign_id>/quotas")
READERS = ("strategist", "administrator", "supervisor", "pollster")
EDITORS = ("strategist", "administrator", "pollster")
LIVE = frozenset({"strategist", "administrator", "supervisor"})  # who may hear of a campaign's queue
CSV = "text/csv; charset=utf-8"
SEPARATOR = "|"
MOST_ROWS = 300  # cells whose targets have a field each; longer tables are edited as text


@blueprint.get("")
@access(*READERS)
def page(campaign_id: int) -> ResponseReturnValue:
    campaign = calling.find(web_session(), campaign_id)
    plan = quotas.of(web_session(), campaign.queue_id)
    return _page(campaign, QuotaForm(MultiDict(quota_forms.fill(plan))))


@blueprint.get("/live")
@access(*READERS)
def live(campaign_id: int) -> ResponseReturnValue:
    """The part that moves."""
    campaign = calling.find(web_session(), campaign_id)
    return render_template("campaigns/_quotas.html", campaign=campaign, **picture(web_session(), campaign))


@blueprint.post("")
@access(*EDITORS)
@takes_upload(2 * quota_table.MOST_BYTES)
def save(campaign_id: int) -> ResponseReturnValue:
    """Take the table as it was typed, or the file that was uploaded in its place; an empty one takes the quotas off."""
    session = web_session()
    campaign, form = calling.find(session, campaign_id), QuotaForm()
    try:
        if (file := request.files.get("file")) is not None and file.filename:
            form.quota_cells.data = quota_table.decoded(file.stream.read(quota_table.MOST_BYTES + 1))
        plan = quota_forms.plan_of(form, _items(session, campaign)) if form.validate() else None
    except InvalidInput as fault:
        return _page(campaign, _told(form, fault.faults)), 422
    if form.errors:
        return _page(campaign, form), 422
    _may_change(campaign)
    quotas.set_plan(session, campaign.queue_id, plan, current_user.id)
    session.commit()
    flash(_("The quotas are in force; the list is sorted anew.") if plan else _("The quotas are taken off."), "success")
    return redirect(url_for(".page", campaign_id=campaign_id))


@blueprint.post("/targets")
@access(*EDITORS)
def save_targets(campaign_id: int) -> ResponseReturnValue:
    """New targets of the cells there are, each in a field of its own."""
    session = web_session()
    campaign = calling.find(session, campaign_id)
    _may_change(campaign)
    plan = quotas.get(session, campaign.queue_id)
    try:
        cells = _new_targets(plan, request.form.getlist("cell"), request.form.getlist("target"))
    except InvalidInput as fault:
        return _page(campaign, QuotaForm(MultiDict(quota_forms.fill(plan))), faults=fault.faults), 422
    quotas.set_plan(session, campaign.queue_id, replace(plan, cells=cells), current_user.id)
    session.commit()
    flash(_("The quotas are in force; the list is sorted anew."), "success")
    return redirect(url_for(".page", campaign_id=campaign_id))


def _new_targets(plan: QuotaPlan, named: list[str], written: list[str]) -> tuple[Cell, ...]:
    """Raises InvalidInput({"targets": …})."""
    if named != [SEPARATOR.join(cell.values) for cell in plan.cells] or len(written) != len(named):
        raise InvalidInput({"targets": _("Somebody has changed the cells in the meantime: look at them and write your "
                                         "targets again.")})  # fmt: skip
    for cell, text in zip(plan.cells, written, strict=True):
        if text.strip() and not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 8):
            raise InvalidInput({"targets": _("«%(text)s» is no target of «%(cell)s»; write a whole number, or nothing "
                                             "for as many as come.", text=text[:40],
                                             cell=quota_words.cell(plan, cell.values))})  # fmt: skip
    return tuple(Cell(cell.values, int(text) if text.strip() else None)
                 for cell, text in zip(plan.cells, written, strict=True))  # fmt: skip


@blueprint.post("/propose")
@access(*EDITORS)
def propose(campaign_id: int) -> ResponseReturnValue:
    """Fill the table in the proportions of the list; nothing is saved yet."""
    campaign = calling.find(web_session(), campaign_id)
    form = QuotaForm(MultiDict(quota_forms.fill(quotas.of(web_session(), campaign.queue_id))))
    total = request.form.get("total", "")
    number = int(total) if total.isascii() and total.isdigit() and len(total) < 8 else 0
    try:
        table = quota_proposals.propose(web_session(), campaign.queue_id, request.form.getlist("strata"), number)
    except InvalidInput as fault:
        return _page(campaign, form, faults=fault.faults), 422
    form.quota_cells.data = table
    flash(_("This is a proposal: look at it, and save it below."), "info")
    return _page(campaign, form)


@blueprint.get("/cells.csv")
@access(*READERS)
def export(campaign_id: int) -> ResponseReturnValue:
    """The cells as the table that can be uploaded again."""
    campaign = calling.find(web_session(), campaign_id)
    plan = quotas.get(web_session(), campaign.queue_id)
    return _file("\ufeff" + quota_table.write(plan.dimensions, plan.cells), f"quotas-{campaign_id}")


@blueprint.get("/interviews.csv")
@access(*READERS)
def rows(campaign_id: int) -> ResponseReturnValue:
    """Each complete interview with its cell, and whether its cell had enough before it. No person stands in it."""
    session = web_session()
    campaign = calling.find(session, campaign_id)
    plan = quotas.get(session, campaign.queue_id)
    header = [_("interview"), *(quota_words.dimension(one) for one in plan.dimensions), _("beyond the target")]
    lines = [csv_line(header), *(csv_line(row) for row in _marks(session, campaign, plan))]
    audit.record(session, current_user.id, "quotas.export", f"call-campaign/{campaign_id}")
    session.commit()
    return _file("\ufeff" + "".join(lines), f"quotas-{campaign_id}-interviews")


def _marks(session: Session, campaign: CallCampaign, plan: QuotaPlan) -> Iterator[list[FileCell]]:
    for mark in quota_counts.marks(session, campaign.queue_id, plan):
        cell = mark.cell or ("",) * len(plan.dimensions)
        yield [str(mark.interview_id), *cell, _("yes") if mark.is_extra else _("no")]


def picture(session: Session, campaign: CallCampaign) -> dict[str, Any]:
    """What campaigns/_quotas.html shows, also on the campaign's own page; {} for a campaign without quotas."""
    standing = quota_standing.read(session, campaign.queue_id)
    if standing is None:
        return {}
    return {
        "quota": standing, "quota_items": _items(session, campaign), "quota_words": quota_words, "points": points,
    }  # fmt: skip


def _page(campaign: CallCampaign, form: QuotaForm, *, faults: dict[str, str] | None = None) -> str:
    session = web_session()
    items = _items(session, campaign)
    return render_template(
        "campaigns/quotas.html", campaign=campaign, queue=campaign.queue, quota_form=form, items=items,
        strata=quota_proposals.STRATA, words=quota_words, separator=SEPARATOR, faults=faults or {}, labels=labels,
        may_edit=may(frozenset(EDITORS)) and campaign.queue.state != "finished", is_live=may(LIVE),
        said_strata=request.form.getlist("strata"), said_total=request.form.get("total", ""),
        has_list=campaign.frozen_at is not None, most_rows=MOST_ROWS, **{"quota": None, **picture(session, campaign)},
    )  # fmt: skip


def _items(session: Session, campaign: CallCampaign) -> Any:
    return quota_forms.items_of(session, campaign.queue.script)


def _may_change(campaign: CallCampaign) -> None:
    if campaign.queue.state == "finished":
        raise Refused("finished", _("This campaign is finished: its quotas stay as they are."))
    if not campaign.queue.script.startswith("survey/"):
        raise Refused("no_survey", _("Only a campaign that asks a survey has quotas."))


def _told(form: QuotaForm, faults: dict[str, str]) -> QuotaForm:
    """The form with the faults beside their fields."""
    for name, sentence in faults.items():
        field = form[quota_forms.FIELD_OF.get(name, name)]
        field.errors = [*field.errors, sentence]
    return form


def _file(text: str, name: str) -> Response:
    answer = Response(text.encode(), content_type=CSV)
    answer.headers["Content-Disposition"] = f'attachment; filename="convoca-{name}.csv"'
    return answer
