"""How the columns of a source's lists were taken, so that the next list with the same names is taken so, too."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.lists.import_columns import column_key


class SavedMapping(Base):
    """One source's lists with one set of column names. `columns`: [name, field], '' for one not imported.

    `source_key`, `names_key`: two spellings of a source are one, and so are the same names in another order."""

    __tablename__ = "saved_mappings"
    __table_args__ = (UniqueConstraint("source_key", "names_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    source_key: Mapped[str]
    names_key: Mapped[str]
    columns: Mapped[list[Any]]
    policies: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    sex_letters: Mapped[str | None]
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))

    @property
    def fields(self) -> dict[str, str]:
        """Name → field."""
        return dict(self.columns)


def find(session: Session, source: str, names: Sequence[str]) -> SavedMapping | None:
    """How a list of this source with these names was taken last."""
    return session.scalars(
        select(SavedMapping).where(
            SavedMapping.source_key == column_key(source), SavedMapping.names_key == names_key(names)
        )
    ).one_or_none()


def save(
    session: Session,
    source: str,
    columns: Sequence[tuple[str, str]],
    *,
    policies: Mapping[str, str],
    sex_letters: str | None,
    user_id: int | None,
) -> SavedMapping:
    """Keep how the columns are taken: the one mapping of this source and these names."""
    names = [name for name, _field in columns]
    found = find(session, source, names)
    if found is None:
        found = SavedMapping(source_key=column_key(source), names_key=names_key(names))
        session.add(found)
    found.source, found.policies = source.strip(), dict(policies)
    found.columns = [[name, field] for name, field in columns]
    found.sex_letters, found.saved_by, found.saved_at = sex_letters, user_id, real_now()
    session.flush()
    return found


def all_mappings(session: Session) -> list[SavedMapping]:
    """Every saved mapping, by source, the newest of a source first."""
    return list(session.scalars(select(SavedMapping).order_by(SavedMapping.source_key, SavedMapping.saved_at.desc())))


def get(session: Session, mapping_id: int) -> SavedMapping:
    """Raises NotFound."""
    found = session.get(SavedMapping, mapping_id)
    if found is None:
        raise NotFound(_("There is no saved mapping %(number)s.", number=mapping_id))
    return found


def forget(session: Session, mapping_id: int, user_id: int | None) -> None:
    """The next list of this source is taken by its names again."""
    session.delete(get(session, mapping_id))
    audit.record(session, user_id, "imports.forget_mapping", f"saved_mapping/{mapping_id}")


def names_key(names: Sequence[str]) -> str:
    """The set of names, whatever their order and spelling, in one short word."""
    keys = sorted(column_key(name) for name in names if name)
    return hashlib.sha256(json.dumps(keys).encode()).hexdigest()
