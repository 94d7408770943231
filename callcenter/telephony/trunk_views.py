"""Pages of telephony, for administrators: trunks, how they fare, trying them out, switches, the carrier of the next
start."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import switches, trunks
from callcenter.base import live
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.settings import CARRIERS, web_settings
from callcenter.privacy import person_register
from callcenter.switches import Switch
from callcenter.telephony import (
    carrier_choice,
    trunk_alarms,
    trunk_book,
    trunk_edit,
    trunk_health,
    trunk_jobs,
    trunk_tests,
    trunk_words,
)
from callcenter.telephony.trunk_book import Trunk
from callcenter.telephony.trunk_entry import Plan

blueprint = Blueprint("telephony", "callcenter", url_prefix="/telephony", template_folder="templates")

EDITORS = ("administrator",)
CARRIER_WORDS: dict[str, tuple[LazyString, LazyString]] = {
    "simulated": (_l("Simulated (drill)"), _l(
        "Invented people answer; nobody is really called. The drill's clock and its simulated operators work.")),
    "asterisk": (_l("Asterisk"), _l(
        "Operators talk in their browser through this house's own switch, and calls go out through the trunks above. "
        "Real people are called, if the trunks in use are real ones.")),
    "twilio": (_l("Twilio"), _l(
        "Calls go through the Twilio account of this server's settings. Real people are called.")),
}  # fmt: skip
FRESH = {"port": "5060", "transport": "udp", "number_format": "plus", "channels": "30", "calls_per_second": "5",
         "position": "10", "registers": "1", "asks_alive": "1"}  # fmt: skip


def compose() -> None:
    """Make the list of trunks and their tests live (the news are a signal, the page asks for its part); say why no
    person's rights reach these tables."""
    live.register("trunks", _live_snapshot, roles=EDITORS, pause=0.5)
    person_register.spare("trunks", "names of lines, and what providers say")
    person_register.spare("trunk_numbers", "numbers of the house")
    person_register.spare("trunk_tests", "who of the house tried a line; the number rung is forgotten at its end")


def _live_snapshot(session: Session, _user_id: int, _number: int) -> dict[str, Any]:
    return {"alarms": len(trunk_alarms.now(session)), "trunks": len(trunk_book.every(session))}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {"words": trunk_words, "transports": trunk_words.TRANSPORTS, "formats": trunk_words.FORMATS,
            "carrier_words": CARRIER_WORDS, "carriers": CARRIERS}  # fmt: skip


@blueprint.get("/")
@access(*EDITORS)
def index() -> ResponseReturnValue:
    return _page({}, {})


def _page(faults: Mapping[str, str], form: Mapping[str, Any]) -> str:
    session, settings = web_session(), web_settings()
    kept = {"carrier": carrier_choice.chosen(session) or carrier_choice.DEFAULT,
            "public_address": carrier_choice.public_address(session)}  # fmt: skip
    return render_template(
        "callcenter/telephony/index.html", faults=faults, now=settings.carrier, is_told=settings.carrier_is_told,
        kept=kept, form=form or kept, **_standing(session),
    )  # fmt: skip


@blueprint.get("/standing")
@access(*EDITORS)
def standing() -> str:
    """The part of the page that changes by itself."""
    return render_template("callcenter/telephony/standing.html", **_standing(web_session()))


def _standing(session: Session) -> dict[str, Any]:
    every = trunk_book.every(session)
    return {
        "trunks": [_row(session, trunk) for trunk in every], "alarms": trunk_alarms.now(session),
        "switches": _switches(session), "is_away": switches.is_away,
        "runs": web_settings().carrier == trunk_health.CARRIER,
    }  # fmt: skip


def _row(session: Session, trunk: Trunk) -> dict[str, Any]:
    share, of = trunk_health.fault_share(session, trunk.id)
    return {"trunk": trunk, "state": trunk_words.state(trunk), "calls": trunks.calls_now(session, trunk.id),
            "share": share, "of": of}  # fmt: skip


def _switches(session: Session) -> list[Switch]:
    return list(session.scalars(select(Switch).order_by(Switch.name).execution_options(populate_existing=True)))


