"""The breaker: pauses a campaign of messages whose results turn bad, and says what turned, where and by how much.

Carriers filter a sender that looks unwanted, and go on doing so for weeks; people who are written to against their will
tell the carrier to stop. Both show in the first hundred results. What counts is mailings.break_rules; here is what it
looks at, what it writes down, and that a person who resumes the campaign has seen it: from then on only newer results
count, and as much as was seen then is taken as accepted. A resumed campaign sends to nobody twice: it goes on with who
is still planned (campaigns.mailings.message_campaigns.resume).
"""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, case, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from campaigns.dispatch import message_states as states
from campaigns.dispatch.sender_tables import Sender
from campaigns.mailings import break_rules as rules
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.break_rules import PREFIX, SENDER, WORDING, Tally, Verdict
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message

SENDS = (campaigns.PLANNING, campaigns.RUNNING)  # what is planned leaves while the rest is being planned
NEWEST, BEFORE = 500, 5_000  # results that are judged, and those before them that say what is usual
PREFIXES = (6, 9)  # +52 and an area; and a block of ten thousand numbers, which belongs to one operator
REASON = "breaker"  # `state_reason` is this, a colon and the break's id
RESULTS = (states.DELIVERED, states.UNDELIVERED, states.FAILED)
# What says nothing of text and sender: our own word, a landline, a number that never was. A list is full of landlines.
NOT_COUNTED = ("never_taken", "21614", "30006", "21211")


class MessageBreak(Base):
    """One time that a campaign was paused by its results. `trouble`: 30007 | 21610 | undelivered; `hits` of `number`
    results of the part (`aspect`, `value`: see break_rules) had it; `usual`: the share before, 0–1. `resumed_at`: when
    somebody let the campaign go on."""

    __tablename__ = "message_breaks"
    __table_args__ = (Index("ix_message_breaks_campaign_id", "campaign_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=real_now)
    trouble: Mapped[str]
    aspect: Mapped[str]
    value: Mapped[str]
    number: Mapped[int]
    hits: Mapped[int]
    usual: Mapped[float]
    resumed_at: Mapped[datetime | None]


def watch(session: Session) -> int:
    """Look at every campaign that sends; returns how many were paused."""
    _note_resumed(session)
    sending = select(MessageCampaign.id).where(MessageCampaign.state.in_(SENDS)).order_by(MessageCampaign.id)
    return sum(_watch_one(session, campaign_id) for campaign_id in session.scalars(sending).all())


def of_campaign(session: Session, campaign_id: int) -> Sequence[MessageBreak]:
    """Every time that its results paused it, newest first."""
    query = select(MessageBreak).where(MessageBreak.campaign_id == campaign_id).order_by(MessageBreak.id.desc())
    return session.scalars(query).all()


def sentence(broken: MessageBreak) -> str:
    """What turned bad, where, and against what is usual."""
    counts = {"hits": broken.hits, "number": broken.number, "share": f"{broken.hits / broken.number:.0%}",
              "usual": f"{broken.usual:.1%}", "where": _where(broken)}  # fmt: skip
    if broken.trouble == "30007":
        said = _("Carriers' filters took %(hits)s of the newest %(number)s messages %(where)s (%(share)s; before: "
                 "%(usual)s). Change the text or the sender before you go on: each more makes the filter surer.",
                 **counts)  # fmt: skip
    elif broken.trouble == "21610":
        said = _("%(hits)s of the newest %(number)s people %(where)s had told the carrier to stop (%(share)s; before: "
                 "%(usual)s). They are suppressed here now. Ask where this list comes from before you go on.",
                 **counts)  # fmt: skip
    else:
        said = _("%(hits)s of the newest %(number)s messages %(where)s did not arrive (%(share)s; before: %(usual)s). "
                 "The list may be old, or a carrier refuses the sender.", **counts)  # fmt: skip
    return str(said)


def _where(broken: MessageBreak) -> str:
    names = {
        WORDING: _("with wording %(letter)s", letter=broken.value),
        SENDER: _("from sender %(sender)s", sender=broken.value),
        PREFIX: _("to phones that begin with %(prefix)s", prefix=broken.value),
    }
    return str(names.get(broken.aspect) or _("of this campaign"))


def _note_resumed(session: Session) -> None:
    """A campaign that sends, with an open break, was resumed by somebody who saw it: what came until now is past."""
    runs = select(MessageCampaign.id).where(MessageCampaign.state.in_(SENDS))
    session.execute(
        update(MessageBreak)
        .where(MessageBreak.resumed_at.is_(None), MessageBreak.campaign_id.in_(runs))
        .values(resumed_at=real_now())
        .execution_options(synchronize_session=False)
    )


def _watch_one(session: Session, campaign_id: int) -> bool:
    broken = of_campaign(session, campaign_id)
    since = max((one.resumed_at for one in broken if one.resumed_at is not None), default=None)
    accepted: dict[str, float] = {}
    for one in broken:
        accepted.setdefault(one.trouble, one.hits / one.number)
    verdict = rules.judge(_tallies(session, campaign_id, since), PREFIXES, accepted)
    if verdict is None or campaigns.lock(session, campaign_id).state not in SENDS:
        return False
    _pause(session, campaign_id, verdict)
    return True


def _pause(session: Session, campaign_id: int, verdict: Verdict) -> None:
    broken = MessageBreak(campaign_id=campaign_id, **verdict.__dict__)
    session.add(broken)
    session.flush()
    campaigns.pause(session, campaign_id, f"{REASON}:{broken.id}", None)


def _tallies(session: Session, campaign_id: int, since: datetime | None) -> list[Tally]:
    """The newest results of a campaign, counted by what they have in common."""
    newest = (
        select(Message.state, Message.error_code, Message.phone, Message.sender_id, Message.wording,
               func.row_number().over(order_by=Message.finished_at.desc()).label("place"))
        .where(Message.campaign_id == campaign_id, Message.state.in_(RESULTS), Message.wave != TEST,
               or_(Message.error_code.is_(None), Message.error_code.not_in(NOT_COUNTED)))
        .order_by(Message.finished_at.desc()).limit(NEWEST + BEFORE)
    )  # fmt: skip
    if since is not None:
        newest = newest.where(Message.finished_at > since)
    rows = newest.subquery()
    trouble = case(
        (rows.c.state == states.DELIVERED, None),
        (rows.c.error_code.in_([code for code in rules.TOLERATED if code.isdigit()]), rows.c.error_code),
        else_="undelivered",
    )
    columns = (trouble, rows.c.wording, func.coalesce(Sender.address, ""),
               func.coalesce(func.left(rows.c.phone, max(PREFIXES)), ""), rows.c.place <= NEWEST)  # fmt: skip
    named = [column.label(f"c{n}") for n, column in enumerate(columns)]
    query = select(*named, func.count()).select_from(rows).outerjoin(Sender, Sender.id == rows.c.sender_id)
    grouped = query.group_by(*(text(column.name) for column in named))
    return [Tally(row[0], row[1], row[2], row[3], row[5], row[4]) for row in session.execute(grouped)]
