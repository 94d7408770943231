"""The live parts beside a message's text: its counter, the check of everybody, and «without accents» in one click."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from callcenter.base.auth import access
from callcenter.base.db import web_session
from campaigns import labels, wording
from campaigns.texts import wording_panel

blueprint = Blueprint("wording", __name__, url_prefix="/messages/wording")
AUTHORS = ("strategist", "administrator")
NAMES = ("text", "text_b")  # fields that hold a wording


@blueprint.post("/counter")
@access(*AUTHORS)
def counter() -> ResponseReturnValue:
    """What the text comes to, of some hundred people. Writes nothing."""
    panel = wording_panel.look(web_session(), request.form, _name())
    return render_template("campaigns/_wording_counter.html", panel=panel, name=_name(), labels=labels)


@blueprint.post("/everybody")
@access(*AUTHORS)
def everybody() -> ResponseReturnValue:
    """The same of everybody who would get it: some seconds for a million and a half."""
    panel = wording_panel.look_at_everybody(web_session(), request.form, _name())
    return render_template("campaigns/_wording_everybody.html", panel=panel, name=_name(), labels=labels)


@blueprint.post("/plain")
@access(*AUTHORS)
def plain() -> ResponseReturnValue:
    """The field with its text without accents; `way=all`: names lose theirs, too, when they are filled in."""
    text = wording_panel.plain(request.form.get(_name(), ""))
    is_plain = request.args.get("way") == "all" or bool(request.form.get("is_plain"))
    page = render_template("campaigns/_wording_box.html", name=_name(), text=text, is_plain=is_plain,
                           fields=wording.FIELDS, faults=[])  # fmt: skip
    return page, 200, {"HX-Trigger-After-Settle": "change"}  # the form keeps its draft, the counter counts again


def _name() -> str:
    wanted = request.args.get("field", NAMES[0])
    return wanted if wanted in NAMES else NAMES[0]
