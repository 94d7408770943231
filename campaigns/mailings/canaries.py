"""The canary of a campaign: how its first wave went, whether the rest may go, and letting it go.

A canary waits for a person, or for the rule that the campaign was given; where the rule is not kept it waits for a
person after all, and says why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import format_percent
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import enqueue_later
from campaigns.dispatch import message_states as states
from campaigns.dispatch.message_rows import LEFT
from campaigns.figures import message_responses
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings import message_trials
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import CANARY, REST, Message

JOB = "campaigns.mailings.wave_jobs.settle_rest"
SETTLED_AT_ONCE = 50_000


@dataclass(frozen=True)
class Canary:
    """`people`: in the first wave; `waiting`: of these not written to yet; `left`: of these sent, whatever became of
    it. `held`: people of the rest. `quiet_at`: when the rule may speak (real time; None before all have left).
    `faults`: why the rule would not let the rest go, in words."""

    people: int
    waiting: int
    left: int
    delivered: int
    failed: int
    opted_out: int
    replied: int
    held: int
    quiet_at: datetime | None
    faults: list[str]

    @property
    def is_over(self) -> bool:
        """Has everybody of the first wave been written to?"""
        return not self.waiting

    @property
    def delivered_share(self) -> float:
        return self.delivered / self.left if self.left else 0.0

    @property
    def opted_out_share(self) -> float:
        return self.opted_out / self.left if self.left else 0.0


def look(session: Session, campaign: MessageCampaign) -> Canary | None:
    """How the first wave went; None for a campaign without one. One walk over its rows."""
    if campaign.canary_share is None or campaign.launched_at is None:
        return None
    is_canary = and_(Message.wave == CANARY, Message.state != states.EXCLUDED)
    is_delivered, is_failed = Message.state == states.DELIVERED, Message.state.in_((states.UNDELIVERED, states.FAILED))
    row = session.execute(
        select(
            func.count().filter(is_canary).label("people"),
            func.count().filter(is_canary, Message.state.in_((states.PLANNED, states.SENDING))).label("waiting"),
            func.count().filter(is_canary, Message.state.in_(LEFT)).label("left"),
            func.count().filter(is_canary, is_delivered).label("delivered"),
            func.count().filter(is_canary, is_failed).label("failed"),
            func.max(Message.sent_at).filter(is_canary).label("last_at"),
            func.count().filter(Message.wave == REST, Message.is_held, Message.state == states.PLANNED).label("held"),
        ).where(Message.campaign_id == campaign.id)
    ).one()
    said = message_responses.by_wording(session, campaign).values()  # of everybody; until the release, of the canary
    quiet_at = None
    if not row.waiting and campaign.planned_at is not None:
        quiet_at = (row.last_at or campaign.planned_at) + timedelta(minutes=campaign.canary_minutes)
    counted = Canary(row.people, row.waiting, row.left, row.delivered, row.failed, sum(one.opted_out for one in said),
                     sum(one.replied for one in said), row.held, quiet_at, [])  # fmt: skip
    counted.faults.extend(_faults(campaign, counted))
    return counted


def _faults(campaign: MessageCampaign, seen: Canary) -> list[str]:
    if not seen.left:
        return [_("Nobody of the first wave was sent anything.")]
    found = []
    least, most = campaign.canary_least_delivered / 100, campaign.canary_most_opt_outs / 100
    if seen.delivered_share < least:
        found.append(_("%(share)s were delivered; the rule asks for %(limit)s.",
                       share=_percent(seen.delivered_share), limit=_percent(least)))  # fmt: skip
    if seen.opted_out_share > most:
        found.append(_("%(share)s opted out; the rule allows %(limit)s.",
                       share=_percent(seen.opted_out_share), limit=_percent(most)))  # fmt: skip
    return found


def _percent(share: float) -> str:
    return str(format_percent(share, "0.#%"))


def release(session: Session, campaign_id: int, user_id: int | None, winner: str | None = None) -> None:
    """Let the rest go; with a `winner` it all gets that wording, without one the trial goes on. Harmless twice.

    Raises Refused where there is no first wave, or the campaign is over."""
    campaign = campaigns.lock(session, campaign_id)
    if campaign.canary_share is None or campaign.state not in ("planning", "running", "paused"):
        raise Refused("no_canary", _("There is no first wave here whose rest could be let go."))
    if campaign.rest_released_at is None:
        campaign.rest_released_at, campaign.rest_released_by = real_now(), user_id
        audit.record(session, user_id, "message_campaign.release_rest", f"message-campaign/{campaign_id}",
                     by_rule=user_id is None)  # fmt: skip
    if winner:
        choose(session, campaign_id, winner, user_id)
    _settle_later(session, campaign_id)


def choose(session: Session, campaign_id: int, winner: str, user_id: int | None) -> None:
    """From now on everybody who is still to be written to gets this wording. Raises InvalidInput for another."""
    campaign = campaigns.lock(session, campaign_id)
    if winner not in message_trials.letters(session, campaign_id):
        raise InvalidInput({"winner": _("There is no such wording.")})
    campaign.winner = winner
    audit.record(session, user_id, "message_campaign.choose_wording", f"message-campaign/{campaign_id}", winner=winner)
    _settle_later(session, campaign_id)


def settle_rest(session: Session, campaign_id: int, limit: int = SETTLED_AT_ONCE) -> int:
    """Put a release and a winner into up to `limit` planned rows; returns how many. The caller commits, and goes on
    until none is left."""
    campaign = session.get(MessageCampaign, campaign_id, populate_existing=True)
    if campaign is None or (wanted := _unsettled(campaign)) is None:
        return 0
    some = select(Message.id).where(wanted).limit(limit).with_for_update(skip_locked=True)
    values: dict[str, object] = {"wording": campaign.winner} if campaign.winner else {}
    if campaign.rest_released_at is not None:
        values |= {"is_held": False, "released_by": campaign.rest_released_by}
    done = session.scalars(
        update(Message).where(Message.id.in_(some)).values(**values).returning(Message.id)
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    if done:
        campaigns.tell(session, campaign_id)
        enqueue_later(session, "campaigns.jobs.send_messages", queue="messages")
    return len(done)


def follow(session: Session) -> int:
    """The clock's: let go what the rule lets go, and go on with what a lost job left; returns how many campaigns."""
    done = 0
    alive = select(MessageCampaign).where(MessageCampaign.state == "running")
    for campaign in session.scalars(alive.order_by(MessageCampaign.id)).all():
        if _may_release(session, campaign):
            decided = message_trials.look(session, campaign)
            release(session, campaign.id, None, decided.verdict.winner if decided else None)
            done += 1
        elif (wanted := _unsettled(campaign)) is not None and session.scalar(select(Message.id).where(wanted).limit(1)):
            _settle_later(session, campaign.id)
            done += 1
    return done


def _may_release(session: Session, campaign: MessageCampaign) -> bool:
    if campaign.canary_share is None or campaign.canary_release != "rule" or campaign.rest_released_at is not None:
        return False
    if campaign.planned_at is None:
        return False
    seen = look(session, campaign)
    return seen is not None and seen.quiet_at is not None and seen.quiet_at <= real_now() and not seen.faults


def _unsettled(campaign: MessageCampaign) -> ColumnElement[bool] | None:
    """Planned rows that a release or a winner has not reached yet; None where there is neither."""
    wishes: list[ColumnElement[bool]] = []
    if campaign.canary_share is not None and campaign.rest_released_at is not None:
        wishes.append(Message.is_held.is_(True))
    if campaign.winner:
        wishes.append(Message.wording != campaign.winner)
    if not wishes:
        return None
    return and_(Message.campaign_id == campaign.id, Message.state == states.PLANNED, Message.wave == REST, or_(*wishes))


def _settle_later(session: Session, campaign_id: int) -> None:
    campaigns.tell(session, campaign_id)
    enqueue_later(session, JOB, campaign_id)
