"""Test sends: the campaign's own text to a few phones of the house, before anybody else gets it.

They are rows of the ledger, of wave TEST and of no person: no cap counts them, no report shows them as people, and who
is on the suppression list gets none. They leave by the campaign's sender, whatever state the campaign is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import phones, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import enqueue_later
from campaigns import channels, messages, wording
from campaigns.dispatch import message_states as states
from campaigns.dispatch import message_texts, senders
from campaigns.dispatch.message_claims import Outgoing
from campaigns.dispatch.message_texts import Asked
from campaigns.dispatch.senders import ACTIVE
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message
from campaigns.texts import wordings
from surveys.fieldwork import link_codes

MOST_AT_ONCE, MOST_AN_HOUR = 5, 40
LEASE = timedelta(minutes=2)
LOST = timedelta(seconds=30)  # after which a test that nobody took has lost its job
JOB = "campaigns.mailings.wave_jobs.send_tests"


@dataclass(frozen=True)
class Tried:
    """The newest tests of a campaign: (row, the end of what it was sent to). `is_moving`: news may still come."""

    rows: list[tuple[Message, str]]

    @property
    def is_moving(self) -> bool:
        return any(
            row.state in (states.PLANNED, states.SENDING, states.ACCEPTED, states.SENT) for row, _end in self.rows
        )

    @property
    def has_arrived(self) -> bool:
        return any(row.state == states.DELIVERED for row, _end in self.rows)


def begin(session: Session, campaign_id: int, typed: str, user_id: int | None) -> int:
    """Send every wording to the phones (or addresses) that are typed, after the commit; returns how many messages.

    Raises InvalidInput for what is none of them, Refused for who is suppressed, without a sender, and after many."""
    campaign = campaigns.lock(session, campaign_id)
    receivers = _receivers(session, campaign, typed)
    if fault := senders.fault(session, campaign):
        raise Refused("no_sender", fault)
    letters = [one.letter for one in wordings.of(session, campaign_id)]
    lately = select(func.count()).where(Message.campaign_id == campaign_id, Message.wave == TEST,
                                        Message.news_at > real_now() - timedelta(hours=1))  # fmt: skip
    if (session.scalar(lately) or 0) + len(receivers) * len(letters) > MOST_AN_HOUR:
        raise Refused("too_many_tests", _("At most %(n)s test messages an hour. Wait a little.", n=MOST_AN_HOUR))
    rows = [_row(session, campaign, receiver, letter) for receiver in receivers for letter in letters]
    _write_texts(session, campaign, rows)
    audit.record(session, user_id, "message_campaign.test", f"message-campaign/{campaign_id}", messages=len(rows))
    enqueue_later(session, JOB, campaign_id, queue="urgent")
    return len(rows)


def newest(session: Session, campaign_id: int, limit: int = 10) -> Tried:
    """The last tests, the newest first."""
    rows = session.scalars(
        select(Message).where(Message.campaign_id == campaign_id, Message.wave == TEST)
        .order_by(Message.turn, Message.news_at.desc()).limit(limit).execution_options(populate_existing=True)
    )  # fmt: skip
    return Tried([(row, (row.address or row.phone or "")[-4:]) for row in rows])


def claim(session: Session, campaign_id: int) -> list[Outgoing]:
    """Take the tests that wait; the caller commits before it tells the provider."""
    campaign = campaigns.find(session, campaign_id)
    waiting = select(Message).where(Message.campaign_id == campaign_id, Message.wave == TEST,
                                    Message.state == states.PLANNED)  # fmt: skip
    rows = session.scalars(waiting.with_for_update(skip_locked=True)).all()
    sender = next((one for one in senders.of_campaign(session, campaign) if one.state == ACTIVE), None)
    if not rows or sender is None:
        return []
    now = real_now()
    for row in rows:
        row.state, row.sender_id, row.sent_at, row.news_at, row.lease_until = (
            states.SENDING, sender.id, now, now, now + LEASE,
        )  # fmt: skip
    session.flush()
    return [
        Outgoing(row.id, row.phone or "", sender.address, row.body or "", row.parts or 1, now, address=row.address)
        for row in rows
    ]


def close_unsent(session: Session, ids: Sequence[UUID], code: str | None) -> None:
    """What the provider did not take is not tried again by itself: a person sees it and presses again."""
    messages.close(session, Message.id.in_(ids) & (Message.state == states.PLANNED), states.STOPPED,
                   error_code=code or "never_taken")  # fmt: skip


def sweep(session: Session) -> int:
    """The clock's: tests whose job was lost; returns how many campaigns have some."""
    lost = select(Message.campaign_id).where(
        Message.wave == TEST, Message.state == states.PLANNED, Message.news_at < real_now() - LOST
    )
    found = session.scalars(lost.distinct()).all()
    for campaign_id in found:
        enqueue_later(session, JOB, campaign_id, queue="urgent")
    return len(found)


def _receivers(session: Session, campaign: MessageCampaign, typed: str) -> list[tuple[str | None, str | None]]:
    """(phone, address) of each line or word that is typed."""
    pieces = [piece.strip() for piece in typed[:1000].replace(";", ",").replace("\n", ",").split(",")]
    wanted = list(dict.fromkeys(piece for piece in pieces if piece))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise InvalidInput({"phones": _("Write one to %(n)s telephones of ten digits, with commas between them.",
                                        n=MOST_AT_ONCE)})  # fmt: skip
    if channels.facts(campaign.channel).reached_by == channels.BY_ADDRESS:
        return [(None, piece) for piece in wanted]
    return [(_phone(session, piece), None) for piece in wanted]


def _phone(session: Session, piece: str) -> str:
    found = phones.normalise(piece).numbers
    if len(found) != 1:
        raise InvalidInput({"phones": _("%(text)s is no telephone of ten digits.", text=piece)})
    if suppressions.find(session, found[0].e164) is not None:
        sentence = _("%(text)s is on the suppression list: nothing is sent there, not even a test.", text=piece)
        raise Refused("suppressed", sentence)
    return found[0].e164


def _row(session: Session, campaign: MessageCampaign, receiver: tuple[str | None, str | None], letter: str) -> Message:
    """A planned row; each test of a campaign has a turn of its own, below those of the list."""
    lowest = session.scalar(select(func.min(Message.turn)).where(Message.campaign_id == campaign.id)) or 0
    phone, address = receiver
    row = Message(id=uuid4(), campaign_id=campaign.id, phone=phone, address=address, wording=letter, wave=TEST,
                  turn=min(lowest, 0) - 1, news_at=real_now())  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _write_texts(session: Session, campaign: MessageCampaign, rows: list[Message]) -> None:
    """As the first person of the list who has every value would get it. Raises InvalidInput where nobody has."""
    for person in messages.sample(session, campaign, 20):
        values = {**messages.values_of(person)}
        if campaign.survey_id is not None:
            values[wording.SURVEY_LINK] = link_codes.stand_in()  # it leads nowhere: a test answers nothing
        texts = message_texts.write(session, campaign, [Asked(row.id, row.wording, values) for row in rows])
        if not texts.refused:
            for row in rows:
                row.body, row.parts = texts.written[row.id].body, texts.written[row.id].parts
            session.flush()
            return
    raise InvalidInput(
        {"phones": _("Nobody of the list has every value that the text needs: there is nothing to try.")}
    )
