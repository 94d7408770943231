"""Calling campaigns: a segment frozen into a queue, and the life of that queue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter import queues
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.queueing import crews, promised_callbacks, queue_pace, queue_rules
from callcenter.queueing.queue_pace import Pace
from callcenter.queueing.queue_rules import Rules
from callcenter.queues import CallQueue
from callcenter.sound import recording_ledger
from callcenter.telephony import account_checks
from campaigns import audiences, segments
from campaigns.segmenting.frozen_segments import FrozenSegment
from campaigns.segments import Segment
from campaigns.telephoning import notices
from surveys import quotas
from surveys.fieldwork import quota_entries
from surveys.fieldwork.quota_cells import QuotaPlan
from surveys.pictures import form_pictures
from surveys.voice import prompt_catalogue

OPERATOR_SCRIPT = "operator"
ONE_EACH, AS_USUAL = Pace("progressive"), Rules()


class CallCampaign(Base):
    """What a strategist launches. Its state is its queue's; `frozen_at` is when the segment became entries.

    `frozen_segment_id`: the list that is called, where one was chosen; else the people whom the segment means then.
    `forecast`: what was foreseen at the start (campaigns.telephoning.call_forecasts), for its page to compare with."""

    __tablename__ = "call_campaigns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    segment_version: Mapped[int]
    frozen_segment_id: Mapped[int | None] = mapped_column(ForeignKey("frozen_segments.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id"), unique=True)
    frozen_at: Mapped[datetime | None]
    forecast: Mapped[dict[str, Any] | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    queue: Mapped[CallQueue] = relationship(lazy="joined")
    segment: Mapped[Segment] = relationship(lazy="joined")
    frozen: Mapped[FrozenSegment | None] = relationship(lazy="joined")

    @property
    def audience(self) -> str:
        """Whom it reaches, in words."""
        return audiences.name_of(self)


@dataclass(frozen=True)
class CallPlan:
    """What a strategist decides about a calling campaign. `script`: `survey/<id>` or `operator` with `script_text`.
    `answered_by`: operator | recording, with at most so many `sessions`; `machine_detection`: off | on | shadow, with
    what machines hear after their tone ('': nothing).
    `recording`: off | notice | ask, with what the operator says about it. `operators`: ids; none: whoever is free."""

    name: str
    segment_id: int
    purpose: str
    script: str
    carrier: str
    caller_id: str
    on_behalf_of: str
    privacy_notice_url: str
    script_text: str | None = None
    frozen_segment_id: int | None = None
    answered_by: str = "operator"
    sessions: int | None = None
    machine_detection: str = "off"
    voicemail_text: str = ""
    recording: str = "off"
    recording_notice: str = ""
    pace: Pace = ONE_EACH
    rules: Rules = AS_USUAL
    quotas: QuotaPlan | None = None
    operators: tuple[int, ...] = ()


def create(session: Session, plan: CallPlan, user_id: int | None) -> CallCampaign:
    """A draft with its own queue; nobody is called yet. Raises InvalidInput, NotFound."""
    faults = missing(plan)
    if faults:
        raise InvalidInput(dict.fromkeys(faults, "required"))
    segment = audiences.check(session, plan.segment_id, plan.frozen_segment_id)
    queue = CallQueue(
        name=plan.name, purpose=plan.purpose, script=plan.script, carrier=plan.carrier, caller_id=plan.caller_id,
        script_text=plan.script_text or None, on_behalf_of=plan.on_behalf_of,
        privacy_notice_url=plan.privacy_notice_url, answered_by=plan.answered_by, sessions=plan.sessions,
        machine_detection=plan.machine_detection, voicemail_text=plan.voicemail_text or None, recording=plan.recording,
        recording_notice_id=_notice(session, plan),
    )  # fmt: skip
    campaign = CallCampaign(
        name=plan.name,
        segment=segment,
        segment_version=segment.version,
        queue=queue,
        created_by=user_id,
        frozen_segment_id=plan.frozen_segment_id,
    )
    session.add(campaign)
    session.flush()
    audit.record(session, user_id, "call_campaign.create", f"call-campaign/{campaign.id}")
    queue_pace.set_pace(session, queue.id, plan.pace, user_id)
    queue_rules.set_rules(session, queue.id, plan.rules, user_id)
    if plan.quotas is not None:
        quotas.set_plan(session, queue.id, plan.quotas, user_id)
    crews.name(session, queue.id, plan.operators, user_id)
    return campaign


def _notice(session: Session, plan: CallPlan) -> int | None:
    """The version of what is said about the recording."""
    return recording_ledger.notice_version(session, plan.recording_notice) if plan.recording != "off" else None


def missing(plan: CallPlan) -> list[str]:
    """The fields without which a call may not be made: who calls, for whom, where the notice is, what is said."""
    needed = ["name", "purpose", "carrier", "caller_id", "on_behalf_of", "privacy_notice_url"]
    if plan.script == OPERATOR_SCRIPT:
        needed.append("script_text")
    return [field for field in needed if not (getattr(plan, field) or "").strip()]


def find(session: Session, campaign_id: int) -> CallCampaign:
    """Raises NotFound."""
    campaign = session.get(CallCampaign, campaign_id, populate_existing=True)
    if campaign is None:
        raise NotFound(_("There is no such calling campaign."))
    return campaign


def newest(session: Session, limit: int = 100) -> list[CallCampaign]:
    return list(session.scalars(select(CallCampaign).order_by(CallCampaign.id.desc()).limit(limit)))


def running(session: Session) -> list[CallCampaign]:
    """Every campaign that dials, however old."""
    dials = select(CallCampaign).join(CallCampaign.queue).where(CallQueue.state == "running")
    return list(session.scalars(dials.order_by(CallCampaign.id)))


def launch(session: Session, campaign_id: int, user_id: int | None, *, confirmed: bool = False) -> int:
    """Freeze the segment into the queue and start dialling; returns how many people are in it. Raises Refused, also
    when the calendar asks to confirm (`notices`) and nobody did."""
    campaign = _lock(session, campaign_id)
    if campaign.frozen_at is not None:
        raise Refused("state", _("The campaign was started before; resume it instead."))
    _refuse_mute(session, campaign)
    account_checks.require(session, campaign.queue.carrier, campaign.queue.caller_id)
    subject = f"call-campaign/{campaign_id}"
    notices.confirm(session, campaign.queue.purpose, subject, user_id, confirmed=confirmed)
    people = queues.fill(session, campaign.queue_id, segments.compile_rule(session, audiences.rule_of(campaign)))
    quota_entries.sort_all(session, campaign.queue_id)  # who is in no open cell is never dialled
    campaign.frozen_at, campaign.segment_version = real_now(), campaign.segment.version
    queues.set_state(session, campaign.queue_id, "running", None, user_id)
    return people


def survey_of(campaign: CallCampaign) -> int | None:
    """The number of the survey that is asked; None when operators have a text of their own."""
    kind, _slash, number = campaign.queue.script.partition("/")
    return int(number) if kind == "survey" and number.isdecimal() else None


def recorded_survey(campaign: CallCampaign) -> int | None:
    """The number of the survey that a machine asks; None when operators talk."""
    return survey_of(campaign) if campaign.queue.answered_by == "recording" else None


def missing_pictures(session: Session, campaign: CallCampaign) -> str:
    """A sentence about pictures that operators would not see beside their questions; '' when there is none."""
    survey_id = survey_of(campaign)
    return form_pictures.missing(session, survey_id) if survey_id and not recorded_survey(campaign) else ""


def gaps(session: Session, campaign: CallCampaign) -> list[prompt_catalogue.Gap]:
    """What a recorded survey cannot say or ask yet."""
    survey_id = recorded_survey(campaign)
    return prompt_catalogue.gaps(session, survey_id) if survey_id else []


def _refuse_mute(session: Session, campaign: CallCampaign) -> None:
    """Nobody is called to hear silence."""
    mute = [gap.sentence for gap in gaps(session, campaign) if gap.is_grave]
    if mute:
        raise Refused("prompts_missing", " ".join(mute))


def pause(session: Session, campaign_id: int, reason: str, user_id: int | None) -> None:
    """No new call is placed; those under way go on."""
    queues.set_state(session, find(session, campaign_id).queue_id, "paused", reason, user_id)


def resume(session: Session, campaign_id: int, user_id: int | None) -> None:
    """Go on with those who wait. Raises Refused while the carrier's account takes no calls."""
    campaign = find(session, campaign_id)
    account_checks.require(session, campaign.queue.carrier, campaign.queue.caller_id)
    queues.set_state(session, campaign.queue_id, "running", None, user_id)


