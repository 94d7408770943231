"""The campaign's own structure: organisations and promoters, through whom people were pledged."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import text_key


class Organization(Base):
    """An organisation or sector that promoters belong to. `name_key`: how two spellings are found to be one."""

    __tablename__ = "organizations"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class Promoter(Base):
    """Who brings people's signed pledges. `name_key` (segments' text_key): one promoter, however lists spell them."""

    __tablename__ = "promoters"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
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
    """The promoter of this name, made if they are new; `of` is kept where none was known. Raises InvalidInput."""
    key = _key(name, "promoter")
    found = session.scalar(select(Promoter).where(Promoter.name_key == key))
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


def merge_promoters(session: Session, kept_id: int, gone_id: int, user_id: int | None) -> None:
    """Two spellings are one promoter: people and forms of `gone_id` become those of `kept_id`.

    Forms keep the series in which they were numbered; people keep the spelling of their list."""
    kept, gone = get_promoter(session, kept_id), get_promoter(session, gone_id)
    if kept is gone:
        raise InvalidInput({"other": _("Choose another promoter than this one.")})
    bound = {"kept": kept_id, "gone": gone_id}
    moved = {name: len(session.execute(text(move), bound).all()) for name, move in _MOVES.items()}
    kept.organization_id = kept.organization_id or gone.organization_id
    session.delete(gone)
    session.flush()
    audit.record(session, user_id, "promoters.merge", f"promoter/{kept_id}", gone=gone_id, **moved)


def _key(name: str, field: str) -> str:
    key = text_key(name)
    if not key or len(name) > 120:
        raise InvalidInput({field: _("Write a name of up to 120 characters.")})
    return key


_MOVES = {
    "pledges": "UPDATE pledges SET promoter_id = :kept WHERE promoter_id = :gone RETURNING id",
    "people": "UPDATE contacts SET promoter_id = :kept WHERE promoter_id = :gone RETURNING id",
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
    WHERE m.name_key LIKE :name GROUP BY m.id, o.name ORDER BY m.name, m.id LIMIT :limit"""  # noqa: S608
_TALLY_ORGANIZATIONS = f"""{_NET}
    SELECT o.id, o.name, NULL AS organization, {_FIGURES}
    FROM organizations o LEFT JOIN pledges p ON p.organization_id = o.id LEFT JOIN firsts f ON f.id = p.id
    GROUP BY o.id ORDER BY o.name_key"""  # noqa: S608