# ── one trunk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.route("/trunks/new", methods=["GET", "POST"])
@access(*EDITORS)
def new() -> ResponseReturnValue:
    session = web_session()
    if request.method == "GET":
        return _form(FRESH, {}, None)
    try:
        trunk = trunk_edit.save(session, _plan(), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _form(request.form, fault.faults, None), 422
    session.commit()
    flash(_("The trunk is kept. Try it out, then take it into use."), "success")
    return redirect(url_for(".trunk", trunk_id=trunk.id))


@blueprint.route("/trunks/<int:trunk_id>", methods=["GET", "POST"])
@access(*EDITORS)
def trunk(trunk_id: int) -> ResponseReturnValue:
    session = web_session()
    found = trunk_book.find(session, trunk_id)
    if request.method == "GET":
        return _form(_fields(found), {}, found)
    try:
        trunk_edit.save(session, _plan(), current_user.id, trunk_id=trunk_id)
    except (InvalidInput, Refused) as fault:
        session.rollback()
        faults = fault.faults if isinstance(fault, InvalidInput) else {"": str(fault)}
        return _form(request.form, faults, trunk_book.find(session, trunk_id)), 422
    session.commit()
    flash(_("Kept; the switch is being told."), "success")
    return redirect(url_for(".trunk", trunk_id=trunk_id))


@blueprint.post("/trunks/<int:trunk_id>/<any(enable, disable, wake, remove):act>")
@access(*EDITORS)
def change(trunk_id: int, act: str) -> ResponseReturnValue:
    """Take it into use or out of it, end its rest, or delete it."""
    session = web_session()
    try:
        if act == "remove":
            trunk_edit.remove(session, trunk_id, current_user.id)
        elif act == "wake":
            trunk_health.wake(session, trunk_id, current_user.id)
        else:
            trunk_edit.enable(session, trunk_id, current_user.id, on=act == "enable")
    except Refused as refused:
        session.rollback()
        flash(str(refused), "danger")
        return redirect(url_for(".trunk", trunk_id=trunk_id))
    session.commit()
    flash(str(_DONE[act]), "success")
    return redirect(url_for(".index") if act == "remove" else url_for(".trunk", trunk_id=trunk_id))


_DONE: dict[str, LazyString] = {
    "enable": _l("The trunk is in use."),
    "disable": _l("The trunk is not used any more; calls under way go on to their end."),
    "wake": _l("Its rest is over: the next call goes through it."),
    "remove": _l("The trunk is deleted."),
}


@blueprint.post("/trunks/<int:trunk_id>/test")
@access(*EDITORS)
def test(trunk_id: int) -> ResponseReturnValue:
    """Ring a telephone through this trunk; the answer is the part of the page that shows how it goes."""
    session, number = web_session(), request.form.get("number", "")
    try:
        trunk_tests.begin(session, trunk_id, number, current_user.id)
    except (InvalidInput, Refused) as fault:
        session.rollback()
        return _test_part(trunk_id, str(fault))  # 200: htmx draws it below the form
    session.commit()
    return _test_part(trunk_id)


@blueprint.get("/trunks/<int:trunk_id>/test")
@access(*EDITORS)
def test_state(trunk_id: int) -> str:
    return _test_part(trunk_id)


def _test_part(trunk_id: int, fault: str = "") -> str:
    session = web_session()
    found, last = trunk_book.find(session, trunk_id), trunk_tests.newest(session, trunk_id)
    return render_template("callcenter/telephony/test.html", trunk=found, test=last, fault=fault,
                           state=trunk_words.state(found))  # fmt: skip


def _form(form: Mapping[str, Any], faults: Mapping[str, str], found: Trunk | None) -> str:
    session = web_session()
    every = _switches(session)
    return render_template(
        "callcenter/telephony/trunk.html", form=form, faults=faults, trunk=found, switches=every,
        switch_choices=[(switch.id, switch.name) for switch in every],
        has_secret=found is not None and found.secret_sealed is not None,
        state=trunk_words.state(found) if found else None, fault="",
        test=trunk_tests.newest(session, found.id) if found else None, row=_row(session, found) if found else None,
    )  # fmt: skip


def _fields(found: Trunk) -> dict[str, str]:
    """A trunk as its form shows it: everything but the password."""
    columns = ("name", "switch_id", "host", "port", "transport", "number_format", "number_prefix", "channels",
               "calls_per_second", "position")  # fmt: skip
    flags = {name: "1" for name in ("registers", "asks_alive", "simulated") if getattr(found, name)}
    numbers = "\n".join(
        row.number + (f": {', '.join(row.area_codes)}" if row.area_codes else "") for row in found.numbers
    )
    prefixes = "\n".join(f"{row.prefix}: {row.cost.normalize():f}" for row in found.prefixes)
    return {name: str(getattr(found, name)) for name in columns} | flags | {
        "username": found.username or "", "numbers": numbers, "prefixes": prefixes,
    }  # fmt: skip


def _plan() -> Plan:
    given = request.form
    texts = ("name", "switch_id", "host", "port", "transport", "username", "password", "number_format", "number_prefix",
             "numbers", "prefixes", "channels", "calls_per_second", "position")  # fmt: skip
    values: dict[str, Any] = {name: given.get(name, "") for name in texts}
    values |= {name: given.get(name) == "1" for name in ("registers", "asks_alive", "simulated")}
    return Plan(**values)


# ── switches and the carrier ──────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/switches/<name>/ask")
@access(*EDITORS)
def ask_switch(name: str) -> ResponseReturnValue:
    """Ask a switch whether it lets us in, and how its trunks stand."""
    session = web_session()
    switches.named(session, name)
    session.commit()  # nothing is open while it answers
    fault = trunk_jobs.look(name)
    if fault:
        flash(_("%(name)s: %(what)s", name=name, what=trunk_words.fault(fault)), "danger")
    else:
        flash(_("%(name)s answers, and lets us in.", name=name), "success")
    return redirect(url_for(".index"))


@blueprint.post("/carrier")
@access(*EDITORS)
def choose_carrier() -> ResponseReturnValue:
    session = web_session()
    try:
        given = request.form
        carrier_choice.choose(session, given.get("carrier", ""), given.get("public_address", ""), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(fault.faults, request.form), 422
    session.commit()
    flash(_("Kept. It counts from the next start on."), "success")
    return redirect(url_for(".index"))
