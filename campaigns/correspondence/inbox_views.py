"""The inbox: conversations in three panes, answers, who answers whom, and the doubtful replies for a person to decide.

Operators see what is theirs; strategists, supervisors and administrators see and hand out everything.
"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import contacts, suppressions
from callcenter.base import audit
from callcenter.base import live as live_pages
from callcenter.base.auth import access, may
from callcenter.base.clock import real_now
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.base.web import Page, page_number
from callcenter.people import contact_history
from campaigns import channels, inbox, wording
from campaigns.correspondence import (
    canned_replies,
    conversation_callbacks,
    conversations,
    survey_chats,
    survey_invitations,
)
from campaigns.correspondence import conversation_lists as lists
from campaigns.correspondence import conversation_replies as replies
from campaigns.correspondence import conversation_threads as threads
from campaigns.correspondence.conversation_lists import Wanted
from campaigns.correspondence.conversations import Conversation
from campaigns.mailings import peer_batches
from campaigns.mailings.message_campaigns import MessageCampaign

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")
SIZE = 50
MANAGERS = ("strategist", "supervisor", "administrator")
EVERYBODY = ("operator", *MANAGERS)
DEEDS = 12  # of the person's history beside the conversation


def compose() -> None:
    """Make the lists live: everybody's for those who hand out, and each colleague's own."""
    live_pages.register("inbox", _snapshot, roles=MANAGERS, owns=lambda _session, user_id, of: user_id == of, pause=1.0)


def _snapshot(session: Session, _user_id: int, of: int) -> dict[str, Any]:
    return conversations.waiting(session, of or None)


@dataclass(frozen=True)
class Asked:
    """What the address says: which list, and whose."""

    wanted: Wanted

    @property
    def query(self) -> dict[str, Any]:
        """The same again, for links."""
        return {"show": self.wanted.show, "campaign": self.wanted.campaign_id}


def asked() -> Asked:
    """Read from the address or the form; nonsense is the first list."""
    is_own, said = not may(frozenset(MANAGERS)), request.values.get("show", "")
    offered = lists.OWN if is_own else tuple(lists.SHOWN)
    show = said if said in offered else "waiting"
    return Asked(Wanted(show, int(current_user.id), is_own, request.values.get("campaign", type=int)))


def only_own() -> int | None:
    """Whose conversations the current person may touch: None for everybody's."""
    return None if may(frozenset(MANAGERS)) else int(current_user.id)


@blueprint.get("/")
@access(*EVERYBODY)
def page() -> ResponseReturnValue:
    """The list, with no conversation open yet."""
    return render_template("campaigns/inbox/page.html", **_list_pane(None) | _frame())


@blueprint.get("/list")
@access(*EVERYBODY)
def pane() -> ResponseReturnValue:
    """The list alone, for the page that refreshes itself."""
    return render_template("campaigns/inbox/_list.html", **_list_pane(request.args.get("open", type=int)))


@blueprint.get("/conversations/<int:conversation_id>")
@access(*EVERYBODY)
def show(conversation_id: int) -> ResponseReturnValue:
    """One conversation; audited: who looked at whom."""
    session = web_session()
    conversation = conversations.find(session, conversation_id, of_user=only_own())
    whose = f"contact/{conversation.contact_id}" if conversation.contact_id else f"conversation/{conversation_id}"
    audit.record(session, current_user.id, "inbox.look_up", whose)
    session.commit()
    return conversation_page(conversation)


def conversation_page(conversation: Conversation, **more: Any) -> str:
    """The page of a conversation. `more`: `faults` and what was typed, of a form that was refused."""
    shown = _list_pane(conversation.id) | _frame() | _thread(conversation) | _person(conversation)
    return render_template("campaigns/inbox/page.html", **shown | more)


@blueprint.get("/conversations/<int:conversation_id>/thread")
@access(*EVERYBODY)
def thread(conversation_id: int) -> ResponseReturnValue:
    """What was said, for the page that refreshes itself."""
    conversation = conversations.find(web_session(), conversation_id, of_user=only_own())
    return render_template("campaigns/inbox/_refreshed.html", **_thread(conversation), asked=asked(), oob=True)


@blueprint.post("/take")
@access(*EVERYBODY)
def take() -> ResponseReturnValue:
    """Whoever has waited longest and is nobody's becomes mine."""
    session = web_session()
    found = conversations.take_next(session, int(current_user.id))
    session.commit()
    if found is None:
        flash(_("Nobody waits who is not in a colleague's hands already."), "info")
        return redirect(url_for(".page", **asked().query))
    return redirect(url_for(".show", conversation_id=found.id, **asked().query))


@blueprint.post("/assign")
@access(*MANAGERS)
def assign() -> ResponseReturnValue:
    """Give the chosen conversations to a colleague, or back to nobody."""
    session, ids = web_session(), request.form.getlist("id", type=int)
    to = request.form.get("to", type=int)
    number = conversations.assign(session, ids, to or None, int(current_user.id))
    session.commit()
    flash(ngettext("%(num)s conversation was handed over.", "%(num)s conversations were handed over.", number),
          "success")  # fmt: skip
    return redirect(_back(ids))


@blueprint.post("/resolve")
@access(*EVERYBODY)
def resolve() -> ResponseReturnValue:
    """Nothing more is to be said; `next`: go on with whoever comes after."""
    session, ids, here = web_session(), request.form.getlist("id", type=int), asked()
    after = _after(ids, here)
    number = conversations.resolve(session, ids, int(current_user.id), of_user=only_own())
    session.commit()
    if len(ids) != 1:
        flash(ngettext("%(num)s conversation was resolved.", "%(num)s conversations were resolved.", number), "success")
    return _go_on(after, here) if "next" in request.form else redirect(_back(ids))


