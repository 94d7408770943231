"""Posts of the structure: a tree of tasks, each with its place on the map and, over time, the people who hold it."""

from datetime import date, datetime

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Index, exists, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact

KINDS: dict[str, LazyString] = {
    "coordinator": _l("Coordinator"),
    "mobilizer": _l("Mobiliser"),
    "general_representative": _l("General representative"),
    "station_representative": _l("Representative at the polling station"),
    "liaison": _l("Liaison"),
}
LEVELS: dict[str, LazyString] = {
    "state": _l("State"),
    "district": _l("District"),
    "municipality": _l("Municipality"),
    "route": _l("Route"),
    "zone": _l("Zone"),
    "section": _l("Section"),
    "neighborhood": _l("Neighbourhood"),
    "station": _l("Polling station"),
}


class Post(Base):
    """One task of the structure under its parent. Where it is: state, INE's municipality code, section, station, as far
    as its level goes; numbers, not ids, so that a new map does not move a post."""

    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str]
    level: Mapped[str]
    name: Mapped[str]
    state: Mapped[int | None]
    municipality_code: Mapped[int | None]
    section_number: Mapped[int | None]
    station: Mapped[str | None]
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class PostHolder(Base):
    """Who held a post from one day until the day before another (None: holds it now). Nobody's time is overwritten."""

    __tablename__ = "post_holders"
    __table_args__ = (
        CheckConstraint("held_to IS NULL OR held_to >= held_from", name="order"),
        Index("uq_post_holders_current", "post_id", unique=True, postgresql_where=text("held_to IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    held_from: Mapped[date]
    held_to: Mapped[date | None]


def create(session: Session, post: Post) -> Post:
    """Add a post. Raises InvalidInput for a kind or level that there is not, or a parent below itself."""
    if post.kind not in KINDS or post.level not in LEVELS:
        raise InvalidInput(_("There is no post %(kind)s at the level %(level)s.", kind=post.kind, level=post.level))
    session.add(post)
    session.flush()
    return post


def appoint(session: Session, post_id: int, contact_id: int, on: date, *, user_id: int | None = None) -> PostHolder:
    """Give a post to a person from a day on; whoever held it leaves it that day. Raises NotFound, InvalidInput."""
    if session.get(Post, post_id) is None:
        raise NotFound(_("There is no such post."))
    vacate(session, post_id, on)
    holder = PostHolder(post_id=post_id, contact_id=contact_id, held_from=on)
    session.add(holder)
    session.flush()
    _repeat_on_person(session, contact_id)
    audit.record(session, user_id, "posts.appoint", f"post/{post_id}", contact=contact_id)
    return holder


def vacate(session: Session, post_id: int, on: date) -> None:
    """Whoever holds the post leaves it. Raises InvalidInput when that is before they came."""
    holder = session.scalar(select(PostHolder).where(PostHolder.post_id == post_id, PostHolder.held_to.is_(None)))
    if holder is None:
        return
    if on < holder.held_from:
        raise InvalidInput(_("Nobody leaves a post before they came to it (%(date)s).", date=holder.held_from))
    holder.held_to = on
    session.flush()
    _repeat_on_person(session, holder.contact_id)


def _repeat_on_person(session: Session, contact_id: int) -> None:
    """`contacts.holds_post`: the calendar lets holders be rung on election day."""
    holds = exists().where(PostHolder.contact_id == contact_id, PostHolder.held_to.is_(None))
    session.execute(update(Contact).where(Contact.id == contact_id).values(holds_post=select(holds).scalar_subquery()))
