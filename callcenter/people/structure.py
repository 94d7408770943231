"""The campaign's own structure: organisations and promoters, through whom people were pledged."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import text_key


class Organization(Base):
    """An organisation or sector that promoters belong to. `name_key`: how two spellings are found to be one."""

    __tablename__ = "organizations"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class Promoter(Base):
    """Who brings people's signed pledges. `name_key` (segments' text_key): one promoter, however lists spell them.

    `merged_into`: this is another spelling of that promoter; its row stays, so that lists go on finding who is meant.
    `moved`: what went over with it, for the way back: {"pledges", "people", "spellings": ids}."""

    __tablename__ = "promoters"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("promoters.id", ondelete="SET NULL"))
    moved: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


@dataclass(frozen=True)
class Tally:
    """A promoter with their pledges. gross: forms; net: people whose first form is theirs; verified: of the net ones,
    those that a call confirmed; `denied` likewise."""

    id: int
    name: str
    organization: str | None
    gross: int
    net: int
    verified: int
    denied: int


def organization(session: Session, name: str) -> Organization:
    """The organisation of this name, made if it is new. Raises InvalidInput."""
    key = _key(name, "organization")
    found = session.scalar(select(Organization).where(Organization.name_key == key))
    if found is None:
        found = Organization(name=" ".join(name.split()), name_key=key)
        session.add(found)
        session.flush()
    return found


def promoter(session: Session, name: str, of: Organization | None = None) -> Promoter:
    """The promoter of this name in any spelling we were told of, made if they are new; `of` is kept where none was
    known. Raises InvalidInput."""
    key = _key(name, "promoter")
    found = session.scalar(select(Promoter).where(Promoter.name_key == key))
    if found is not None and found.merged_into is not None:
        found = get_promoter(session, found.merged_into)
    if found is None:
        found = Promoter(name=" ".join(name.split()), name_key=key)
        session.add(found)
    if of is not None and found.organization_id is None:
        found.organization_id = of.id
    session.flush()
    return found


def get_promoter(session: Session, promoter_id: int) -> Promoter:
    """The promoter; raises NotFound."""
    found = session.get(Promoter, promoter_id)
    if found is None:
        raise NotFound(_("There is no such promoter."))
    return found


def promoters(session: Session, *, name: str = "", limit: int = 500) -> list[Tally]:
    """Promoters by name with their pledges: of each person, only the first signed form is net."""
    rows = session.execute(text(_TALLY), {"name": f"%{text_key(name)}%", "limit": limit})
    return [Tally(**row) for row in rows.mappings()]


def alike(promoter: Promoter, others: list[Tally]) -> list[Tally]:
    """The other promoters, those whose names share most words with this one's first."""
    words = set(promoter.name_key.split())
    return sorted(
        (one for one in others if one.id != promoter.id),
        key=lambda one: (-len(words & set(text_key(one.name).split())), text_key(one.name)),
    )


def organizations(session: Session) -> list[Tally]:
    """Organisations by name with the pledges of their series."""
    return [Tally(**row) for row in session.execute(text(_TALLY_ORGANIZATIONS)).mappings()]


def set_organization(session: Session, promoter_id: int, name: str, user_id: int | None) -> None:
    """Say to which organisation a promoter belongs ('': to none). Forms that are there keep their series."""
    found = get_promoter(session, promoter_id)
    found.organization_id = organization(session, name).id if name.strip() else None
    audit.record(session, user_id, "promoters.set_organization", f"promoter/{promoter_id}")


def spellings(session: Session, promoter_id: int) -> list[Promoter]:
    """The other spellings that were made one with this promoter."""
    return list(session.scalars(select(Promoter).where(Promoter.merged_into == promoter_id).order_by(Promoter.name)))


