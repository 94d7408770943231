"""From the draft of a message campaign to the campaign itself, and back: the plan that a draft amounts to."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from campaigns import audiences
from campaigns.dispatch import sender_choices
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings import message_drafts, message_steps
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.mailings.message_drafts import MessageDraft
from campaigns.texts import wordings
from campaigns.texts.wordings import FIRST, Wording

# Fields of a plan that a step's form holds under the same name.
SAME = ("name", "purpose", "on_behalf_of", "channel", "is_plain", "urgency", "unit_price", "trial_goal")
_KNOWN = frozenset(field.name for field in fields(MessagePlan))


def plan_of(session: Session, draft: Mapping[str, Any], settings: Settings) -> tuple[MessagePlan, list[Wording]]:
    """The plan, and its wordings. Raises InvalidInput with a sentence for each field that is missing or wrong."""
    if faults := message_steps.missing(session, draft):
        raise InvalidInput({fault.field: fault.sentence for fault in faults})
    forms = {key: message_steps.form_of(session, draft, key) for key, step in message_steps.STEPS.items() if step.form}
    typed: dict[str, Any] = {}
    for form in forms.values():
        typed |= form.data
    said = forms["wording"].wordings()
    segment_id, frozen_id = audiences.read(typed["segment_id"])
    sender, pool_id = sender_choices.read(session, typed["sender"])
    columns = {name: _tidy(typed[name]) for name in SAME} | {
        "segment_id": segment_id, "frozen_segment_id": frozen_id, "text": said[0].text, "sender": sender,
        "pool_id": pool_id, "carrier": settings.carrier, "is_peer": typed["way"] == "peer",
        "survey_id": int(typed["survey_id"] or 0) or None,
    } | forms["sending"].canary()  # fmt: skip
    plan = MessagePlan(**{name: value for name, value in columns.items() if name in _KNOWN})
    return plan, said if len(said) > 1 else []


def apply(session: Session, draft_id: int, settings: Settings, user_id: int | None) -> MessageCampaign:
    """Make the draft's campaign, or put what was changed into it. Raises InvalidInput, Refused, NotFound."""
    draft = message_drafts.find(session, draft_id, lock=True)
    plan, said = plan_of(session, draft.form, settings)
    if draft.campaign_id is None:
        campaign = campaigns.create(session, plan, user_id, said)
        draft.campaign_id = campaign.id
        session.flush()
        return campaign
    campaigns.change(session, draft.campaign_id, plan, user_id, said)
    return campaigns.find(session, draft.campaign_id)


def draft_of(session: Session, campaign: MessageCampaign, user_id: int | None) -> MessageDraft:
    """The draft in which this campaign is changed; one that was made without the wizard gets one."""
    found = message_drafts.of_campaign(session, campaign.id)
    if found is None:
        found = message_drafts.begin(session, user_id, written_of(session, campaign))
        found.campaign_id = campaign.id
        session.flush()
    return found


def copy(session: Session, campaign: MessageCampaign, name: str, user_id: int | None) -> MessageDraft:
    """A new draft that says what the campaign does, under another name."""
    draft = message_drafts.begin(session, user_id, written_of(session, campaign) | {"name": name})
    audit.record(session, user_id, "message_campaign.duplicate", f"message-campaign/{campaign.id}", draft=draft.id)
    return draft


def written_of(session: Session, campaign: MessageCampaign) -> dict[str, Any]:
    """What the wizard's fields would hold for this campaign."""
    whom = f"{campaign.segment_id}/{campaign.frozen_segment_id}" if campaign.frozen_segment_id else campaign.segment_id
    found = {name: _as_typed(getattr(campaign, name)) for name in SAME if name in _KNOWN} | {
        "segment_id": str(whom), "text": campaign.text, "way": "peer" if campaign.is_peer else "list",
        "sender": sender_choices.written(campaign.sender, campaign.pool_id),
        "survey_id": str(campaign.survey_id or ""),
    }  # fmt: skip
    others = [one for one in wordings.of(session, campaign.id) if one.letter != FIRST]
    if others:
        found |= {"has_trial": "y", "text_b": others[0].text, "share_b": str(others[0].share)}
    if campaign.canary_share is not None:
        found |= {"has_canary": "y", "canary_share": f"{campaign.canary_share:g}"} | {
            name: _as_typed(getattr(campaign, name))
            for name in ("canary_release", "canary_minutes", "canary_least_delivered", "canary_most_opt_outs")
        }
    return found


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _as_typed(value: Any) -> str:
    """What a field would hold for a column's value."""
    if isinstance(value, bool):
        return "y" if value else ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:g}" if isinstance(value, float) else str(value)
