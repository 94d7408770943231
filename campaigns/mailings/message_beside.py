"""What the wizard of message campaigns shows beside its fields: who would be reached, asked of the gate itself."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from callcenter.base.errors import NotFound
from callcenter.base.settings import Settings
from campaigns import audiences, segments
from campaigns.mailings import message_steps, preflight
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.mailings.message_drafts import MessageDraft
from campaigns.mailings.preflight import Preflight
from campaigns.segmenting import frozen_segments

KNOWN = ("segment_id", "purpose", "on_behalf_of", "unit_price", "channel", "sender")


def of(session: Session, draft: MessageDraft, key: str, settings: Settings) -> dict[str, Any]:
    """The values of the step's template."""
    if key == "people":
        return {"check": reach(session, draft.form, settings)}
    # What the counter of a wording has to know, and other steps hold.
    return {"known": {name: str(draft.form.get(name) or "") for name in KNOWN}} if key == "wording" else {}


def reach(session: Session, draft: Mapping[str, Any], settings: Settings) -> Preflight | None:
    """Whom the draft would write to; None until the people are chosen. Writes nothing."""
    people = message_steps.form_of(session, draft, "people")
    goal = message_steps.form_of(session, draft, "goal")
    if not people.validate() or not goal.purpose.data:
        return None
    segment_id, frozen_id = audiences.read(people.segment_id.data)
    try:
        segment = segments.get(session, segment_id)
        frozen = frozen_segments.get(session, frozen_id) if frozen_id else None
    except NotFound:  # deleted a moment ago
        return None
    never_kept = MessageCampaign(
        name="", channel=goal.channel.data or "sms", purpose=goal.purpose.data, text="-", sender="", segment=segment,
        carrier=settings.carrier, frozen_segment_id=frozen_id, frozen=frozen, is_plain=False, unit_price=0,
    )  # fmt: skip
    return preflight.of_messages(session, never_kept)