def merge_promoters(session: Session, kept_id: int, gone_id: int, user_id: int | None) -> None:
    """Two spellings are one promoter: people and forms of `gone_id` become those of `kept_id`.

    Forms keep the series in which they were numbered; people keep the spelling of their list. Raises InvalidInput."""
    kept, gone = _locked(session, kept_id, gone_id)
    if kept is gone or gone.merged_into is not None or kept.merged_into is not None:
        raise InvalidInput({"other": _("Choose another promoter than this one.")})
    moved = {name: _moved(session, move, gone_id, kept_id) for name, move in _MOVES.items()}
    gone.merged_into, gone.moved = kept_id, moved
    kept.organization_id = kept.organization_id or gone.organization_id
    session.flush()
    counts = {name: len(ids) for name, ids in moved.items()}
    audit.record(session, user_id, "promoters.merge", f"promoter/{kept_id}", gone=gone_id, **counts)


def part_promoters(session: Session, gone_id: int, user_id: int | None) -> int:
    """Undo a merge: what went over goes back, what came since stays. Returns the promoter it was one with."""
    (gone,) = _locked(session, gone_id)
    kept_id, moved = gone.merged_into, gone.moved or {}
    if kept_id is None:
        raise Refused("not_merged", _("This spelling is a promoter of its own."))
    for name, move in _MOVES.items():
        _moved(session, f"{move} AND id = ANY(:ids)", kept_id, gone_id, moved.get(name, []))
    gone.merged_into, gone.moved = None, None
    session.flush()
    audit.record(session, user_id, "promoters.part", f"promoter/{kept_id}", gone=gone_id)
    return kept_id


def _locked(session: Session, *ids: int) -> list[Promoter]:
    """Promoters as they stand, locked: merging the same two once more must not forget what was moved the first time."""
    for promoter_id in sorted(set(ids)):
        session.get(Promoter, promoter_id, with_for_update=True, populate_existing=True)
    return [get_promoter(session, promoter_id) for promoter_id in ids]


def _moved(session: Session, move: str, gone_id: int, kept_id: int, ids: list[int] | None = None) -> list[int]:
    """Give rows of `gone_id` to `kept_id`: all, or those of `ids`; returns which."""
    bound = {"gone": gone_id, "kept": kept_id} | ({"ids": ids} if ids is not None else {})
    return list(session.scalars(text(f"{move} RETURNING id"), bound))


def _key(name: str, field: str) -> str:
    key = text_key(name)
    if not key or len(name) > 120:
        raise InvalidInput({field: _("Write a name of up to 120 characters.")})
    return key


_MOVES = {
    "pledges": "UPDATE pledges SET promoter_id = :kept WHERE promoter_id = :gone",
    "people": "UPDATE contacts SET promoter_id = :kept WHERE promoter_id = :gone",
    "spellings": "UPDATE promoters SET merged_into = :kept WHERE merged_into = :gone",
}

_NET = """
    WITH firsts AS (
        SELECT DISTINCT ON (contact_id) id FROM pledges ORDER BY contact_id, signed_on NULLS LAST, captured_at, id
    )"""
_FIGURES = """
    count(p.id) AS gross, count(f.id) AS net,
    count(f.id) FILTER (WHERE p.state = 'confirmed') AS verified,
    count(f.id) FILTER (WHERE p.state = 'denied') AS denied
"""
_TALLY = f"""{_NET}
    SELECT m.id, m.name, o.name AS organization, {_FIGURES}
    FROM promoters m LEFT JOIN organizations o ON o.id = m.organization_id
    LEFT JOIN pledges p ON p.promoter_id = m.id LEFT JOIN firsts f ON f.id = p.id
    WHERE m.merged_into IS NULL AND m.name_key LIKE :name GROUP BY m.id, o.name ORDER BY m.name, m.id LIMIT :limit"""  # noqa: S608
_TALLY_ORGANIZATIONS = f"""{_NET}
    SELECT o.id, o.name, NULL AS organization, {_FIGURES}
    FROM organizations o LEFT JOIN pledges p ON p.organization_id = o.id LEFT JOIN firsts f ON f.id = p.id
    GROUP BY o.id ORDER BY o.name_key"""  # noqa: S608
