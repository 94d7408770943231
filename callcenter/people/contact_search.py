"""Finding people: by any word of a name, by any of their phones, by section; quickly among millions, too.

People are read by their numbers, a span at a time. The numbers that a running import has taken for its people are left
out: nobody of them is there yet, and PostgreSQL would look at each. Among very many people those whose names are
indexed and the newer ones are two spans."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    union,
    union_all,
)
from sqlalchemy.orm import Session

from callcenter.contacts import Contact, ids_at, name_key
from callcenter.people import name_index

LARGE = 200_000  # people; in a list of fewer every word of a name is looked through
NAMES = 1_000  # different names that a search by several words follows
FIRST = 1_000  # people whose sources are looked at
CLEANED_AFTER = timedelta(hours=1)
# Nouns that stand above this one.
_batches = table(
    "import_batches",
    *map(column, ("source", "state", "first_id", "last_id", "finished_at")),
)
_sections = table("sections", column("id"), column("number"))


@dataclass(frozen=True)
class Search:
    """What a list of people is narrowed to. `name`: beginnings of its words, in any spelling; among very many people
    (`is_large`) without a section, one of them must begin the whole name. `phone`: exact, E.164."""

    name: str = ""
    phone: str = ""
    section: int | None = None
    consent: str = ""
    source: str = ""
    import_id: int | None = None


@dataclass(frozen=True)
class _Span:
    """People with numbers above `low`, and below `high` if it is given. `reach`: their names are indexed up to it."""

    low: int
    high: int | None = None
    reach: int | None = None

    @property
    def is_cut(self) -> bool:
        """Is it what a running import leaves?"""
        return self.reach is None and (self.low > 0 or self.high is not None)

    def of(self, people: Select[Contact]) -> Select[Contact]:
        if self.low:
            people = people.where(Contact.id > self.low)
        if self.high is not None:
            people = people.where(Contact.id < self.high)
        return people


def find(session: Session, search: Search, *, after: int = 0, limit: int = 50) -> list[Contact]:
    """People that match, by id, from the one after `after` on (keyset paging: page 1,000 costs what page 1 costs)."""
    found: list[Contact] = []
    for span in _spans(session, search, after):
        people = _matching(search, span).order_by(Contact.id).limit(limit - len(found))
        with _by_number(session, span):
            found += session.scalars(people)
        if len(found) == limit:
            break
    return found


def count(session: Session, search: Search, *, at_most: int = 10_000) -> int:
    """How many match, counted no further than `at_most`, so that a wide search stays quick."""
    counted = 0
    for span in _spans(session, search):
        some = _matching(search, span).with_only_columns(Contact.id).limit(at_most - counted).subquery()
        with _by_number(session, span):
            counted += session.scalar(select(func.count()).select_from(some)) or 0
        if counted >= at_most:
            break
    return counted


def stream(session: Session, search: Search) -> Iterator[Contact]:
    """Everybody who matches and is not blocked, a thousand at a time in memory: for exports."""
    for span in _spans(session, search):
        people = _matching(search, span).where(Contact.blocked_at.is_(None)).order_by(Contact.id)
        for contact in session.scalars(people.execution_options(yield_per=1000)):
            session.expunge(contact)
            yield contact


def sources(session: Session) -> list[str]:
    """Where our people come from: the names of the lists that were imported, and of the drill's, in order."""
    lists = select(_batches.c.source).where(_batches.c.state == "done").distinct()
    found = set(session.scalars(lists))
    for span in _spans(session, Search()):  # who came without an import
        first = span.of(select(Contact)).with_only_columns(Contact.source).order_by(Contact.id).limit(FIRST).subquery()
        with _by_number(session, span):
            found |= set(session.scalars(select(first.c.source).distinct()))
    return sorted(found)


