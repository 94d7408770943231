"""Four eyes: a second person approves exactly what will leave, and any change of it asks them again.

An approval names a version: a fingerprint of everything that people would get, and of who would get it. So nobody has
to remember to void it: what changed has another version."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, inspect, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from callcenter.gate import house_rules
from campaigns.segments import Segment
from campaigns.texts import enclosures, wordings

# Columns of a campaign that tell how far it is, not what leaves: they void no approval. All others do.
LIFE = frozenset({
    "id", "name", "state", "state_reason", "launched_at", "planned_at", "finished_at", "created_by", "created_at",
    "changed_by", "segment_version", "approved_version", "approved_by", "approved_at", "rest_released_at",
    "rest_released_by", "winner",
})  # fmt: skip
STEPS: dict[str, LazyString] = {
    "asked": _l("asked for approval"),
    "approved": _l("approved it"),
    "returned": _l("sent it back"),
}
MOST_REMARK = 500


class MessageApproval(Base):
    """What somebody said of one version of a campaign. `step`: asked | approved | returned, with a remark."""

    __tablename__ = "message_approvals"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"), index=True)
    version: Mapped[str]
    step: Mapped[str]
    remark: Mapped[str] = mapped_column(default="", server_default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(default=real_now)


class Approvable(Protocol):
    """What the checks before a launch read of a campaign (campaigns.mailings.message_campaigns.MessageCampaign)."""

    id: int
    purpose: str
    channel: str
    carrier: str
    sender: str
    pool_id: int | None
    on_behalf_of: str
    is_standing: bool
    segment: Segment
    frozen_segment_id: int | None
    created_by: int | None
    changed_by: int | None
    approved_version: str | None
    approved_by: int | None
    approved_at: datetime | None

    @property
    def is_simulated(self) -> bool: ...


@dataclass(frozen=True)
class Standing:
    """How a campaign stands with its approval. `is_needed`: the house asks for one; `is_given`: for what would leave
    now; `is_void`: it was given, and something changed since; `is_asked`: somebody waits for it."""

    version: str
    is_needed: bool
    is_given: bool
    is_void: bool
    is_asked: bool
    approver: str | None
    approved_at: datetime | None
    said: list[tuple[MessageApproval, str | None]]  # the newest first, with names

    @property
    def lets_go(self) -> bool:
        return self.is_given or not self.is_needed


def version(session: Session, campaign: Approvable) -> str:
    """The fingerprint of what would leave, and to whom."""
    columns = inspect(type(campaign)).column_attrs
    said: dict[str, Any] = {one.key: _plain(getattr(campaign, one.key)) for one in columns if one.key not in LIFE}
    said["wordings"] = [one.__dict__ for one in wordings.of(session, campaign.id)]
    if enclosed := enclosures.of(session, campaign.id):
        said["enclosed"] = {letter: one.__dict__ for letter, one in enclosed.items()}
    if campaign.frozen_segment_id is None:
        said["segment"] = campaign.segment.version  # a frozen list stays as it is
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]


def standing(session: Session, campaign: Approvable) -> Standing:
    """Everything that the campaign's page says of its approval."""
    now = version(session, campaign)
    said: list[tuple[MessageApproval, str | None]] = [(row[0], row[1]) for row in session.execute(
        select(MessageApproval, User.full_name).outerjoin(User, User.id == MessageApproval.user_id)
        .where(MessageApproval.campaign_id == campaign.id).order_by(MessageApproval.id.desc()).limit(20)
    )]  # fmt: skip
    last = said[0][0] if said else None
    return Standing(
        version=now, is_needed=house_rules.is_approval_needed(session) and not campaign.is_standing,
        is_given=campaign.approved_version == now, is_void=campaign.approved_version not in (None, now),
        is_asked=last is not None and last.step == "asked" and last.version == now,
        approver=_name(session, campaign.approved_by), approved_at=campaign.approved_at, said=said,
    )  # fmt: skip


def ask(session: Session, campaign: Approvable, user_id: int) -> None:
    """Put the campaign before a second person. Harmless twice."""
    if not standing(session, campaign).is_asked:
        _say(session, campaign, "asked", user_id)


def approve(session: Session, campaign: Approvable, seen: str, user_id: int) -> None:
    """A second person lets exactly the version that they saw go. The caller holds the campaign's lock.

    Raises Refused for whoever wrote it, and when it changed while they looked."""
    if not may_approve(campaign, user_id):
        raise Refused("own_work", _("A second person has to approve it: you wrote it or changed it last."))
    now = version(session, campaign)
    if seen != now:
        raise Refused("changed", _("Somebody changed it while you looked. Look again, then approve it."))
    campaign.approved_version, campaign.approved_by, campaign.approved_at = now, user_id, real_now()
    _say(session, campaign, "approved", user_id)


def send_back(session: Session, campaign: Approvable, remark: str, user_id: int) -> None:
    """Say what has to change first; an approval that was given is void. Raises InvalidInput without a remark."""
    if not remark.strip():
        raise InvalidInput({"remark": _("Say what has to change.")})
    campaign.approved_version = campaign.approved_by = campaign.approved_at = None
    _say(session, campaign, "returned", user_id, remark.strip()[:MOST_REMARK])


def may_approve(campaign: Approvable, user_id: int) -> bool:
    """Is this person another than who wrote it and who changed it last?"""
    return user_id not in (campaign.created_by, campaign.changed_by)


def check(session: Session, campaign: Approvable, user_id: int | None) -> None:
    """Let a person's launch go on. Raises Refused without a second person's approval of what would leave now.

    Commands and jobs (no user) are not asked: what they go on with was launched by a person, or is a drill's."""
    if user_id is None or campaign.is_standing or not house_rules.is_approval_needed(session):
        return
    if campaign.approved_version is None:
        raise Refused("approval", _("A second person has to approve it before it leaves."))
    if campaign.approved_version != version(session, campaign):
        raise Refused("approval", _("It changed since it was approved: a second person has to look at it again."))


def waiting(session: Session, campaigns: list[Any]) -> set[int]:
    """Which of these campaigns somebody asked to be approved, and nobody has answered yet."""
    ids = [one.id for one in campaigns if one.state in ("draft", "paused")]
    newest = (
        select(MessageApproval.campaign_id, MessageApproval.step)
        .where(MessageApproval.campaign_id.in_(ids)).order_by(MessageApproval.id)
    )  # fmt: skip
    last = {row.campaign_id: row.step for row in session.execute(newest)}
    return {number for number, step in last.items() if step == "asked"}


def _plain(value: Any) -> Any:
    """A number as it is, however the database or a form wrote it: 0.35 and 0.3500 are one price."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return format(Decimal(str(value)).normalize(), "f") if is_number else value


def _say(session: Session, campaign: Approvable, step: str, user_id: int, remark: str = "") -> None:
    now = version(session, campaign)
    session.add(MessageApproval(campaign_id=campaign.id, version=now, step=step, remark=remark, user_id=user_id))
    session.flush()
    audit.record(session, user_id, f"message_campaign.{step}", f"message-campaign/{campaign.id}", version=now)


def _name(session: Session, user_id: int | None) -> str | None:
    return session.scalar(select(User.full_name).where(User.id == user_id)) if user_id is not None else None
