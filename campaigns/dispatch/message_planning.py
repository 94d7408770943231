"""Planning: the people of a campaign's segment become rows of the ledger, each with its wording, wave and parts.

A short first block can be sent at once; then the segment is frozen as it is at that moment, into a table of this
connection, and written block by block, so that a million and a half people hold nobody up. Running it again, after a
pause or a crash, adds whoever is missing and nobody twice."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    case,
    column,
    func,
    insert,
    literal,
    null,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from campaigns import channels
from campaigns.correspondence.survey_invitations import stand_in
from campaigns.dispatch import message_states as states
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings import message_waves
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message, people
from campaigns.texts import wording_columns, wordings
from campaigns.texts.wording_columns import Measured

FIRST_PEOPLE = 5_000  # of the contacts, by phone: who of them is in the segment is written to while the rest is planned
BLOCK = 50_000  # rows of one transaction

_TABLE = text("""
    CREATE TEMPORARY TABLE message_plan (place int, contact_id bigint, phone varchar, address varchar, refusal varchar,
        parts int, wave int, is_held boolean, wording varchar)
""")
# An id begins with the second and the place, so that rows which are written together lie together in every index.
_WRITE = text("""
    INSERT INTO messages (id, campaign_id, contact_id, phone, address, state, refusal, finished_at, parts, wave,
        is_held, wording, turn)
    SELECT CAST(lpad(to_hex(CAST(:second AS bigint)), 8, '0') || lpad(to_hex(place), 6, '0')
            || substr(CAST(gen_random_uuid() AS text), 17) AS uuid),
        :campaign_id, contact_id, phone, address, CASE WHEN refusal IS NULL THEN :planned ELSE :excluded END, refusal,
        CASE WHEN refusal IS NOT NULL THEN CAST(:now AS timestamptz) END, parts, wave, is_held AND refusal IS NULL,
        wording, 0
    FROM message_plan WHERE place > :after AND place <= :upto ORDER BY place
    ON CONFLICT DO NOTHING
""")


def write_for_segment(session: Session, campaign_id: int) -> int:
    """Plan everybody in this one transaction; returns how many rows were new."""
    campaign = campaigns.lock(session, campaign_id)
    total = freeze(session, campaign)
    written = write(session, campaign_id, 0, total)
    clean_up(session)
    finish(campaign)
    return written


def freeze_first(session: Session, campaign: MessageCampaign) -> int:
    """Freeze those of the segment who are among the first contacts by phone, households whole; how many they are."""
    if channels.facts(campaign.channel).reached_by != channels.BY_PHONE:
        return 0
    last = session.scalar(select(Contact.phone).order_by(Contact.phone).offset(FIRST_PEOPLE).limit(1))
    return _freeze(session, campaign, Contact.phone < last) if last is not None else 0


def freeze(session: Session, campaign: MessageCampaign, *, share: int = 0, of: int = 1) -> int:
    """Freeze everybody of the segment who has no row yet, or one of several shares of them (households whole), which
    different connections may do at once; how many they are."""
    mine = None if of == 1 else func.mod(func.hashtext(Contact.phone).op("&")(0x7FFF_FFFF), of) == share
    return _freeze(session, campaign, mine)


def write(session: Session, campaign_id: int, after: int, upto: int) -> int:
    """Write the frozen people of these places, from 1; returns how many rows were new."""
    now = real_now()
    bound = {
        "campaign_id": campaign_id, "after": after, "upto": upto, "now": now, "second": int(now.timestamp()),
        "planned": states.PLANNED, "excluded": states.EXCLUDED,
    }  # fmt: skip
    done = session.connection().execute(_WRITE, bound, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def clean_up(session: Session) -> None:
    """What was frozen on this connection is needed no more."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.message_plan"))


def finish(campaign: MessageCampaign) -> None:
    """Everybody is written."""
    campaign.planned_at, campaign.segment_version = real_now(), campaign.segment.version


def _freeze(session: Session, campaign: MessageCampaign, which: ColumnElement[bool] | None) -> int:
    session.execute(text("DROP TABLE IF EXISTS pg_temp.message_plan"))
    session.execute(_TABLE)
    chosen = _chosen(session, campaign, which)
    plan = table("message_plan", *[column(one.name) for one in chosen.selected_columns])
    filled = insert(plan).from_select(list(plan.c), chosen)
    done = session.connection().execute(filled, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def _chosen(session: Session, campaign: MessageCampaign, which: ColumnElement[bool] | None) -> Select[Any]:
    whom = people(session, campaign, which)
    waves = message_waves.planned(session, campaign, Contact.id.expression)
    measured = _measured(session, campaign, waves["wording"])
    written = select(func.coalesce(Message.address, Message.phone)).where(
        Message.campaign_id == campaign.id, Message.turn == 0, Message.state != states.EXCLUDED
    )
    reached = func.coalesce(whom.c.address, whom.c.phone)
    refusal = case(
        (whom.c.refusal.is_not(None), whom.c.refusal),
        (reached.in_(written), "household"),
        else_=measured.refusal,
    )
    return (
        select(
            func.row_number().over(order_by=whom.c.phone).cast(Integer).label("place"), whom.c.contact_id,
            whom.c.phone, whom.c.address, refusal.cast(String).label("refusal"), measured.parts.label("parts"),
            waves["wave"].label("wave"), waves["is_held"].label("is_held"), waves["wording"].label("wording"),
        )
        .join(Contact, Contact.id == whom.c.contact_id)
        .where(~whom.c.is_written)
    )  # fmt: skip


def _measured(session: Session, campaign: MessageCampaign, letter: Any) -> Measured:
    """Parts and what is missing, of the wording that each person gets."""
    texts = wordings.texts(session, campaign.id)
    each = {key: wording_columns.measured(stand_in(said), is_plain=campaign.is_plain) for key, said in texts.items()}
    if len(each) == 1:
        (found,) = each.values()
    else:
        parts = case(*[(letter == key, one.parts) for key, one in each.items()], else_=null())
        refusal = case(*[(letter == key, one.refusal) for key, one in each.items()], else_=null())
        found = Measured(parts.cast(Integer), refusal.cast(String))
    is_cut = channels.facts(campaign.channel).is_cut_into_parts
    return found if is_cut else Measured(literal(1).cast(Integer), found.refusal)
