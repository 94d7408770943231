"""The ledger of what messages cost, by day and campaign, and the prices that it was reckoned with."""

from datetime import date, timedelta
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter import consent
from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.tables.table_exports import Cell
from campaigns.figures import message_costs, message_prices
from campaigns.figures.message_costs import Line
from campaigns.figures.message_report_views import TAKERS, file_of
from campaigns.mailings import message_campaigns as campaigns

blueprint = Blueprint("message_costs", __name__, url_prefix="/messages")

PROVIDERS: dict[str, str | LazyString] = {"twilio": "Twilio", "simulated": _l("Simulated carrier (drill)")}
CHANNELS: dict[str, str | LazyString] = {
    "sms": "SMS", "whatsapp": "WhatsApp", "telegram": "Telegram", "email": _l("E-mail"),
}  # fmt: skip
FIRST = date(2000, 1, 1)


@blueprint.get("/costs")
@access(*TAKERS)
def ledger() -> ResponseReturnValue:
    """By day and campaign, this month unless other days are asked for."""
    session, fault, code = web_session(), "", 200
    try:
        first, last = _days()
    except InvalidInput as wrong:
        first = last = message_costs.today()
        fault, code = str(wrong), 422
    campaign_id = request.args.get("campaign", type=int)
    campaign = campaigns.find(session, campaign_id) if campaign_id else None
    lines = [] if fault else message_costs.lines(session, first, last, campaign_id)
    return render_template(
        "campaigns/message_costs.html", lines=lines, sums=message_costs.sums(lines), by_day=_by_day(lines),
        first=first, last=last, fault=fault, asked=request.args, campaign=campaign, providers=PROVIDERS,
        channels=CHANNELS, today=message_costs.today(), is_complete=all(line.contract for line in lines),
    ), code  # fmt: skip


@blueprint.get("/costs.<any(csv, xlsx):form>")
@access(*TAKERS)
def export(form: str) -> ResponseReturnValue:
    """The same lines as a file."""
    session = web_session()
    first, last = _days()
    lines = message_costs.lines(session, first, last, request.args.get("campaign", type=int))
    header = [_("Day"), _("Campaign"), _("Number of the campaign"), _("Provider"), _("Channel"), _("Contract"),
              _("Price of a part (MXN)"), _("Messages"), _("Parts"), _("Parts counted by the provider"),
              _("Amount (MXN)")]  # fmt: skip
    rows: list[list[Cell]] = [
        [line.day.isoformat(), line.campaign, line.campaign_id, str(PROVIDERS.get(line.provider, line.provider)),
         str(CHANNELS.get(line.channel, line.channel)), line.contract, float(line.unit_price), line.messages,
         line.parts, line.told_parts, float(line.amount)]
        for line in lines
    ]  # fmt: skip
    audit.record(session, current_user.id, "message_costs.export", "messages", first=str(first), last=str(last))
    session.commit()
    return file_of(header, rows, _("Cost of messages"), f"message-costs-{first}-{last}", form)


@blueprint.get("/prices")
@access("administrator")
def prices() -> ResponseReturnValue:
    return _prices({}, {})


@blueprint.post("/prices")
@access("administrator")
def add_price() -> ResponseReturnValue:
    """A form with a fault comes back with all that was typed."""
    session, given = web_session(), request.form.to_dict()
    try:
        message_prices.add(session, message_prices.read(given, PROVIDERS, CHANNELS), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _prices(given, fault.faults), 422
    session.commit()
    flash(_("Recorded. Messages that leave from that day on are reckoned with it."), "success")
    return redirect(url_for(".prices"))


@blueprint.post("/prices/<int:price_id>/remove")
@access("administrator")
def remove_price(price_id: int) -> ResponseReturnValue:
    session = web_session()
    message_prices.remove(session, price_id, current_user.id)
    session.commit()
    flash(_("Removed. What left at this price keeps it."), "success")
    return redirect(url_for(".prices"))


def _prices(given: dict[str, str], faults: dict[str, str]) -> str:
    offered = {code: name for code, name in CHANNELS.items() if code in consent.CHANNELS}
    return render_template(
        "campaigns/message_prices.html", prices=message_prices.listed(web_session()), given=given, faults=faults,
        providers=PROVIDERS, channels=CHANNELS, offered=offered, today=message_costs.today(),
        length=message_prices.LENGTH,
    )  # fmt: skip


def _by_day(lines: list[Line]) -> list[tuple[date, Decimal]]:
    """The amount of each day, for the bars."""
    days: dict[date, Decimal] = {}
    for line in lines:
        days[line.day] = days.get(line.day, Decimal(0)) + line.amount
    return list(days.items())


def _days() -> tuple[date, date]:
    """The stretch that the address asks for, this month without one. Raises InvalidInput."""
    today = message_costs.today()
    first = _day(request.args.get("first", ""), today.replace(day=1))
    last = _day(request.args.get("last", ""), max(first, today))
    if first > last:
        raise InvalidInput({"first": _("The first day is after the last one.")})
    if (last - first) >= timedelta(days=message_costs.MOST_DAYS):
        raise InvalidInput({"last": _("Choose at most %(n)s days.", n=message_costs.MOST_DAYS)})
    return first, last


def _day(said: str, otherwise: date) -> date:
    if not said:
        return otherwise
    try:
        found = date.fromisoformat(said)
    except ValueError:
        raise InvalidInput({"day": _("Write a day as year-month-day.")}) from None
    if not FIRST <= found <= message_costs.today():
        raise InvalidInput({"day": _("Choose a day that is not in the future.")})
    return found
