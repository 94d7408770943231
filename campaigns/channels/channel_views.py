"""Pages of channels: which may be used and for what, how the providers see us, templates, images and videos."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.clock import ZONE, real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.settings import web_settings
from callcenter.base.web import takes_upload
from callcenter.people import attributes
from campaigns import channels, labels, wording
from campaigns.channels import channel_addresses, channel_checks, channel_rules, channel_stops
from campaigns.channels.channel_rules import Approval
from campaigns.correspondence import address_intake
from campaigns.dispatch import daily_people, senders
from campaigns.texts import enclosures, message_media, message_templates

blueprint = Blueprint("channels", __name__, url_prefix="/messages")
EDITORS = ("administrator",)
READERS = ("administrator", "strategist")


@blueprint.get("/channels")
@access(*READERS)
def index() -> ResponseReturnValue:
    """Each channel: may it be used, for what, until when; and what its provider says of us."""
    session, settings = web_session(), web_settings()
    return render_template(
        "campaigns/channels/index.html", cards=[_card(name) for name in channels.NAMES], labels=labels,
        is_drill=settings.is_drill, checks=channel_checks.latest(session), today=_today(),
        attributes=attributes.all_attributes(session), intake=address_intake.CHANNEL,
    )  # fmt: skip


def _card(name: str) -> dict[str, Any]:
    session, settings = web_session(), web_settings()
    rule = channel_rules.of(session, name)
    open_for = [
        purpose for purpose in labels.PURPOSES
        if channel_rules.why_off(session, name, purpose, simulated=settings.is_drill) is None
    ]  # fmt: skip
    facts = channels.facts(name)
    return {
        "facts": facts, "rule": rule, "open_for": open_for, "senders": senders.listed(session, name, settings.carrier),
        "room": daily_people.room(session, name) if facts.window is not None else None,
        "known": channel_addresses.known(session, name) if facts.reached_by == channels.BY_ADDRESS else None,
    }  # fmt: skip


@blueprint.post("/channels/check")
@access(*EDITORS)
def check() -> ResponseReturnValue:
    """Ask the providers now."""
    session = web_session()
    channel_checks.check_later(session)
    session.commit()
    flash(_("The providers are being asked; look again in a moment."), "success")
    return redirect(url_for(".index"))


@blueprint.post("/channels/addresses")
@access(*EDITORS)
def take_addresses() -> ResponseReturnValue:
    """Take over the e-mail addresses that came with lists."""
    session = web_session()
    address_intake.begin(session, request.form.get("attribute", ""), current_user.id)
    session.commit()
    flash(_("The addresses are being taken over; the number grows within minutes."), "success")
    return redirect(url_for(".index"))


@blueprint.route("/channels/<name>", methods=["GET", "POST"])
@access(*EDITORS)
def rule(name: str) -> ResponseReturnValue:
    """What the provider approved of one channel."""
    session = web_session()
    if name not in channels.NAMES:
        raise NotFound(_("There is no channel %(name)s.", name=name))
    if request.method == "GET":
        return _rule_form(name, _written(channel_rules.of(session, name)), {})
    try:
        channel_rules.record(session, name, _said(), current_user.id)
        channel_stops.sweep(session, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _rule_form(name, {**request.form, "purposes": request.form.getlist("purposes")}, fault.faults), 422
    session.commit()
    flash(_("Recorded: this channel may be used for what was approved."), "success")
    return redirect(url_for(".index"))


@blueprint.post("/channels/<name>/off")
@access(*EDITORS)
def turn_off(name: str) -> ResponseReturnValue:
    session = web_session()
    if name not in channels.NAMES:
        raise NotFound(_("There is no channel %(name)s.", name=name))
    try:
        channel_rules.turn_off(session, name, request.form.get("off_reason", ""), current_user.id)
        channel_stops.sweep(session, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _rule_form(name, _written(channel_rules.of(session, name)), fault.faults), 422
    session.commit()
    flash(_("Off: nothing more leaves by this channel; campaigns that send pause by themselves."), "warning")
    return redirect(url_for(".index"))


def _rule_form(name: str, form: Mapping[str, Any], faults: Mapping[str, str]) -> str:
    return render_template(
        "campaigns/channels/rule.html", facts=channels.facts(name), form=form, faults=faults, labels=labels,
        rule=channel_rules.of(web_session(), name), is_drill=web_settings().is_drill,
    )  # fmt: skip


def _written(rule: channel_rules.ChannelRule | None) -> dict[str, Any]:
    if rule is None:
        return {"purposes": []}
    return {name: getattr(rule, name) for name in (
        "use_case", "reference", "purposes", "approved_on", "valid_until", "daily_people")}  # fmt: skip


def _said() -> Approval:
    """What the form says. Raises InvalidInput for what is no date or number."""
    form, faults = request.form, dict[str, str]()
    people = form.get("daily_people", "").strip()
    if people and not (people.isascii() and people.isdigit() and len(people) < 10):
        faults["daily_people"] = _("Write a number of people, or leave it blank.")
    days: dict[str, date | None] = {}
    for name in ("approved_on", "valid_until"):
        try:
            days[name] = date.fromisoformat(form[name]) if form.get(name) else None
        except ValueError:
            faults[name] = _("Write a date.")
    if faults:
        raise InvalidInput(faults)
    texts = {name: form.get(name, "").replace("\0", "").strip()[:500] for name in ("use_case", "reference")}
    return Approval(texts["use_case"], texts["reference"], form.getlist("purposes"), days["approved_on"],
                    days["valid_until"], int(people) if people else None)  # fmt: skip


# ── templates ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/templates")
@access(*READERS)
def templates() -> ResponseReturnValue:
    session = web_session()
    return render_template(
        "campaigns/channels/templates.html", states=message_templates.STATES,
        rows=message_templates.every(session, web_settings().carrier),
        check=channel_checks.latest(session).get("whatsapp"), labels=labels,
    )  # fmt: skip


@blueprint.get("/enclosed")
@access(*READERS)
def enclosed() -> ResponseReturnValue:
    """The form part of what goes with a wording, for the wizard: drawn again when another template is chosen."""
    channel, letter = request.args.get("channel", "sms"), request.args.get("letter", "A")
    if channel not in channels.NAMES or len(letter) > 1:
        raise NotFound(_("There is no channel %(name)s.", name=channel))
    said = enclosures.read(request.args, letter)
    return render_template("campaigns/channels/_enclosed.html", **enclosed_part(channel, letter, said))


def enclosed_part(
    channel: str, letter: str, said: enclosures.Enclosed, faults: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What `campaigns/channels/_enclosed.html` shows: the values of its include."""
    session, facts = web_session(), channels.facts(channel)
    template = enclosures.template_of(session, said)
    usable = [one for one in message_templates.every(session, web_settings().carrier) if one.is_usable]
    kept = message_media.newest(session) if facts.media else []
    return {
        "enclosed_facts": facts, "enclosed_letter": letter, "enclosed_said": said, "enclosed_template": template,
        "enclosed_templates": usable, "enclosed_media": [one for one in kept if not message_media.fault(one, facts)],
        "enclosed_faults": faults or {}, "enclosed_prefix": "" if letter == "A" else f"{letter}-",
        "enclosed_fields": wording.FIELDS,
        "enclosed_text": message_templates.as_wording(template, said.variables) if template else "",
    }  # fmt: skip