@blueprint.post("/reopen")
@access(*EVERYBODY)
def reopen() -> ResponseReturnValue:
    session, ids = web_session(), request.form.getlist("id", type=int)
    conversations.reopen(session, ids, int(current_user.id), of_user=only_own())
    session.commit()
    return redirect(_back(ids))


@blueprint.post("/<int:inbound_id>/review")
@access(*EVERYBODY)
def review(inbound_id: int) -> ResponseReturnValue:
    """A person decides what a doubtful reply means."""
    session, is_opt_out = web_session(), request.form.get("decision") == "opt_out"
    if only_own() is not None:
        theirs = session.get(inbox.InboundMessage, inbound_id)
        conversations.find(session, (theirs and theirs.conversation_id) or 0, of_user=only_own())
    inbound = inbox.review(session, inbound_id, is_opt_out=is_opt_out, user_id=current_user.id)
    session.commit()
    flash(
        _("The phone is suppressed: nobody here contacts it again.") if is_opt_out else _("Kept as an ordinary reply.")
    )
    here = asked()
    if inbound.conversation_id is None or "list" in request.form:
        return redirect(url_for(".page", **here.query))
    return redirect(url_for(".show", conversation_id=inbound.conversation_id, **here.query))


def _go_on(after: int | None, here: Asked) -> ResponseReturnValue:
    if after is None:
        flash(_("That was the last one of this list."), "success")
        return redirect(url_for(".page", **here.query))
    return redirect(url_for(".show", conversation_id=after, **here.query))


def _after(ids: list[int], here: Asked) -> int | None:
    """Who comes after a conversation in its list, asked before it leaves the list."""
    if len(ids) != 1:
        return None
    found = conversations.find(web_session(), ids[0], of_user=only_own())
    before, after = lists.neighbours(web_session(), here.wanted, found)
    return after or before


def _back(ids: list[int]) -> str:
    """To the conversation from which the act came, or to the list."""
    query = asked().query
    came_from = request.form.get("from", type=int)
    if came_from is not None and came_from in ids:
        return url_for(".show", conversation_id=came_from, **query)
    return url_for(".page", **query)


def _only_of() -> MessageCampaign | None:
    """The campaign whose answers alone are listed."""
    campaign_id = asked().wanted.campaign_id
    return web_session().get(MessageCampaign, campaign_id) if campaign_id is not None else None


def _channel_labels() -> dict[str, Any]:
    return {name: channels.facts(name).label for name in channels.NAMES}


def _frame() -> dict[str, Any]:
    session = web_session()
    is_manager = may(frozenset(MANAGERS))
    return {
        "is_manager": is_manager, "colleagues": conversations.colleagues(session) if is_manager else [],
        "peer_waits": bool(peer_batches.campaigns(session)), "max_characters": wording.MAX_CHARACTERS,
        "only_of": _only_of(), "sent": request.args.get("sent", type=int),
        "own_topic": "" if is_manager else f"/{current_user.id}",
    }  # fmt: skip


def _list_pane(open_id: int | None) -> dict[str, Any]:
    session, number, here = web_session(), page_number(), asked()
    found = lists.read(session, here.wanted, limit=SIZE + 1, offset=(number - 1) * SIZE)
    return {
        "page": Page(found[:SIZE], number, len(found) > SIZE), "asked": here, "open_id": open_id, "now": real_now(),
        "shown": {code: lists.SHOWN[code] for code in (lists.OWN if here.wanted.is_own else lists.SHOWN)},
        "waiting": conversations.waiting(session, int(current_user.id) if here.wanted.is_own else None),
        "has_doubtful": lists.has_doubtful(session, here.wanted), "channels": _channel_labels(),
        "masked": contacts.masked, "is_manager": may(frozenset(MANAGERS)),
    }  # fmt: skip


def _thread(conversation: Conversation) -> dict[str, Any]:
    session, here = web_session(), asked()
    before, after = lists.neighbours(session, here.wanted, conversation)
    return {
        "conversation": conversation, "lines": threads.read(session, conversation), "before": before, "after": after,
        "channels": _channel_labels(), "is_barred": _is_barred(conversation),
    }  # fmt: skip


def _is_barred(conversation: Conversation) -> bool:
    """Did they ask for no more?"""
    if conversation.resolution == "opt_out":
        return True
    return conversation.phone is not None and suppressions.find(web_session(), conversation.phone) is not None


def _person(conversation: Conversation) -> dict[str, Any]:
    """Who it is, what was done to reach them, and how they may be answered."""
    session = web_session()
    contact = session.get(contacts.Contact, conversation.contact_id) if conversation.contact_id else None
    ways = replies.ways(session, conversation, web_settings().twilio.sms_sender)
    return {
        "contact": contact, "ways": ways, "paused": replies.is_paused(session, conversation, ways[0].channel),
        "history": contact_history.read(session, contact.id, limit=DEEDS).deeds if contact else [],
        "household": contacts.household(session, contact) if contact else [],
        "canned": canned_replies.offered(session, contact), "queues": conversation_callbacks.choices(session),
        "surveys": survey_invitations.choices(session) if contact else [],
        "asking": survey_chats.of_conversation(session, conversation.id),
        "times": conversation_callbacks.suggestions(session, conversation) if contact else [],
    }  # fmt: skip
