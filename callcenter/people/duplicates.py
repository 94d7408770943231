"""Duplicates: pairs of rows that may be one person, found for everybody changed since the last search.

Two kinds (the rules: people.name_likeness): people who share a phone and have nearly the same name, of whom the
certain ones may be merged by rule; and the same name in the same section with another phone, for a person to decide.
«Not the same person» is kept for ever: the pair is never shown again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact
from callcenter.people import merges
from callcenter.people.name_likeness import is_certain, likeness, words_of

CROWD = 20  # people at one phone: beyond it is a switchboard, no household, and its people are not compared
NAMESAKES = 10  # people of one name in one section: beyond it the name tells nothing
CHUNK = 1000

RULES: dict[str, LazyString] = {
    "same_words": _l("Same phone; the same names in another order or spelling"),
    "one_letter": _l("Same phone; one letter differs"),
    "missing_surname": _l("Same phone; the second surname is missing"),
    "same_place": _l("Same name in the same section, with another phone"),
    merges.BY_HAND: _l("Chosen by hand"),
}


class DuplicatePair(Base):
    """Two people who may be one. `state`: open | distinct (a person said: not the same). `decided_at` also of a pair
    whose merge was undone: it is open again, and no rule touches it any more."""

    __tablename__ = "duplicate_pairs"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="order"),
        CheckConstraint("state IN ('open', 'distinct')", name="state"),
        Index("ix_duplicate_pairs_open", "certain", "id", postgresql_where=text("state = 'open'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    first_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    rule: Mapped[str]
    certain: Mapped[bool]
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    found_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]


@dataclass(frozen=True)
class _Person:
    id: int
    name_key: str
    sex: str | None
    age: int | None
    section: int | None
    invented: bool


def waiting(session: Session, *, after: int = 0, limit: int = 50) -> list[tuple[DuplicatePair, Contact, Contact]]:
    """The open pairs that a person has to decide, by id, each with its two people."""
    open_ones = (
        select(DuplicatePair)
        .where(DuplicatePair.state == "open", ~DuplicatePair.certain, DuplicatePair.id > after)
        .order_by(DuplicatePair.id)
        .limit(limit)
    )
    pairs = list(session.scalars(open_ones))
    ids = {contact_id for pair in pairs for contact_id in (pair.first_id, pair.second_id)}
    people = {person.id: person for person in session.scalars(select(Contact).where(Contact.id.in_(ids)))}
    return [(pair, people[pair.first_id], people[pair.second_id]) for pair in pairs]


def counts(session: Session) -> dict[str, int]:
    """{"certain": may be merged by rule, "waiting": for a person to decide}"""
    rows = session.execute(
        select(DuplicatePair.certain, func.count()).where(DuplicatePair.state == "open").group_by(DuplicatePair.certain)
    )
    by_kind = {row[0]: row[1] for row in rows}
    return {"certain": by_kind.get(True, 0), "waiting": by_kind.get(False, 0)}


def of_person(session: Session, contact_id: int) -> list[DuplicatePair]:
    """The open pairs in which this person stands."""
    stands = or_(DuplicatePair.first_id == contact_id, DuplicatePair.second_id == contact_id)
    return list(session.scalars(select(DuplicatePair).where(stands, DuplicatePair.state == "open")))


def set_apart(session: Session, one_id: int, other_id: int, user_id: int | None) -> None:
    """Not the same person: remembered for ever, also of two whom no rule brought together. Raises InvalidInput."""
    first, second = sorted((one_id, other_id))
    if first == second or session.scalar(select(func.count()).where(Contact.id.in_((first, second)))) != 2:
        raise InvalidInput(_("Choose two different people."))
    said = {"state": "distinct", "certain": False, "decided_by": user_id, "decided_at": real_now()}
    pair = insert(DuplicatePair).values(first_id=first, second_id=second, rule=merges.BY_HAND, **said)
    session.execute(pair.on_conflict_do_update(index_elements=["first_id", "second_id"], set_=said))
    session.expire_all()
    audit.record(session, user_id, "duplicates.set_apart", f"contact/{first}", other=second)


def merge_next(session: Session, after: int, user_id: int | None) -> tuple[int, bool] | None:
    """Merge the next certain pair behind the pair `after`: its id, and False where a rule forbade it. None: no more.

    The older row stays, with the fuller of the two names."""
    pair = session.scalars(
        select(DuplicatePair)
        .where(DuplicatePair.state == "open", DuplicatePair.certain, DuplicatePair.id > after)
        .order_by(DuplicatePair.id)
        .limit(1)
    ).first()
    if pair is None:
        return None
    pair_id, rule = pair.id, pair.rule
    people = session.scalars(select(Contact).where(Contact.id.in_((pair.first_id, pair.second_id)))).all()
    if len(people) < 2:  # somebody deleted or merged one of them just now
        return pair_id, False
    kept, removed = sorted(people, key=lambda person: person.id)
    take = ("name",) if _fullness(removed) > _fullness(kept) else ()
    try:
        merges.merge(session, kept.id, removed.id, user_id=user_id, rule=rule, take=take)
    except Refused:
        return pair_id, False
    return pair_id, True


def search(session: Session, since: int, phones_since: int) -> Iterator[int]:
    """Keep every new pair of people of whom one changed since (a contacts.change_id), or one of whose phones is newer
    than `phones_since` (a contact_phones.id). Yields the pairs found so far."""
    found = 0
    bound = {"since": since, "phones_since": phones_since, "crowd": CROWD, "namesakes": NAMESAKES}
    for statement in _PREPARE:
        session.execute(text(statement), bound)
    for query, compare in ((_AT_ONE_PHONE, _alike), (_OF_ONE_NAME, _namesakes)):
        groups = session.execute(text(query).execution_options(yield_per=CHUNK), bound)
        for some in groups.partitions():
            pairs = [pair for group in some for pair in compare(_people(group))]
            found += _keep(session, pairs)
            yield found


def _people(group: Any) -> list[_Person]:
    return [_Person(*columns) for columns in zip(*group, strict=True)]


def _alike(people: list[_Person]) -> Iterator[dict[str, Any]]:
    for one, other in combinations(people, 2):
        rule = likeness(one.name_key, other.name_key)
        if rule is not None and one.invented == other.invented:
            certain = is_certain(rule, ages=(one.age, other.age), agree=_agree(one, other))
            yield _pair(one, other, rule, certain=certain)


def _namesakes(people: list[_Person]) -> Iterator[dict[str, Any]]:
    """A namesake of the other sex or of another age is another person: nobody need decide that."""
    for one, other in combinations(people, 2):
        ages_differ = one.age is not None and other.age is not None and abs(one.age - other.age) > 1
        if one.invented == other.invented and _agree(one, other) and not ages_differ:
            yield _pair(one, other, "same_place", certain=False)


def _agree(one: _Person, other: _Person) -> bool:
    facts = ((one.sex, other.sex), (one.section, other.section))
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in facts)


def _pair(one: _Person, other: _Person, rule: str, *, certain: bool) -> dict[str, Any]:
    first, second = sorted((one.id, other.id))
    return {"first_id": first, "second_id": second, "rule": rule, "certain": certain}


def _keep(session: Session, pairs: Sequence[dict[str, Any]]) -> int:
    """Write the pairs; one that is known and that nobody has decided gets the newer rule. Returns how many are new."""
    if not pairs:
        return 0
    unique: dict[tuple[int, int], dict[str, Any]] = {}
    for pair in pairs:  # who share two phones are found twice
        unique.setdefault((pair["first_id"], pair["second_id"]), pair)
    known = insert(DuplicatePair).values(list(unique.values()))
    is_news = or_(DuplicatePair.rule != known.excluded.rule, DuplicatePair.certain != known.excluded.certain)
    kept = known.on_conflict_do_update(
        index_elements=["first_id", "second_id"],
        set_={"rule": known.excluded.rule, "certain": known.excluded.certain},
        where=DuplicatePair.decided_at.is_(None) & is_news & (known.excluded.rule != "same_place"),
    ).returning(DuplicatePair.id)
    return len(session.scalars(kept).all())


def _fullness(person: Contact) -> tuple[int, int]:
    return len(words_of(person.name_key)), len(person.name)


# Phones of whoever changed, and those of them that several people share; names with their sections likewise.
_PREPARE = (
    "DROP TABLE IF EXISTS fresh_phones, shared_phones, fresh_names",
    """
    CREATE TEMPORARY TABLE fresh_phones AS
    SELECT phone FROM contacts WHERE change_id >= :since
    UNION SELECT p.phone FROM contact_phones p JOIN contacts c ON c.id = p.contact_id WHERE c.change_id >= :since
    UNION SELECT phone FROM contact_phones WHERE id > :phones_since""",
    "ANALYZE fresh_phones",
    """
    CREATE TEMPORARY TABLE shared_phones AS
    SELECT phone FROM fresh_phones JOIN (
        SELECT phone, id FROM contacts UNION ALL SELECT phone, contact_id FROM contact_phones
    ) reached USING (phone)
    GROUP BY phone HAVING count(DISTINCT id) BETWEEN 2 AND :crowd""",
    "ANALYZE shared_phones",
    """
    CREATE TEMPORARY TABLE fresh_names AS
    SELECT DISTINCT name_key, state, section_number FROM contacts
    WHERE change_id >= :since AND section_number IS NOT NULL AND name_key <> ''""",
    "ANALYZE fresh_names",
)
_COLUMNS = """array_agg(c.id ORDER BY c.id), array_agg(c.name_key ORDER BY c.id), array_agg(c.sex ORDER BY c.id),
    array_agg(c.age ORDER BY c.id), array_agg(c.section_number ORDER BY c.id), array_agg(c.invented ORDER BY c.id)"""
_AT_ONE_PHONE = f"""
    SELECT {_COLUMNS} FROM (
        SELECT phone, id FROM shared_phones JOIN contacts USING (phone)
        UNION SELECT phone, contact_id FROM shared_phones JOIN contact_phones USING (phone)
    ) holders JOIN contacts c ON c.id = holders.id
    WHERE c.blocked_at IS NULL GROUP BY holders.phone HAVING count(*) > 1"""  # noqa: S608  # our own words only
_OF_ONE_NAME = f"""
    SELECT {_COLUMNS} FROM fresh_names n JOIN contacts c ON c.name_key = n.name_key
        AND c.section_number = n.section_number AND c.state IS NOT DISTINCT FROM n.state
    WHERE c.blocked_at IS NULL
    GROUP BY n.name_key, n.state, n.section_number HAVING count(*) BETWEEN 2 AND :namesakes"""  # noqa: S608  # our own words only
