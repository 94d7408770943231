"""Asking a survey from a conversation: by the person's own link in an answer, or right there, question by question."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, Refused
from campaigns.correspondence import conversations, survey_chats
from campaigns.correspondence.inbox_views import EVERYBODY, asked, conversation_page, only_own

blueprint = Blueprint("survey_ask", __name__, url_prefix="/inbox")


@blueprint.post("/conversations/<int:conversation_id>/survey")
@access(*EVERYBODY)
def ask(conversation_id: int) -> ResponseReturnValue:
    """`way` chat: the first question leaves now. `way` link: the link stands in the answer, for a person to send."""
    session, survey_id = web_session(), request.form.get("survey", 0, type=int)
    conversation = conversations.lock(session, conversation_id, of_user=only_own())
    is_chat, link = request.form.get("way") == "chat", ""
    try:
        if is_chat:
            survey_chats.begin(session, conversation, survey_id, int(current_user.id))
        else:
            link = survey_chats.give_link(session, conversation, survey_id)
    except (InvalidInput, NotFound, Refused) as fault:
        session.rollback()
        found = conversations.find(session, conversation_id, of_user=only_own())
        return conversation_page(found, faults={"survey": str(fault)}, survey=str(survey_id)), 422
    session.commit()
    if not is_chat:
        words = _("Answer our survey here: %(link)s", link=link)
        found = conversations.find(session, conversation_id, of_user=only_own())
        return conversation_page(found, typed={"text": words, "channel": found.channel})
    flash(_("The first question is on its way; each answer brings the next one."), "success")
    return redirect(url_for("campaigns.inbox.show", conversation_id=conversation_id, **asked().query))


@blueprint.post("/conversations/<int:conversation_id>/survey/stop")
@access(*EVERYBODY)
def stop(conversation_id: int) -> ResponseReturnValue:
    """No more questions by themselves: whatever the person writes next is for a colleague."""
    session = web_session()
    conversation = conversations.lock(session, conversation_id, of_user=only_own())
    if survey_chats.stop(session, conversation, int(current_user.id)):
        flash(_("No more questions leave here. What was answered is kept."), "success")
    session.commit()
    return redirect(url_for("campaigns.inbox.show", conversation_id=conversation_id, **asked().query))
