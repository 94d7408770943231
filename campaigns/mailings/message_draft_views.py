"""The wizard of message campaigns: its steps in any order, kept as they are typed, until nothing is missing."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from werkzeug.wrappers import Response

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import web_settings
from campaigns import labels
from campaigns.mailings import message_beside, message_drafts, message_plans, message_steps
from campaigns.mailings.message_drafts import MessageDraft
from campaigns.wizards.wizard_pages import Room
from campaigns.wizards.wizard_steps import REVIEW

blueprint = Blueprint("message_drafts", __name__, url_prefix="/messages/drafts")
AUTHORS = ("strategist", "administrator")
FORMS = "any(goal,people,wording,sending)"
ROOM = Room(
    message_steps.WIZARD, message_drafts.SHELF, "campaigns.message_drafts", "campaigns/message_wizard",
    _l("A draft: nothing leaves until it is approved and you send it. Everything is kept as you type."),
)  # fmt: skip


@blueprint.get(f"/<int:draft_id>/<{FORMS}:step>")
@access(*AUTHORS)
def step(draft_id: int, step: str) -> ResponseReturnValue:
    """One step, as it was left. With `check` in the address it says what is wrong there."""
    draft = message_drafts.find(web_session(), draft_id)
    if (gone := _gone(draft)) is not None:
        return gone
    session = web_session()
    form = message_steps.form_of(session, draft.form, step)
    if "check" in request.args:
        form.validate()
    beside = message_beside.of(session, draft, step, web_settings())
    return render_template("campaigns/wizard/step.html", form=form, **ROOM.frame(draft, step), **beside)


@blueprint.post(f"/<int:draft_id>/<{FORMS}:step>")
@access(*AUTHORS)
def save(draft_id: int, step: str) -> ResponseReturnValue:
    """Keep the step, and go where the button says: to any other step, or to the next one once this one is right."""
    draft = ROOM.kept(draft_id, step)
    if (gone := _gone(draft)) is not None:
        return gone
    wanted = ROOM.chosen(draft, step)
    return _applied(draft) if wanted == REVIEW else ROOM.go(draft, step, wanted)


@blueprint.post(f"/<int:draft_id>/<{FORMS}:step>/keep")
@access(*AUTHORS)
def keep(draft_id: int, step: str) -> ResponseReturnValue:
    """While it is typed."""
    return ROOM.kept_note(draft_id, step)


@blueprint.get("/<int:draft_id>/review")
@access(*AUTHORS)
def review(draft_id: int) -> ResponseReturnValue:
    """What is missing; the campaign's own page is the last look."""
    draft = message_drafts.find(web_session(), draft_id)
    return _gone(draft) or render_template("campaigns/message_wizard/review.html", **ROOM.frame(draft, REVIEW))


@blueprint.post("/<int:draft_id>/review")
@access(*AUTHORS)
def finish(draft_id: int) -> ResponseReturnValue:
    """Put the whole draft into its campaign, and look at that."""
    draft = message_drafts.find(web_session(), draft_id)
    return _gone(draft) or _applied(draft)


@blueprint.get("/<int:draft_id>/reach")
@access(*AUTHORS)
def reach(draft_id: int) -> ResponseReturnValue:
    """Who would be written to now, and who not and why."""
    session = web_session()
    draft = message_drafts.find(session, draft_id)
    check = message_beside.reach(session, draft.form, web_settings())
    return render_template("campaigns/wizard/_reach.html", check=check, labels=labels)


@blueprint.post("/<int:draft_id>/discard")
@access(*AUTHORS)
def discard(draft_id: int) -> ResponseReturnValue:
    """Throw away what was typed; a campaign that was made of it stays as it is."""
    session = web_session()
    campaign_id = message_drafts.find(session, draft_id).campaign_id
    message_drafts.discard(session, draft_id, current_user.id)
    session.commit()
    flash(_("The draft is thrown away."), "info")
    if campaign_id is not None:
        return redirect(url_for("campaigns.messages.show", campaign_id=campaign_id))
    return redirect(url_for("campaigns.page"))


def _applied(draft: MessageDraft) -> Response:
    """To the campaign's page once nothing is missing, else to what is missing."""
    session, draft_id = web_session(), draft.id
    try:
        campaign = message_plans.apply(session, draft_id, web_settings(), current_user.id)
    except InvalidInput:
        session.rollback()
        return redirect(url_for(".review", draft_id=draft_id))
    session.commit()
    return redirect(url_for("campaigns.messages.show", campaign_id=campaign.id))


def _gone(draft: MessageDraft) -> Response | None:
    """Where to, when its campaign runs or is over."""
    if draft.is_open:
        return None
    return redirect(url_for("campaigns.messages.show", campaign_id=draft.campaign_id))
