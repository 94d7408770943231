"""From a draft to a campaign: the plan that it amounts to, the start, and a campaign written back as a new draft."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from callcenter.carriers import can
from callcenter.queueing import crews, queue_pace, queue_rules
from callcenter.sound.recording_ledger import RecordingNotice
from campaigns import audiences, calling
from campaigns.calling import CallCampaign, CallPlan
from campaigns.telephoning import call_drafts, draft_steps, quota_forms, rule_forms
from campaigns.telephoning.call_drafts import CallDraft
from surveys import quotas

FORESEEN = ("team", "hours_a_day", "hour_price")  # what of a forecast somebody typed


def plan_of(session: Session, draft: Mapping[str, Any], settings: Settings) -> CallPlan:
    """Raises InvalidInput with a sentence for each field that is missing or wrong."""
    if faults := draft_steps.missing(session, draft):
        raise InvalidInput({fault.field: fault.sentence for fault in faults})
    said: dict[str, Any] = {}
    forms = {key: draft_steps.form_of(session, draft, key) for key, step in draft_steps.STEPS.items() if step.form}
    for form in forms.values():
        said |= form.data
    segment_id, frozen_id = audiences.read(said["segment_id"])
    is_recorded = said["answered_by"] == "recording"
    return CallPlan(
        name=said["name"].strip(), segment_id=segment_id, frozen_segment_id=frozen_id, purpose=said["purpose"],
        script=said["script"], carrier=settings.carrier, caller_id=said["caller_id"],
        on_behalf_of=said["on_behalf_of"].strip(), privacy_notice_url=said["privacy_notice_url"].strip(),
        script_text=(said["script_text"] or "").strip() or None, answered_by=said["answered_by"],
        sessions=said["sessions"] if is_recorded else None,
        machine_detection=said["machine_detection"] if can("detect_machines") else "off",
        voicemail_text=" ".join((said["voicemail_text"] or "").split()) if can("leave_messages") else "",
        recording=said["recording"], recording_notice=said["recording_notice"] or "",
        pace=forms["pace"].pace(), rules=forms["schedule"].rules(), quotas=forms["quotas"].plan(),
        operators=tuple(int(number) for number in said["operators"] or ()),
    )  # fmt: skip


def start(session: Session, draft_id: int, settings: Settings, user_id: int | None, *, confirmed: bool,
          forecast: dict[str, Any] | None = None) -> tuple[CallCampaign, int]:  # fmt: skip
    """Make the campaign and begin to call, once; a second press finds it running and returns 0 people.

    Raises InvalidInput, Refused, NotFound."""
    draft = call_drafts.find(session, draft_id, lock=True)
    if draft.campaign_id is not None:
        return calling.find(session, draft.campaign_id), 0
    campaign = calling.create(session, plan_of(session, draft.form, settings), user_id)
    campaign.forecast = forecast
    draft.campaign_id = campaign.id
    session.flush()
    people = calling.launch(session, campaign.id, user_id, confirmed=confirmed)
    return campaign, people


def copy(session: Session, campaign: CallCampaign, name: str, user_id: int | None) -> CallDraft:
    """A new draft that says what the campaign does, under another name."""
    draft = call_drafts.begin(session, user_id, written_of(session, campaign) | {"name": name})
    audit.record(session, user_id, "call_campaign.duplicate", f"call-campaign/{campaign.id}", draft=draft.id)
    return draft


def written_of(session: Session, campaign: CallCampaign) -> dict[str, Any]:
    """What the wizard's fields would hold for this campaign."""
    queue, forecast = campaign.queue, campaign.forecast or {}
    notice = session.get(RecordingNotice, queue.recording_notice_id) if queue.recording_notice_id else None
    whom = f"{campaign.segment_id}/{campaign.frozen_segment_id}" if campaign.frozen_segment_id else campaign.segment_id
    found = {
        "name": campaign.name, "segment_id": str(whom), "purpose": queue.purpose, "script": queue.script,
        "script_text": queue.script_text or "", "on_behalf_of": queue.on_behalf_of, "caller_id": queue.caller_id,
        "privacy_notice_url": queue.privacy_notice_url, "answered_by": queue.answered_by,
        "sessions": str(queue.sessions or ""), "machine_detection": queue.machine_detection,
        "voicemail_text": queue.voicemail_text or "",
        "recording": queue.recording, "operators": [str(number) for number in crews.of_queue(session, queue.id)],
        **written_of_pace(queue_pace.of_queue(queue)), **rule_forms.fill(queue_rules.of_queue(queue)),
        **quota_forms.fill(quotas.of(session, queue.id)),
        **{name: f"{float(forecast[name]):g}" for name in FORESEEN if name in forecast},
    }  # fmt: skip
    return found | ({"recording_notice": notice.text} if notice else {})


def written_of_pace(pace: queue_pace.Pace) -> dict[str, str]:
    """What the fields of the pace would hold."""
    return {
        "mode": pace.mode, "abandon_limit": f"{pace.abandon_limit * 100:g}", "ratio": f"{pace.ratio:g}",
        "gives_up": "y" if pace.gives_up else "", "calls_per_second": str(pace.calls_per_second or ""),
    }  # fmt: skip