def finish(session: Session, campaign_id: int, reason: str, user_id: int | None, *, callbacks: str = "") -> None:
    """For good: nobody is called from this queue again. Raises Refused while people wait for a call they were promised
    and `callbacks` does not say who keeps the promise: `keep`, the queue itself before it ends, or the number of the
    campaign that takes them over."""
    queue_id = find(session, campaign_id).queue_id
    if callbacks == "keep":
        promised_callbacks.keep(session, queue_id, user_id)
        return
    if callbacks.isascii() and callbacks.isdecimal() and len(callbacks) < 10:
        promised_callbacks.move(session, queue_id, find(session, int(callbacks)).queue_id, user_id)
    queues.set_state(session, queue_id, "finished", reason, user_id)


def heirs(session: Session, campaign: CallCampaign) -> list[CallCampaign]:
    """The campaigns that could keep the promises of this one: under way, for the same purpose."""
    alike = select(CallCampaign).join(CallCampaign.queue).where(
        CallQueue.state.in_(("running", "paused")), CallQueue.purpose == campaign.queue.purpose,
        CallCampaign.id != campaign.id,
    )  # fmt: skip
    return list(session.scalars(alike.order_by(CallCampaign.id.desc()).limit(50)))


def _lock(session: Session, campaign_id: int) -> CallCampaign:
    find(session, campaign_id)
    return session.scalars(
        select(CallCampaign)
        .where(CallCampaign.id == campaign_id)
        .with_for_update(of=CallCampaign)
        .execution_options(populate_existing=True)
    ).one()
