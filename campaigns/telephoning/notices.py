"""The notice at launch: where the calendar lets a purpose through but warns of it, somebody confirms, on file."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.errors import Refused
from callcenter.gate import rulebook


def is_needed(session: Session, purpose: str) -> bool:
    """Does a launch today, anywhere an election runs, ask to confirm?"""
    return rulebook.read(session).asks_to_confirm(purpose, campaign_now(session).astimezone(ZONE).date())


def confirm(session: Session, purpose: str, subject: str, user_id: int | None, *, confirmed: bool) -> None:
    """Let a launch go on, and keep who confirmed it. Raises Refused where it had to be confirmed and was not."""
    if not is_needed(session, purpose):
        return
    if not confirmed:
        raise Refused("confirm_notice", _("In this phase of the election, launching this purpose has to be confirmed."))
    audit.record(session, user_id, "campaigns.confirm_notice", subject, purpose=purpose,
                 campaign_time=campaign_now(session).isoformat())  # fmt: skip
