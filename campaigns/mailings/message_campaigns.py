"""Message campaigns: one wording for one segment, and its life.

draft → planning → running ⇄ paused → finished | stopped.

Planning writes the rows (campaigns.messages.write_for_segment) in a job, because a million of them take half a minute.
`state_reason` is a code of our own (see campaigns.labels) or what a person gave as reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, Numeric, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from campaigns import audiences, channels, wording
from campaigns.dispatch import sender_tables  # noqa: F401  # pool_id points to its tables
from campaigns.mailings import launch_checks, message_approvals
from campaigns.segmenting.frozen_segments import FrozenSegment
from campaigns.segments import Segment
from campaigns.texts import wordings
from campaigns.texts.wordings import Wording

URGENCIES = ("urgent", "bulk")
RELEASES = ("person", "rule")
GOALS = ("clicks", "replies", "opt_outs")
ONCE_PLANNED = ("segment_id", "frozen_segment_id", "channel", "purpose", "canary_share")  # what the rows stand on
SENDS = "campaigns.jobs.send_messages"  # the job that plans and sends whatever there is to plan and send
PLANNING, RUNNING = ("planning", "running")
NEXT = {
    "draft": frozenset({"planning", "stopped"}),
    "planning": frozenset({"running", "paused", "stopped"}),
    "running": frozenset({"paused", "finished", "stopped"}),
    "paused": frozenset({"planning", "running", "stopped"}),
    "finished": frozenset(),
    "stopped": frozenset(),
}


class MessageCampaign(Base):
    """`text` has placeholders: {given_names}, {section|s/n}. `unit_price`: MXN a part. `planned_at`: when the segment,
    at `segment_version`, was frozen into rows. `frozen_segment_id`: the list that is written to, where one was chosen.
    `on_behalf_of`: whom the message must name. `is_standing`: people are added one by one, and only a stop ends it.
    `is_peer`: a person releases each message (campaigns.mailings.peer_batches). `is_plain`: without accents, names too.
    `urgency`: what is urgent leaves before what is bulk. `pool_id`: the senders that share it; without, it is `sender`.
    `canary_share`: percent of the people who are written to first (mailings.message_waves); `canary_release`: who lets
    the rest go, person | rule: after `canary_minutes`, with at least `canary_least_delivered` percent delivered and at
    most `canary_most_opt_outs` percent opted out. `trial_goal` and `winner`: of two wordings (texts.wordings).
    `approved_version`: what exactly a second person approved (mailings.message_approvals); `changed_by`: who changed
    it last. `survey_id`: the survey that {survey_link} leads to, and that begins in the chat of whoever answers yes.
    """

    __tablename__ = "message_campaigns"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'planning', 'running', 'paused', 'finished', 'stopped')", name="state"),
        CheckConstraint("urgency IN ('urgent', 'bulk')", name="urgency"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    channel: Mapped[str] = mapped_column(default="sms")
    purpose: Mapped[str]
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    segment_version: Mapped[int | None]
    frozen_segment_id: Mapped[int | None] = mapped_column(ForeignKey("frozen_segments.id"))
    text: Mapped[str]
    sender: Mapped[str]
    carrier: Mapped[str]
    on_behalf_of: Mapped[str] = mapped_column(default="", server_default="")
    unit_price: Mapped[Decimal] = mapped_column(Numeric(8, 4), default=Decimal("0.35"), server_default="0.35")
    is_standing: Mapped[bool] = mapped_column(default=False, server_default=false())
    urgency: Mapped[str] = mapped_column(default="bulk", server_default="bulk")
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("sender_pools.id"))
    survey_id: Mapped[int | None] = mapped_column(ForeignKey("surveys.id"))
    is_peer: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_plain: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(default="draft")
    state_reason: Mapped[str | None]
    launched_at: Mapped[datetime | None]
    planned_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    canary_share: Mapped[float | None]
    canary_release: Mapped[str] = mapped_column(default="person", server_default="person")
    canary_minutes: Mapped[int] = mapped_column(default=60, server_default="60")
    canary_least_delivered: Mapped[float] = mapped_column(default=80, server_default="80")
    canary_most_opt_outs: Mapped[float] = mapped_column(default=2, server_default="2")
    trial_goal: Mapped[str] = mapped_column(default="clicks", server_default="clicks")
    winner: Mapped[str | None]
    rest_released_at: Mapped[datetime | None]
    rest_released_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    approved_version: Mapped[str | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    segment: Mapped[Segment] = relationship(lazy="joined")
    frozen: Mapped[FrozenSegment | None] = relationship(lazy="joined")

    @property
    def audience(self) -> str:
        """Whom it reaches, in words."""
        return audiences.name_of(self)

    @property
    def is_simulated(self) -> bool:
        return self.carrier == "simulated"


@dataclass(frozen=True)
class MessagePlan:
    """What a strategist decides about a message campaign."""

    name: str
    segment_id: int
    purpose: str
    text: str
    sender: str
    carrier: str
    on_behalf_of: str = ""
    channel: str = "sms"
    unit_price: Decimal = Decimal("0.35")
    frozen_segment_id: int | None = None
    urgency: str = "bulk"
    pool_id: int | None = None
    is_peer: bool = False
    is_plain: bool = False
    canary_share: float | None = None
    canary_release: str = "person"
    canary_minutes: int = 60
    canary_least_delivered: float = 80
    canary_most_opt_outs: float = 2
    trial_goal: str = "clicks"
    survey_id: int | None = None


def create(
    session: Session, plan: MessagePlan, user_id: int | None, said: Sequence[Wording] = ()
) -> MessageCampaign:  # fmt: skip
    """A draft; nobody is written to yet. `said`: its wordings, A first, where there is more than the plan's text.

    Raises InvalidInput with codes of wording faults, NotFound for the segment."""
    campaign = MessageCampaign(**_checked(session, plan, said), created_by=user_id)
    session.add(campaign)
    session.flush()
    wordings.keep(session, campaign.id, said)
    audit.record(session, user_id, "message_campaign.create", f"message-campaign/{campaign.id}")
    return campaign


def change(
    session: Session, campaign_id: int, plan: MessagePlan, user_id: int | None, said: Sequence[Wording] = ()
) -> bool:
    """Give a draft, or a paused campaign, this plan; who is still to be written to gets it. Was anything another?

    Raises InvalidInput, NotFound; Refused while it runs, and for what cannot change once the list is written."""
    campaign, wanted = lock(session, campaign_id), _checked(session, plan, said)
    if campaign.state not in ("draft", "paused"):
        raise Refused("state", _("Pause the campaign first; then it can be changed."))
    if campaign.planned_at is not None and any(getattr(campaign, name) != wanted[name] for name in ONCE_PLANNED):
        raise Refused("planned", _("The list is written already: its people, purpose, channel and first wave stay."))
    before, was_named = message_approvals.version(session, campaign), campaign.name
    for name, value in wanted.items():
        setattr(campaign, name, value)
    session.flush()
    session.refresh(campaign)
    wordings.keep(session, campaign_id, said)
    if message_approvals.version(session, campaign) == before:
        return was_named != campaign.name
    campaign.changed_by = user_id
    audit.record(session, user_id, "message_campaign.change", f"message-campaign/{campaign_id}", old=before,
                 new=message_approvals.version(session, campaign))  # fmt: skip
    return True


def _checked(session: Session, plan: MessagePlan, said: Sequence[Wording]) -> dict[str, Any]:
    """The columns that a plan stands for."""
    audiences.check(session, plan.segment_id, plan.frozen_segment_id)
    if plan.channel not in channels.NAMES:
        raise InvalidInput(
            {"channel": f"{plan.channel} is not a channel; the channels are {', '.join(channels.NAMES)}."}
        )
    for text in (plan.text, *(one.text for one in said)):
        if faults := wording.check(text, more=(wording.SURVEY_LINK,) if plan.survey_id else ()):
            raise InvalidInput({"text": f"{faults[0].code} {faults[0].detail}".strip()})
    return plan.__dict__ | {"text": wording.clean(plan.text)}


def find(session: Session, campaign_id: int) -> MessageCampaign:
    """Raises NotFound."""
    campaign = session.get(MessageCampaign, campaign_id)
    if campaign is None:
        raise NotFound(_("There is no such message campaign."))
    return campaign


def newest(session: Session, limit: int = 100) -> list[MessageCampaign]:
    return list(session.scalars(select(MessageCampaign).order_by(MessageCampaign.id.desc()).limit(limit)))


def running(session: Session) -> list[MessageCampaign]:
    """Every campaign that sends or is about to, however old."""
    sends = select(MessageCampaign).where(MessageCampaign.state.in_(("planning", "running")))
    return list(session.scalars(sends.order_by(MessageCampaign.id)))


def launch(session: Session, campaign_id: int, user_id: int | None, *, confirmed: bool = False) -> None:
    """Freeze the segment into rows, then send. Both happen in jobs. Raises Refused, also when the calendar asks to
    confirm and nobody did, and without a second person's approval (`launch_checks`)."""
    ready = lock(session, campaign_id)
    if ready.launched_at is None:
        texts = wordings.texts(session, campaign_id).values()
        launch_checks.check(session, ready, texts, user_id, confirmed=confirmed)
    else:
        message_approvals.check(session, ready, user_id)
    campaign = set_state(session, campaign_id, "planning", None, user_id)
    campaign.launched_at = campaign.launched_at or real_now()
    enqueue_later(session, SENDS, queue="messages")


