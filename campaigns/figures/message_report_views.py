"""The report of one message campaign: its funnel, groups and wordings, its certificate, and the people behind it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.clock import real_now
from callcenter.base.db import open_session, web_session
from callcenter.base.errors import InvalidInput
from callcenter.tables import table_exports
from callcenter.tables.table_exports import Cell
from callcenter.tables.table_files import csv_line
from campaigns import labels, reports
from campaigns.dispatch import message_rows
from campaigns.dispatch import message_states as states
from campaigns.figures import message_breakdowns, message_certificates, message_people
from campaigns.figures.message_breakdowns import GROUPINGS, Breakdown
from campaigns.figures.message_people import Wanted
from campaigns.figures.message_responses import Responses
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign

blueprint = Blueprint("message_reports", __name__, url_prefix="/messages/<int:campaign_id>")

WATCHERS = ("strategist", "administrator", "supervisor")
TAKERS = ("strategist", "administrator")  # who may take rows and tables away as files
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TABLES = ("wording", *GROUPINGS)


@blueprint.context_processor
def words() -> dict[str, Any]:
    """What the templates of reports need."""
    return {"labels": labels, "groupings": GROUPINGS, "kinds": message_breakdowns.KIND_LABELS,
            "column_label": message_breakdowns.column_label}  # fmt: skip


@blueprint.get("/report")
@access(*WATCHERS)
def show(campaign_id: int) -> ResponseReturnValue:
    """The funnel and the wordings; the tables of groups are drawn when somebody looks at them."""
    session, campaign = web_session(), campaigns.find(web_session(), campaign_id)
    lines = message_breakdowns.by_wording(session, campaign)
    return render_template(
        "campaigns/message_report.html", campaign=campaign, funnel=reports.funnel(session, campaign), lines=lines,
        answers=sum((line.responses for line in lines), Responses()), by=_by(), as_of=real_now(),
    )  # fmt: skip


@blueprint.get("/report/groups")
@access(*WATCHERS)
def groups(campaign_id: int) -> ResponseReturnValue:
    """One table of groups, for the page."""
    campaign = campaigns.find(web_session(), campaign_id)
    found = message_breakdowns.of_people(web_session(), campaign, _by())
    return render_template("campaigns/_message_groups.html", campaign=campaign, found=found)


@blueprint.get("/report.<any(csv, xlsx):form>")
@access(*TAKERS)
def export(campaign_id: int, form: str) -> ResponseReturnValue:
    """One table of the report as a file; small counts are as hidden in it as on the page."""
    session, campaign = web_session(), campaigns.find(web_session(), campaign_id)
    table = request.args.get("table", "wording")
    if table not in TABLES:
        raise InvalidInput({"table": _("There is no such table; choose one of the page.")})
    header, rows = _wording_table(campaign) if table == "wording" else _group_table(campaign, table)
    audit.record(session, current_user.id, "message_campaign.export", f"message-campaign/{campaign_id}", table=table)
    session.commit()
    return file_of(header, rows, campaign.name, f"messages-{campaign_id}-{table}", form)


@blueprint.get("/certificate")
@access(*WATCHERS)
def certificate(campaign_id: int) -> ResponseReturnValue:
    session, campaign = web_session(), campaigns.find(web_session(), campaign_id)
    return render_template(
        "campaigns/message_certificate.html", campaign=campaign,
        certificate=message_certificates.read(session, campaign_id), order=message_rows.KINDS,
    )  # fmt: skip


@blueprint.get("/certificate/checks")
@access(*WATCHERS)
def checks(campaign_id: int) -> ResponseReturnValue:
    """What would speak against it, looked for in every row."""
    session = web_session()
    campaigns.find(session, campaign_id)
    found = message_certificates.check(session, campaign_id)
    return render_template("campaigns/_message_checks.html", checks=found, as_of=real_now())


@blueprint.get("/certificate.csv")
@access(*TAKERS)
def certificate_rows(campaign_id: int) -> ResponseReturnValue:
    """The certificate row by row, without phones, names and texts."""
    session = web_session()
    campaigns.find(session, campaign_id)
    audit.record(session, current_user.id, "message_campaign.certificate", f"message-campaign/{campaign_id}")
    session.commit()
    name = f'attachment; filename="certificate-{campaign_id}.csv"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(_certificate_lines(campaign_id), mimetype="text/csv", headers=headers)


@blueprint.get("/people")
@access(*WATCHERS)
def people(campaign_id: int) -> ResponseReturnValue:
    """The people behind a figure, each with the way to why."""
    session, campaign = web_session(), campaigns.find(web_session(), campaign_id)
    wanted = _wanted()
    found = message_people.listed(session, campaign_id, wanted)
    audit.record(session, current_user.id, "message_campaign.people", f"message-campaign/{campaign_id}",
                 state=wanted.state)  # fmt: skip
    session.commit()
    return render_template(
        "campaigns/message_people.html", campaign=campaign, found=found, wanted=wanted, most=message_people.MOST,
    )  # fmt: skip


def file_of(header: list[str], rows: list[list[Cell]], title: str, name: str, form: str) -> Response:
    """A table as the file `name`.csv or .xlsx, the workbook with the moment at which it was made."""
    if form == "csv":
        content, kind = table_exports.csv_bytes(header, rows), "text/csv; charset=utf-8"
    else:
        notes = [title, _("As of %(time)s UTC", time=f"{real_now():%Y-%m-%d %H:%M}")]
        content, kind = table_exports.xlsx_bytes(title, header, rows, notes), XLSX
    answer = Response(content, content_type=kind, headers={"Cache-Control": "no-store"})
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def _by() -> str:
    by = request.args.get("by", "")
    return by if by in GROUPINGS else next(iter(GROUPINGS))


def _wanted() -> Wanted:
    """Raises InvalidInput for a state that does not exist."""
    asked = {name: request.args.get(name, "")[:60] for name in ("state", "reason", "error", "wording")}
    if asked["state"] and asked["state"] not in {*states.NEXT, *message_rows.KINDS}:
        raise InvalidInput({"state": _("There is no such state of a message.")})
    return Wanted(**asked)


def _wording_table(campaign: MessageCampaign) -> tuple[list[str], list[list[Cell]]]:
    kinds = message_breakdowns.KIND_LABELS
    header = [_("Wording"), _("Planned"), _("Sent"), *map(str, kinds.values()), _("Replied"), _("Opted out"),
              _("Opened the link"), _("Cost (MXN)")]  # fmt: skip
    rows: list[list[Cell]] = [
        [line.letter, line.planned, line.left, *(line.by_kind.get(kind, 0) for kind in kinds), line.responses.replied,
         line.responses.opted_out, line.responses.clicked, float(line.cost)]
        for line in message_breakdowns.by_wording(web_session(), campaign)
    ]  # fmt: skip
    return header, rows


def _group_table(campaign: MessageCampaign, by: str) -> tuple[list[str], list[list[Cell]]]:
    """A hidden count is an empty cell."""
    found: Breakdown = message_breakdowns.of_people(web_session(), campaign, by)
    header = [str(GROUPINGS[by]), _("Planned"), *map(message_breakdowns.column_label, found.columns)]
    rows: list[list[Cell]] = [
        [line.label, line.total, *(line.cells[column] for column in found.columns)] for line in found.lines
    ]
    return header, rows


def _certificate_lines(campaign_id: int) -> Iterator[str]:
    yield "\ufeff" + csv_line(message_certificates.COLUMNS)
    with open_session() as session:  # the request's own is closed before the last line leaves
        for row in message_certificates.rows(session, campaign_id):
            yield csv_line(map(_plain, row))


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
