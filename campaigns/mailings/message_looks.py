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
from campaigns import labels, messages, reports, wording
from campaigns.channels import channel_rules
from campaigns.dispatch import message_texts, senders
from campaigns.mailings import (
    canaries,
    message_approvals,
    message_breaker,
    message_drafts,
    message_tests,
    message_trials,
    preflight,
)
from campaigns.mailings.message_approvals import Standing
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.mailings.message_draft_views import ROOM
from campaigns.mailings.preflight import Preflight
from campaigns.rehearsal import rehearsals
from campaigns.texts import enclosures, wordings
from campaigns.wizards.wizard_steps import REVIEW

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
    check, said = preflight.of_messages(session, campaign), wordings.of(session, campaign.id)
    tried, approval = message_tests.newest(session, campaign.id), message_approvals.standing(session, campaign)
    rehearsal = rehearsals.latest(session, campaign.id)
    is_rehearsed = (
        rehearsal is not None and rehearsal.state == rehearsals.DONE and rehearsal.version == approval.version
    )
    points = [
        *_keeping_it(check, senders.fault(session, campaign)),
        *_of_channel(session, campaign, said),
        _advice(_("A test message arrived."), _("Try it on a phone of yours first."), "test", done=tried.has_arrived),
        _advice(_("It was rehearsed as it is."),
                _("Rehearse it: how long it takes, what it costs, what would fail."), "rehearsal", done=is_rehearsed),
        _approval_point(approval),
    ]  # fmt: skip
    return {
        "campaign": campaign, "labels": labels, "check": check, "tried": tried, "approval": approval, "points": points,
        "said": said, "others": _others(session, campaign, said), "rehearsal": rehearsal, "is_rehearsed": is_rehearsed,
        "may_approve": message_approvals.may_approve(campaign, current_user.id), "wizard": _wizard(session, campaign),
        "approval_steps": message_approvals.STEPS, "is_ready": all(point.state != "open" for point in points),
        "enclosing": enclosures.shown(session, campaign.id, campaign.channel, [one.letter for one in said]),
    }  # fmt: skip


def picture(session: Session, campaign: MessageCampaign) -> dict[str, Any]:
    """What became of everybody so far; the first wave and the trial, where there are; whether it waits for approval."""
    return {
        "campaign": campaign, "labels": labels, "funnel": reports.funnel_lately(session, campaign),
        "canary": canaries.look(session, campaign), "trial": message_trials.look(session, campaign),
        "said": wordings.of(session, campaign.id),
        "approval": message_approvals.standing(session, campaign) if campaign.state == "paused" else None,
        "may_approve": message_approvals.may_approve(campaign, current_user.id),
        "approval_steps": message_approvals.STEPS, "trial_words": TRIAL_WORDS,
        "breaks": message_breaker.of_campaign(session, campaign.id), "break_sentence": message_breaker.sentence,
    }  # fmt: skip


def _keeping_it(check: Preflight, sender_fault: str | None) -> list[Point]:
    reached = Point("done", _("Somebody is reached."), "reach")
    if not check.reachable:
        reached = Point("open", _("Nobody is reached: see why, and choose other people."), "reach")
    if sender_fault:
        return [reached, Point("open", sender_fault, "text")]
    return [reached, Point("done", _("Its sender may send."), "text")]


def _of_channel(session: Session, campaign: MessageCampaign, said: list[wordings.Wording]) -> list[Point]:
    """What the channel itself asks for: an approval of its provider, a template, a subject."""
    why = channel_rules.why_off(session, campaign.channel, campaign.purpose, simulated=campaign.is_simulated)
    texts = {one.letter: one.text for one in said}
    found = [str(channel_rules.SENTENCES[why])] if why else []
    found += enclosures.missing(session, campaign.id, campaign.channel, texts)
    if found:
        return [Point("open", sentence, "enclosed") for sentence in found]
    return [Point("done", _("Its channel may be used for this."), "text")]


def _advice(was_done: str, to_do: str, anchor: str, *, done: bool) -> Point:
    return Point("done", was_done, anchor) if done else Point("advised", to_do, anchor)


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