def pause(session: Session, campaign_id: int, reason: str, user_id: int | None) -> None:
    """No new request leaves after the batch under way; the rest stays planned."""
    set_state(session, campaign_id, "paused", reason, user_id)


def resume(session: Session, campaign_id: int, user_id: int | None) -> None:
    """Go on with those who are still planned; whoever was sent to, or may have been, is not written to again.

    Raises Refused, also when it was changed meanwhile and nobody approved that."""
    paused = lock(session, campaign_id)
    if paused.planned_at is None:
        launch(session, campaign_id, user_id)
        return
    message_approvals.check(session, paused, user_id)
    set_state(session, campaign_id, "running", None, user_id)
    enqueue_later(session, SENDS, queue="messages")


def stop(session: Session, campaign_id: int, reason: str, user_id: int | None) -> None:
    """For good: a job marks everybody still planned as stopped."""
    set_state(session, campaign_id, "stopped", reason, user_id).finished_at = real_now()
    enqueue_later(session, "campaigns.jobs.drop_planned", campaign_id)


def set_state(
    session: Session, campaign_id: int, state: str, reason: str | None, user_id: int | None
) -> MessageCampaign:
    """Move the campaign, audited. Raises Refused when its state does not allow that."""
    campaign = lock(session, campaign_id)
    if state not in NEXT[campaign.state]:
        raise Refused(
            "state", _("A campaign that is %(now)s cannot become %(wanted)s.", now=campaign.state, wanted=state)
        )
    audit.record(
        session, user_id, "message_campaign.state", f"message-campaign/{campaign_id}", old=campaign.state, new=state
    )
    campaign.state, campaign.state_reason = state, reason
    tell(session, campaign_id)
    return campaign


def tell(session: Session, campaign_id: int) -> None:
    """Let the campaign's live page look again, after the commit."""
    tell_later(session, f"message-campaign/{campaign_id}")


def lock(session: Session, campaign_id: int) -> MessageCampaign:
    """The campaign, fresh and locked until the caller's commit. Raises NotFound."""
    campaign = session.scalars(
        select(MessageCampaign)
        .where(MessageCampaign.id == campaign_id)
        .with_for_update(of=MessageCampaign, key_share=True)  # who writes a row of it need not wait
        .execution_options(populate_existing=True)
    ).one_or_none()
    if campaign is None:
        raise NotFound(_("There is no such message campaign."))
    return campaign