def is_large(session: Session) -> bool:
    """Are there so many people that names are found by their beginning only? (PostgreSQL's own estimate.)"""
    return (session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = 'contacts'::regclass")) or 0) > LARGE


def _spans(session: Session, search: Search, after: int = 0) -> list[_Span]:
    """All people after `after`, without those whom nobody can see yet."""
    by_index = bool(search.name.split()) and search.section is None and not search.phone and is_large(session)
    reach = name_index.reach(session) if by_index else 0
    # What an import left that did not come in is dead: looked at until PostgreSQL has cleaned up.
    is_left = _batches.c.state.in_(("failed", "cancelled")) & (_batches.c.finished_at > func.now() - CLEANED_AFTER)
    taken = select(_batches.c.first_id, _batches.c.last_id).where(
        or_(_batches.c.state == "running", is_left), _batches.c.first_id.is_not(None)
    )
    spans, low = [], after
    for first, last in session.execute(taken.order_by(_batches.c.first_id)):
        if low < first:
            spans.append(_Span(low, first))
        low = max(low, last)
    return [part for span in (*spans, _Span(low)) for part in _parts(span, reach)]


@contextmanager
def _by_number(session: Session, span: _Span) -> Iterator[None]:
    """Beside an import PostgreSQL's statistics do not know yet that most of the table is nobody's business."""
    if span.is_cut:
        session.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    if span.is_cut:
        session.execute(text("SET LOCAL enable_seqscan TO DEFAULT"))


def _parts(span: _Span, reach: int) -> Iterator[_Span]:
    if reach <= span.low:
        yield span
    elif span.high is not None and span.high <= reach + 1:
        yield _Span(span.low, span.high, reach)
    else:
        yield _Span(span.low, reach + 1, reach)
        yield _Span(reach, span.high)


def _matching(search: Search, span: _Span) -> Select[Contact]:
    people = span.of(select(Contact))
    if search.section is not None:
        people = people.where(Contact.id.in_(select(_ids_in(search.section).c.id)))
    if search.phone:
        people = people.where(Contact.id.in_(ids_at([search.phone])))
    words = name_key(search.name).split()
    if words and span.reach is not None:
        people = people.where(_is_indexed(span.reach), _named(words, span.reach))
    else:
        people = people.where(*(_begins(word) for word in words))
    for column_, value in (
        (Contact.consent, search.consent),
        (Contact.source, search.source),
        (Contact.import_id, search.import_id),
    ):
        if value not in (None, ""):
            people = people.where(column_ == value)
    return people


def _is_indexed(reach: int) -> ColumnElement[bool]:
    """As the index has it: a number in the text, or PostgreSQL would not see that the index answers."""
    return Contact.id <= literal_column(str(int(reach)), BigInteger)


def _ids_in(section: int) -> CTE:
    """Everybody of a section's number, found by its index; also who could not be placed in a section of ours."""
    numbered = select(_sections.c.id).where(_sections.c.number == section)
    placed = select(Contact.id).where(Contact.section_id.in_(numbered))
    unplaced = select(Contact.id).where(Contact.section_id.is_(None), Contact.section_number == section)
    return union_all(placed, unplaced).cte("of_section").prefix_with("MATERIALIZED")


def _named(words: list[str], reach: int) -> ColumnElement[bool]:
    """Names of which one of the words is the beginning and the others begin a later word, for millions of people.

    One word is a range of the index of names. With several, names alone are read from that index (no row of the table),
    and then the people of the names that were found."""
    if len(words) == 1:
        return Contact.name_key.like(f"{_escaped(words[0])}%", escape="\\")
    found = [
        select(Contact.name_key)
        .where(_is_indexed(reach), Contact.name_key.like(f"{_escaped(first)}%", escape="\\"))
        .where(*(_follows(first, word) for at, word in enumerate(words) if at != place))
        .limit(NAMES)
        for place, first in enumerate(words)
    ]
    return Contact.name_key.in_(select(union(*(select(one.subquery()) for one in found)).subquery().c.name_key))


def _follows(first: str, word: str) -> ColumnElement[bool]:
    """A name that begins with `first` has a word that begins so; the first word itself may be it."""
    is_first = word.startswith(first) or first.startswith(word)
    return _begins(word) if is_first else Contact.name_key.like(f"% {_escaped(word)}%", escape="\\")


def _begins(word: str) -> ColumnElement[bool]:
    """Any word of the name begins so."""
    beginning = _escaped(word)
    return or_(
        Contact.name_key.like(f"{beginning}%", escape="\\"), Contact.name_key.like(f"% {beginning}%", escape="\\")
    )


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
