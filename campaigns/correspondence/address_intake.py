"""E-mail addresses that came with lists: a column is imported as an attribute of people, and taken over from there."""

from flask_babel import gettext as _
from sqlalchemy import case, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import enqueue_later
from callcenter.contacts import Contact
from callcenter.people import attributes
from campaigns.channels.channel_addresses import ACTIVE, UNSUBSCRIBED, ChannelAddress
from campaigns.channels.email import ADDRESS, LONGEST

CHANNEL = "email"


def begin(session: Session, key: str, user_id: int | None) -> None:
    """Take the addresses in this attribute in a job. Raises InvalidInput."""
    if key not in {one.key for one in attributes.all_attributes(session)}:
        raise InvalidInput({"attribute": _("Choose the attribute that holds the addresses.")})
    enqueue_later(session, "campaigns.correspondence.address_intake.take_all", key, user_id, queue="bulk")


def take_all(key: str, user_id: int | None) -> None:
    """The job: harmless twice."""
    with open_session() as session:
        take(session, key, user_id)
        session.commit()


def take(session: Session, key: str, user_id: int | None) -> dict[str, int]:
    """Note every address of the attribute as that person's: {"taken", "no_address" (cells that are none)}; audited
    with both. Of two people with one address the first is reached; who unsubscribed before stays so."""
    written = func.lower(func.btrim(Contact.attributes[key].astext))
    cells = select(Contact.id, written.label("address")).where(Contact.attributes.has_key(key)).subquery()
    is_one = cells.c.address.op("~")(f"^(?:{ADDRESS})$") & (func.length(cells.c.address) <= LONGEST)
    is_shut = suppressions.is_suppressed(literal(CHANNEL + ":").concat(cells.c.address))
    rows = (
        select(literal(CHANNEL), cells.c.address, cells.c.id, literal("import"), literal(real_now()),
               case((is_shut, UNSUBSCRIBED), else_=ACTIVE))
        .where(is_one).ext(distinct_on(cells.c.address)).order_by(cells.c.address, cells.c.id)
    )  # fmt: skip
    columns = ["channel", "address", "contact_id", "source", "created_at", "state"]
    new = insert(ChannelAddress).from_select(columns, rows, include_defaults=False).on_conflict_do_nothing()
    done = session.connection().execute(new, execution_options={"preserve_rowcount": True})
    odd = session.scalar(select(func.count()).select_from(cells).where(~is_one, cells.c.address != "")) or 0
    counts = {"taken": int(done.rowcount), "no_address": odd}
    audit.record(session, user_id, "channel_addresses.take", f"attribute/{key}", **counts)
    return counts
