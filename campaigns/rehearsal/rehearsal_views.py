"""The rehearsal of a message campaign: begin it, watch it, read what it found."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from campaigns import labels
from campaigns.mailings import message_campaigns as campaigns
from campaigns.rehearsal import rehearsals

blueprint = Blueprint("rehearsals", __name__, url_prefix="/messages")
AUTHORS = ("strategist", "administrator")


@blueprint.get("/<int:campaign_id>/rehearsal")
@access(*AUTHORS, "supervisor")
def page(campaign_id: int) -> ResponseReturnValue:
    return render_template("campaigns/rehearsal.html", **_picture(campaign_id))


@blueprint.get("/<int:campaign_id>/rehearsal/live")
@access(*AUTHORS, "supervisor")
def live(campaign_id: int) -> ResponseReturnValue:
    """The moving part."""
    return render_template("campaigns/_rehearsal.html", **_picture(campaign_id))


@blueprint.post("/<int:campaign_id>/rehearsal")
@access(*AUTHORS)
def begin(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    rehearsals.begin(session, campaign_id, current_user.id)
    session.commit()
    return redirect(url_for(".page", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/rehearsal/cancel")
@access(*AUTHORS)
def cancel(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    rehearsals.cancel(session, campaign_id, current_user.id)
    session.commit()
    return redirect(url_for(".page", campaign_id=campaign_id))


def _picture(campaign_id: int) -> dict[str, Any]:
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    last = rehearsals.latest(session, campaign_id)
    return {
        "campaign": campaign, "rehearsal": last, "labels": labels,
        "is_of_now": last is not None and rehearsals.is_of_now(session, last),
        "found": read(last.result) if last is not None and last.result else None, "took": took,
    }  # fmt: skip


def read(result: dict[str, Any]) -> dict[str, Any]:
    """What a rehearsal found, with times as times and amounts as amounts, for a template."""
    ahead = result["ahead"]
    days = [{**day, "day": date.fromisoformat(day["day"]), "begins": datetime.fromisoformat(day["begins"]),
             "ends": datetime.fromisoformat(day["ends"])} for day in ahead["days"]]  # fmt: skip
    return {
        **result, "unit_price": Decimal(result["unit_price"]), "cost": Decimal(result["cost"]),
        "as_of": datetime.fromisoformat(result["as_of"]),
        "closes_at": datetime.fromisoformat(result["closes_at"]) if result["closes_at"] else None,
        "ahead": {**ahead, "days": days, "starts_at": datetime.fromisoformat(ahead["starts_at"]),
                  "ends_at": datetime.fromisoformat(ahead["ends_at"]) if ahead["ends_at"] else None},
        "failures": _failures(result),
        "excluded_rows": [(labels.refusal(code), n) for code, n in result["excluded"].items()],
        "part_rows": [(parts, n) for parts, n in result["by_parts"].items()],
    }  # fmt: skip


def took(seconds: float) -> str:
    """A length of time in hours and minutes, or in seconds when it is short."""
    if seconds < 90:
        return str(_("%(n)s s", n=round(seconds)))
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes))
    return str(_("%(n)s min", n=minutes))


def _failures(result: dict[str, Any]) -> dict[str, Any] | None:
    """What would fail, by error code: [(code, share)]; of experience where there is enough, else of the sample."""
    if result["experience"]:
        shares, of, source = result["experience"]["shares"], result["experience"]["of"], "experience"
    elif result["tried"] and result["tried"]["messages"]:
        of, source = result["tried"]["messages"], "tried"
        shares = {code: n / of for code, n in result["tried"]["failed"].items()}
    else:
        return None
    rows = sorted(((code, share) for code, share in shares.items() if code), key=lambda pair: -pair[1])
    return {"of": of, "source": source, "share": sum(share for _code, share in rows),
            "rows": [(code, share, round(share * result["reachable"])) for code, share in rows]}  # fmt: skip
