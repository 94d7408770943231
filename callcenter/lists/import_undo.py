# ruff: noqa: S608  # what is put into the statements are our own tables and columns
"""Taking a whole import back: what it made goes, what it changed is as before, as far as nothing has happened since.

Who was called, written to, interviewed, pledged or merged since stays, as do people that somebody changed later, and
every phone that asked not to be contacted otherwise than by this list. It works in slices, each its own transaction,
and can go on after a crash (then the phones of the list stay off, too).
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import suppressions
from callcenter.base.db import Base
from callcenter.lists.import_policies import CHANGED
from callcenter.people import merges

SLICE = 20_000  # people
# Rows that an import makes itself or that say nothing was done: they do not keep a person.
_NO_TOUCH = frozenset(("contact_phones", "consents", "import_changes", "contact_aliases", "duplicate_pairs", "pledges"))


class ImportChange(Base):
    """What an import changed of a known person. `before`: their values as they were; `phones`: those it added."""

    __tablename__ = "import_changes"
    import_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    before: Mapped[dict[str, Any] | None]
    phones: Mapped[list[Any] | None]


def compose() -> None:
    """Let people be merged although an import had changed them: then its undo leaves them as they are."""
    merges.register_mover("import_changes", _forget, _remember)


def _forget(session: Session, kept_id: int, removed_id: int) -> list[dict[str, Any]]:
    gone = text("DELETE FROM import_changes WHERE contact_id IN (:kept, :removed) RETURNING *")
    return [dict(row) for row in session.execute(gone, {"kept": kept_id, "removed": removed_id}).mappings()]


def _remember(session: Session, _kept_id: int, _removed_id: int, memory: list[dict[str, Any]]) -> None:
    session.add_all(ImportChange(**row) for row in memory)
    session.flush()


def preview(session: Session, import_id: int, change_ids: list[int]) -> dict[str, Any]:
    """What an undo would do now: `people` removed, `restored`, `kept`, `kept_reasons` {touched | changed_later: n}."""
    bound = {"import_id": import_id, "changes": change_ids}
    created = session.execute(text(_FATES.format(fate=_fate())), bound)
    fates: Counter[str] = Counter(dict(created.all()))
    restored, later = session.execute(text(_RESTORABLE), bound).one()
    return _said(fates["removed"], restored, fates["touched"], fates["changed_later"] + later)


def _said(people: int, restored: int, touched: int, later: int) -> dict[str, Any]:
    reasons = {"touched": touched, "changed_later": later}
    return {
        "people": people, "restored": restored, "kept": touched + later,
        "kept_reasons": {reason: kept for reason, kept in reasons.items() if kept},
    }  # fmt: skip


def run(session: Session, import_id: int, change_ids: list[int]) -> Iterator[dict[str, Any]]:
    """Take the import back; yields the figures so far after each slice, for the edge to commit: those of `preview`, and
    `consents` and `phones` that went with people who stay."""
    bound: dict[str, Any] = {"import_id": import_id, "changes": change_ids}
    figures = Counter[str]()
    told = session.scalars(text(_PHONES_IT_REFUSED), bound).all()
    restored = session.execute(text(_RESTORE), bound).rowcount  # type: ignore[attr-defined]
    figures["phones"] = session.execute(text(_REMOVE_PHONES), bound).rowcount  # type: ignore[attr-defined]
    figures["consents"] = session.execute(text(_REMOVE_EVIDENCE), bound).rowcount  # type: ignore[attr-defined]
    session.execute(text(_REMOVE_PLEDGES), bound)
    later = session.execute(text(_LEFT_CHANGED), bound).scalar() or 0
    session.execute(text(_FORGET_RESTORED), bound)
    yield _said(0, restored, 0, later) | figures
    for first in _slices(session, import_id):
        ids = {"first": first, "last": first + SLICE - 1}
        removed = session.execute(text(_REMOVE.format(fate=_fate())), bound | ids)
        figures["people"] += removed.rowcount  # type: ignore[attr-defined]
        yield _said(figures["people"], restored, 0, later) | {k: figures[k] for k in ("phones", "consents")}
    fates: Counter[str] = Counter(dict(session.execute(text(_FATES.format(fate=_fate())), bound).all()))
    # At the end: who stays, refusing, keeps their phone off, and to unmark people is to change them later.
    stay = set(session.scalars(text(_PHONES_REFUSED_STILL), {"told": told}))
    suppressions.unmark(session, suppressions.take_off_source(session, set(told) - stay, f"import/{import_id}"))
    yield _said(figures["people"], restored, fates["touched"], fates["changed_later"] + later) | {
        k: figures[k] for k in ("phones", "consents")
    }


def _slices(session: Session, import_id: int) -> Iterator[int]:
    of_import = text("SELECT min(id), max(id) FROM contacts WHERE import_id = :import_id")
    first, last = session.execute(of_import, {"import_id": import_id}).one()
    return iter(range(first, last + 1, SLICE) if first is not None else ())


def _fate() -> str:
    """SQL: what becomes of a created person `c`."""
    touches = [
        f"EXISTS (SELECT FROM {table.name} t WHERE t.{key.parent.name} = c.id)"
        for table in Base.metadata.sorted_tables
        if table.name not in _NO_TOUCH
        for key in table.foreign_keys
        if key.target_fullname == "contacts.id"
    ]
    touches += [
        "EXISTS (SELECT FROM consents t WHERE t.contact_id = c.id"
        " AND NOT starts_with(t.proof, 'import/' || CAST(:import_id AS text) || ' row '))",
        "EXISTS (SELECT FROM pledges t WHERE t.contact_id = c.id"
        " AND (t.import_id IS DISTINCT FROM :import_id OR t.state <> 'pending'))",
        "EXISTS (SELECT FROM contact_aliases t WHERE t.contact_id = c.id)",
    ]
    return (
        f"CASE WHEN {' OR '.join(touches)} THEN 'touched'"
        " WHEN NOT c.change_id = ANY(CAST(:changes AS bigint[])) THEN 'changed_later' ELSE 'removed' END"
    )


# Phones of people whom this list alone says not to call: nobody at them has refused in another way.
_PHONES_IT_REFUSED = """
    WITH refused AS (
        SELECT contact_id, bool_and(starts_with(proof, 'import/' || CAST(:import_id AS text) || ' row ')) AS by_it
        FROM consents WHERE kind = 'opted_out' GROUP BY contact_id
    ), phones AS (
        SELECT c.phone, r.by_it FROM refused r JOIN contacts c ON c.id = r.contact_id
        UNION ALL SELECT p.phone, r.by_it FROM refused r JOIN contact_phones p USING (contact_id)
    )
    SELECT phone FROM phones GROUP BY phone HAVING bool_and(by_it)"""
_PHONES_REFUSED_STILL = """
    SELECT phone FROM contacts WHERE phone = ANY(CAST(:told AS text[])) AND consent = 'opted_out'
    UNION SELECT p.phone FROM contact_phones p JOIN contacts c ON c.id = p.contact_id
        WHERE p.phone = ANY(CAST(:told AS text[])) AND c.consent = 'opted_out'"""
_FATES = "SELECT {fate}, count(*) FROM contacts c WHERE c.import_id = :import_id GROUP BY 1"
_REMOVE = """
    DELETE FROM contacts c WHERE c.import_id = :import_id AND c.id BETWEEN :first AND :last AND {fate} = 'removed'"""
_OWN = "i.import_id = :import_id AND c.id = i.contact_id AND c.change_id = ANY(CAST(:changes AS bigint[]))"
_RESTORABLE = """
    SELECT count(*) FILTER (WHERE i.before IS NOT NULL AND c.change_id = ANY(CAST(:changes AS bigint[]))),
        count(*) FILTER (WHERE i.before IS NOT NULL AND NOT c.change_id = ANY(CAST(:changes AS bigint[])))
    FROM import_changes i JOIN contacts c ON c.id = i.contact_id WHERE i.import_id = :import_id"""
_RESTORE = f"""
    WITH put_back AS (
        UPDATE contacts c SET {", ".join(f"{name} = b.{name}" for name in CHANGED)}, updated_at = now()
        FROM import_changes i CROSS JOIN LATERAL jsonb_populate_record(NULL::contacts, i.before) b
        WHERE {_OWN} AND i.before IS NOT NULL
        RETURNING c.id
    )
    UPDATE import_changes i SET before = NULL FROM put_back p
    WHERE i.import_id = :import_id AND i.contact_id = p.id"""
_REMOVE_PHONES = """
    DELETE FROM contact_phones p USING import_changes i
    WHERE i.import_id = :import_id AND i.before IS NULL AND p.contact_id = i.contact_id AND i.phones ? p.phone"""
_STAYS = """
    EXISTS (SELECT FROM contacts c WHERE c.id = {row}.contact_id AND c.import_id = :import_id)
    OR EXISTS (SELECT FROM import_changes i WHERE i.import_id = :import_id AND i.contact_id = {row}.contact_id
        AND i.before IS NOT NULL)"""
_REMOVE_EVIDENCE = f"""
    DELETE FROM consents e WHERE starts_with(e.proof, 'import/' || CAST(:import_id AS text) || ' row ')
        AND NOT ({_STAYS.format(row="e")})"""
_REMOVE_PLEDGES = f"""
    DELETE FROM pledges e WHERE e.import_id = :import_id AND e.state = 'pending' AND NOT ({_STAYS.format(row="e")})"""
_LEFT_CHANGED = "SELECT count(*) FROM import_changes WHERE import_id = :import_id AND before IS NOT NULL"
_FORGET_RESTORED = "DELETE FROM import_changes WHERE import_id = :import_id AND before IS NULL"