# ── images and videos ─────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.route("/media", methods=["GET", "POST"])
@access(*READERS)
@takes_upload(message_media.MOST_BYTES)
def media() -> ResponseReturnValue:
    session = web_session()
    if request.method == "GET":
        return _media_page({})
    try:
        kept = _keep_upload()
    except InvalidInput as fault:
        session.rollback()
        return _media_page(fault.faults), 422
    session.commit()
    flash(_("«%(name)s» is kept: it can go with messages now.", name=kept.name), "success")
    return redirect(url_for(".media"))


def _keep_upload() -> message_media.MessageMedia:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput({"file": _("Choose a file.")})
    content = file.stream.read(message_media.MOST_BYTES + 1)
    message_media.check_size(len(content))
    return message_media.keep(web_session(), file.filename, content, current_user.id)


def _media_page(faults: Mapping[str, str]) -> str:
    takers = [channels.facts(name) for name in channels.NAMES]
    rows = [
        (one, [(facts, message_media.fault(one, facts)) for facts in takers if facts.media])
        for one in message_media.newest(web_session())
    ]
    return render_template("campaigns/channels/media.html", rows=rows, faults=faults)


@blueprint.get("/media/<uuid:media_id>")
@access(*READERS)
def show_media(media_id: UUID) -> ResponseReturnValue:
    """The image or video itself, for whoever writes a campaign."""
    session = web_session()
    found = message_media.find(session, media_id)
    return send_file(message_media.file_of(session, found, web_settings()), mimetype=found.content_type,
                     download_name=found.name, conditional=True)  # fmt: skip


def _today() -> date:
    return real_now().astimezone(ZONE).date()
