"""The page «Twilio», for administrators: how our account stands, its numbers, a test call to oneself, what it costs."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base.auth import access
from callcenter.base.clock import real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.settings import web_settings
from callcenter.ledger import trial_calls
from callcenter.ledger.trial_calls import TrialCall, Wanted
from callcenter.privacy import person_register
from callcenter.telephony import account_answers, account_checks, account_words, call_prices

blueprint = Blueprint("twilio", __name__, url_prefix="/telephony/twilio", template_folder="templates")
EDITORS = ("administrator",)
SUBJECT = "carrier/account"  # of a test call from here
TRIAL_WORDS = "Llamada de prueba de Convoca. La línea funciona. Ya puede colgar."
ORDER = ("account", "address", "reach", "balance", "numbers", "countries", "prices", "point")
PAID_DAYS = 30


def compose() -> None:
    """Say why no person's rights reach these tables."""
    person_register.spare("account_checks", "how the house's own account stands")
    person_register.spare("carrier_rates", "a price list")
    person_register.spare("call_prices", "what a call cost the house; it goes with its call")


@blueprint.get("/")
@access(*EDITORS)
def page() -> ResponseReturnValue:
    return _page({}, "")


def _page(faults: dict[str, str], number: str) -> str:
    session, settings = web_session(), web_settings()
    return render_template(
        "callcenter/telephony/twilio.html", faults=faults, number=number,
        rate=request.form.get("rate", call_prices.exchange_rate(session) or ""), trial=_trial(session),
        rates=call_prices.rates(session, settings.carrier), paid_days=PAID_DAYS,
        paid=call_prices.paid(session, settings.carrier, real_now() - timedelta(days=PAID_DAYS)),
        answers=account_answers.lately(session, settings.carrier), **_standing(session),
    )  # fmt: skip


@blueprint.get("/standing")
@access(*EDITORS)
def standing() -> str:
    """The part of the page that changes by itself."""
    return render_template("callcenter/telephony/twilio_standing.html", **_standing(web_session()))


def _standing(session: Session) -> dict[str, Any]:
    settings = web_settings()
    checks = account_checks.latest(session, settings.carrier)
    numbers = checks.get("numbers")
    return {
        "checks": [checks[name] for name in ORDER if name in checks], "words": account_words, "settings": settings,
        "numbers": numbers.facts.get("numbers", ()) if numbers else (), "balance": checks.get("balance"),
        "verified": numbers.facts.get("verified", ()) if numbers else (),
        "speaks": settings.carrier in account_checks.SPEAKS,
    }  # fmt: skip


@blueprint.post("/check")
@access(*EDITORS)
def check() -> ResponseReturnValue:
    """Ask everything now."""
    session = web_session()
    account_checks.ask_later(session, current_user.id)
    session.commit()
    flash(_("Twilio is being asked; the answers appear here."), "success")
    return redirect(url_for(".page"))


@blueprint.post("/numbers/<sid>/point")
@access(*EDITORS)
def point(sid: str) -> ResponseReturnValue:
    """Let a number of the account ring here."""
    session = web_session()
    account_checks.point_later(session, web_settings().carrier, sid, current_user.id)
    session.commit()
    flash(_("Twilio is being told; the list shows it in a moment."), "success")
    return redirect(url_for(".page"))


@blueprint.post("/trial")
@access(*EDITORS)
def trial() -> ResponseReturnValue:
    """Ring the telephone of who asks for it."""
    session, settings, number = web_session(), web_settings(), request.form.get("number", "")
    wanted = Wanted(SUBJECT, settings.carrier, settings.twilio.voice_number, TRIAL_WORDS)
    try:
        trial_calls.begin(session, number, wanted, current_user.id)
    except (InvalidInput, Refused) as fault:
        session.rollback()
        return _page({"number": str(fault)}, number), 422
    session.commit()
    return redirect(url_for(".page", _anchor="trial"))


@blueprint.get("/trial")
@access(*EDITORS)
def trial_state() -> str:
    """What has become of the test call."""
    return render_template("callcenter/telephony/twilio_trial.html", trial=_trial(web_session()))


def _trial(session: Session) -> TrialCall | None:
    last = trial_calls.newest(session, current_user.id)
    return last if last is not None and last.subject == SUBJECT else None


@blueprint.post("/rate")
@access(*EDITORS)
def rate() -> ResponseReturnValue:
    """Keep what a dollar costs."""
    session = web_session()
    try:
        call_prices.set_exchange_rate(session, request.form.get("rate", ""), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(fault.faults, ""), 422
    session.commit()
    flash(_("Kept: what calls cost is counted with it from now on."), "success")
    return redirect(url_for(".page", _anchor="costs"))
