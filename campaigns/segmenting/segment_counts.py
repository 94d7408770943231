"""Who a rule means, counted, sampled, by section and compared. The copy of people in memory answers where it can
(campaigns.snapshot.people_masks), one SELECT where it cannot; both say the same."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    any_,
    case,
    cast,
    false,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base.clock import campaign_now
from callcenter.contacts import Contact
from callcenter.territory import Section
from campaigns.segmenting import segment_rules
from campaigns.segmenting.segment_facts import SessionFacts
from campaigns.segmenting.segment_nodes import Group, Node
from campaigns.segmenting.segment_sql import condition
from campaigns.snapshot import people_columns

if TYPE_CHECKING:
    from campaigns.snapshot.people_masks import Looked

SAMPLED = 5_000  # people whom an estimate looks at
# Spreads ids over all lists, the same way in SQL and in memory: https://en.wikipedia.org/wiki/Hash_function#Fibonacci
SPREAD, SPREAD_OVER = 2_654_435_761, 2**32


@dataclass(frozen=True)
class Count:
    """How many people of a rule may be contacted, and how many may not, by reason. `as_of` is campaign time.

    `count` + all of `excluded` = `matching`: everybody is in exactly one of them. `is_estimate`: of some only."""

    count: int
    excluded: dict[str, int]
    as_of: datetime
    milliseconds: float
    is_estimate: bool = False

    @property
    def matching(self) -> int:
        return self.count + sum(self.excluded.values())


@dataclass(frozen=True)
class Comparison:
    """Two rules: who is in the first only, in both, in the second only."""

    only_a: Count
    both: Count
    only_b: Count


@dataclass(frozen=True)
class SectionPeople:
    """How many people of a rule live in a section, in full (who shows it hides few). All None: no section is known."""

    section_id: int | None
    state: int | None
    number: int | None
    people: int


def read(session: Session, rule: Any) -> Group:
    """The rule checked against what there is, as nodes. Raises RuleFault."""
    return segment_rules.read(rule, SessionFacts(session))


def compile_rule(session: Session, rule: Any) -> Select[int]:
    """SELECT of contacts.id for everybody the rule means now, every value bound. Raises RuleFault.

    Who may not be contacted is among them, because the gate says so at the moment and records why; only those whose
    data are blocked are left out everywhere."""
    return selected(read(session, rule))


def selected(node: Node) -> Select[int]:
    """SELECT of contacts.id for everybody whom the nodes mean and whose data are not blocked."""
    return select(Contact.id).where(condition(node, for_all=True), Contact.blocked_at.is_(None))


def count(session: Session, rule: Any, *, purpose: str | None = None) -> Count:
    """Count the people of a rule, those who may not be contacted apart, by the first reason that holds. Exact.

    With `purpose`, those whose consent it needs and lacks are apart as well."""
    started = time.perf_counter()
    node = read(session, rule)
    looked = look(session, node)
    if looked is not None:
        return _count(session, looked.counts(looked.masks[0], purpose), started)
    reason = reasons(purpose)
    meant = condition(node, for_all=True)
    rows = session.execute(select(reason, func.count()).where(meant).group_by(reason)).all()
    return _count(session, {str(name): int(people) for name, people in rows}, started)


def look(session: Session, *nodes: Node) -> "Looked | None":
    """What the copy of people says of some rules; None where SQL must answer."""
    if people_columns.current() is None:
        return None
    from campaigns.snapshot import people_masks  # numpy, for those who count

    session.flush()
    return people_masks.look(session.connection(), list(nodes))


def estimate(session: Session, rule: Any, *, purpose: str | None = None) -> Count:
    """About as many as `count` would say, of some thousand people: until the exact count is there."""
    started = time.perf_counter()
    node = read(session, rule)
    first, last = session.execute(select(func.min(Contact.id), func.max(Contact.id))).one()
    numbers = last - first + 1 if first is not None else 0
    reason = reasons(purpose)
    meant = select(reason, func.count()).where(condition(node)).group_by(reason)
    if numbers > 2 * SAMPLED:  # ids that nobody has are as good: they meet no rule
        ids = {first + place * SPREAD % numbers for place in range(SAMPLED)}
        meant = meant.where(Contact.id == any_(literal(sorted(ids), ARRAY(BigInteger))))
    scale = numbers / SAMPLED if numbers > 2 * SAMPLED else 1.0
    rows = session.execute(meant).all()
    return _count(session, {name: round(found * scale) for name, found in rows}, started, is_estimate=True)


def compare(session: Session, rule_a: Any, rule_b: Any, *, purpose: str | None = None) -> Comparison:
    """Who two rules mean, apart and together, each with the reasons for which people may not be contacted."""
    started = time.perf_counter()
    node_a, node_b = read(session, rule_a), read(session, rule_b)
    looked = look(session, node_a, node_b)
    if looked is not None:
        in_a, in_b = looked.masks
        counted = [looked.counts(mask, purpose) for mask in (in_a & ~in_b, in_a & in_b, in_b & ~in_a)]
    else:
        counted = _compared_by_sql(session, node_a, node_b, purpose)
    only_a, both, only_b = (_count(session, part, started) for part in counted)
    return Comparison(only_a, both, only_b)


def _compared_by_sql(session: Session, node_a: Node, node_b: Node, purpose: str | None) -> list[dict[str, int]]:
    in_a, in_b = (condition(node, for_all=True).is_(true()) for node in (node_a, node_b))
    reason = reasons(purpose)
    rows = session.execute(select(in_a, in_b, reason, func.count()).where(in_a | in_b).group_by(in_a, in_b, reason))
    parts: dict[tuple[bool, bool], dict[str, int]] = {(True, False): {}, (True, True): {}, (False, True): {}}
    for is_in_a, is_in_b, name, people in rows:
        parts[bool(is_in_a), bool(is_in_b)][name] = people
    return list(parts.values())


def sample(session: Session, rule: Any, limit: int = 10) -> list[Contact]:
    """Some people of the rule, spread over all lists, the same ones each time."""
    node = read(session, rule)
    looked = look(session, node)
    if looked is not None:
        chosen = looked.spread(looked.masks[0], limit)
        found = {one.id: one for one in session.scalars(select(Contact).where(Contact.id.in_(chosen)))}
        return [found[contact_id] for contact_id in chosen if contact_id in found]
    spread = cast(Contact.id, BigInteger) * literal(SPREAD, BigInteger) % literal(SPREAD_OVER, BigInteger)
    people = select(Contact).where(condition(node, for_all=True), Contact.blocked_at.is_(None))
    return list(session.scalars(people.order_by(spread, Contact.id).limit(limit)))


def by_section(session: Session, rule: Any) -> list[SectionPeople]:
    """How many people of the rule live in each section, by state and number; those without one last."""
    node = read(session, rule)
    looked = look(session, node)
    if looked is not None:
        return _named(session, looked.sections(looked.masks[0]))
    people = select(Contact.section_id, func.count()).where(condition(node, for_all=True), Contact.blocked_at.is_(None))
    rows = session.execute(people.group_by(Contact.section_id))
    return _named(session, {row[0]: int(row[1]) for row in rows})


def _named(session: Session, people: Mapping[int | None, int]) -> list[SectionPeople]:
    known = [section_id for section_id in people if section_id is not None]
    is_known = Section.id == any_(literal(known, ARRAY(Integer)))
    rows = session.execute(select(Section.id, Section.state, Section.number).where(is_known))
    found = [SectionPeople(row.id, row.state, row.number, people[row.id]) for row in rows]
    found.sort(key=lambda one: (one.state or 0, one.number or 0, one.section_id or 0))
    return found + ([SectionPeople(None, None, None, people[None])] if people.get(None) else [])


def reasons(purpose: str | None) -> ColumnElement[str]:
    """SQL: the first reason for which a person may not be contacted, '' for none."""
    return case(
        (Contact.blocked_at.is_not(None), "blocked"),
        (Contact.suppressed, "suppressed"),
        (Contact.consent == "opted_out", "opted_out"),
        (Contact.consent != "opted_in" if purpose in consent.NEEDS_OPT_IN else false(), "not_opted_in"),
        else_="",
    )


def _count(session: Session, counts: Mapping[str, int], started: float, *, is_estimate: bool = False) -> Count:
    found = Counter(counts)
    free = found.pop("", 0)
    return Count(
        count=free,
        excluded={reason: people for reason, people in sorted(found.items()) if people},
        as_of=campaign_now(session),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
        is_estimate=is_estimate,
    )
