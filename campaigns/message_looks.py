"""What the pages of one message campaign show: the last look before it leaves, and the picture while it is sent."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base.auth import may
from campaigns import (
    canaries,
    labels,
    message_approvals,
    message_drafts,
    message_tests,
    message_texts,
    message_trials,
    messages,
    preflight,
    reports,
    senders,
    wording,
    wordings,
)
from campaigns.message_approvals import Standing
from campaigns.message_campaigns import MessageCampaign
from campaigns.message_draft_views import ROOM
from campaigns.message_tests import Tried
from campaigns.preflight import Preflight
from campaigns.wizard_steps import REVIEW

AUTHORS = frozenset({"strategist", "administrator"})
TRIAL_WORDS: dict[str, LazyString] = {
    "clicks": _l("Opened the link"),
    "replies": _l("Answered"),
    "opt_outs": _l("Opted out"),
}


@dataclass(frozen=True)
class Point:
    """One line of the checklist. `state`: done | open (it keeps the campaign here) | advised (it does not)."""

    state: str
    words: str
    anchor: str


def last_look(session: Session, campaign: MessageCampaign) -> dict[str, Any]:
    """A draft: whom it reaches, what it says and costs, what was tried, who approved it."""
    check = preflight.of_messages(session, campaign)
    tried, approval = message_tests.newest(session, campaign.id), message_approvals.standing(session, campaign)
    said = wordings.of(session, campaign.id)
    sender_fault = senders.fault(session, campaign)
    points = _points(check, tried, approval, sender_fault)
    return {
        "campaign": campaign, "labels": labels, "check": check, "tried": tried, "approval": approval, "points": points,
        "said": said, "others": _others(session, campaign, said),
        "may_approve": message_approvals.may_approve(campaign, current_user.id), "wizard": _wizard(session, campaign),
        "approval_steps": message_approvals.STEPS, "is_ready": all(point.state != "open" for point in points),
    }  # fmt: skip


def picture(session: Session, campaign: MessageCampaign) -> dict[str, Any]:
    """What became of everybody so far; the first wave and the trial, where there are; whether it waits for approval."""
    return {
        "campaign": campaign, "labels": labels, "funnel": reports.funnel(session, campaign),
        "canary": canaries.look(session, campaign), "trial": message_trials.look(session, campaign),
        "said": wordings.of(session, campaign.id),
        "approval": message_approvals.standing(session, campaign) if campaign.state == "paused" else None,
        "may_approve": message_approvals.may_approve(campaign, current_user.id),
        "approval_steps": message_approvals.STEPS, "trial_words": TRIAL_WORDS,
    }  # fmt: skip


def _points(check: Preflight, tried: Tried, approval: Standing, sender_fault: str | None) -> list[Point]:
    reached = Point("done", _("Somebody is reached."), "reach") if check.reachable else Point(
        "open", _("Nobody is reached: see why, and choose other people."), "reach")  # fmt: skip
    sender = Point("open", sender_fault, "text") if sender_fault else Point("done", _("Its sender may send."), "text")
    test = Point("done", _("A test message arrived."), "test") if tried.has_arrived else Point(
        "advised", _("Try it on a phone of yours first."), "test")  # fmt: skip
    return [reached, sender, test, _approval_point(approval)]


def _approval_point(approval: Standing) -> Point:
    if approval.is_given:
        return Point("done", _("%(name)s approved it.", name=approval.approver), "approval")
    if not approval.is_needed:
        return Point("done", _("This house asks for no approval."), "approval")
    words = _("It changed since it was approved.") if approval.is_void else _("A second person has to approve it.")
    return Point("open", words, "approval")


def _others(session: Session, campaign: MessageCampaign, said: list[wordings.Wording]) -> dict[str, list[str]]:
    """letter → real texts of the wordings beside the first."""
    people = messages.sample(session, campaign, preflight.RENDERS) if len(said) > 1 else []
    found: dict[str, list[str]] = {}
    for one in said[1:]:
        shown = message_texts.shown(session, campaign.id, one.text)
        for person in people:
            with suppress(wording.MissingValue):
                text = wording.render(shown, messages.values_of(person), is_plain=campaign.is_plain)
                found.setdefault(one.letter, []).append(text)
    return found


def _wizard(session: Session, campaign: MessageCampaign) -> dict[str, Any] | None:
    """The steps around the page of a draft, for who may write in it."""
    draft = message_drafts.of_campaign(session, campaign.id) if may(AUTHORS) else None
    return ROOM.frame(draft, REVIEW) if draft is not None else None
