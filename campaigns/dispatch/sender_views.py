"""The senders that messages come from: their speed, limits, quality and state, and the pools that share work."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import web_settings
from campaigns import channels, labels
from campaigns.dispatch import senders
from campaigns.dispatch.senders import Wanted

blueprint = Blueprint("senders", __name__, url_prefix="/messages/senders")

STATES: dict[str, tuple[LazyString, str, str]] = {
    senders.ACTIVE: (_l("Sends"), "success", "check-lg"),
    senders.PAUSED: (_l("Paused"), "warning", "pause-fill"),
    senders.BLOCKED: (_l("Blocked"), "danger", "slash-circle"),
}


@blueprint.get("")
@access("administrator")
def page() -> str:
    return _page({}, {})


@blueprint.post("")
@access("administrator")
def add() -> ResponseReturnValue:
    """Enter another sender."""
    return _save(None)


@blueprint.post("/<int:sender_id>")
@access("administrator")
def change(sender_id: int) -> ResponseReturnValue:
    """Another speed, limit or name."""
    return _save(sender_id)


@blueprint.post("/<int:sender_id>/state")
@access("administrator")
def turn(sender_id: int) -> ResponseReturnValue:
    """Let a sender send again, or not for now."""
    session = web_session()
    state = senders.ACTIVE if request.form.get("on") == "1" else senders.PAUSED
    senders.set_state(session, sender_id, state, None, current_user.id)
    session.commit()
    return redirect(url_for(".page"))


@blueprint.post("/pools")
@access("administrator")
def add_pool() -> ResponseReturnValue:
    return _save_pool(None)


@blueprint.post("/pools/<int:pool_id>")
@access("administrator")
def change_pool(pool_id: int) -> ResponseReturnValue:
    """Another name, or other senders."""
    return _save_pool(pool_id)


def _save(sender_id: int | None) -> ResponseReturnValue:
    session, form = web_session(), request.form
    wanted = Wanted(form.get("channel", ""), form.get("address", ""), web_settings().carrier,
                    form.get("parts_per_second", ""), form.get("name", ""), form.get("daily_people", ""))  # fmt: skip
    try:
        if sender_id is None and wanted.channel not in channels.NAMES:
            raise InvalidInput({"channel": _("Choose a channel of the list.")})
        senders.save(session, wanted, current_user.id, sender_id=sender_id)
    except InvalidInput as wrong:
        session.rollback()
        return _page({**form, "form": f"sender-{sender_id or 'new'}"}, wrong.faults), 422
    session.commit()
    flash(_("Saved. What leaves from now on keeps to it."), "success")
    return redirect(url_for(".page"))


def _save_pool(pool_id: int | None) -> ResponseReturnValue:
    session, form = web_session(), request.form
    chosen = [int(number) for number in form.getlist("senders") if number.isdecimal()]
    try:
        senders.save_pool(session, form.get("name", ""), chosen, current_user.id, pool_id=pool_id)
    except InvalidInput as wrong:
        session.rollback()
        return _page({**form, "form": f"pool-{pool_id or 'new'}", "chosen": chosen}, wrong.faults), 422
    session.commit()
    flash(_("Saved. What leaves from now on keeps to it."), "success")
    return redirect(url_for(".page"))


def _page(given: dict[str, object], faults: dict[str, str]) -> str:
    session, carrier = web_session(), web_settings().carrier
    return render_template(
        "campaigns/senders.html", senders=senders.listed(session, carrier=carrier), pools=senders.pools(session),
        members=senders.members(session), states=STATES, given=given, faults=faults, labels=labels,
        channels={name: channels.facts(name).label for name in channels.NAMES},
    )  # fmt: skip
