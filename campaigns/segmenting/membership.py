"""Does a rule mean one person, and which of its conditions do they meet? As of now: nothing keeps what was once so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact
from campaigns.segmenting import segment_choices, segment_counts, segment_sql, segment_words
from campaigns.segmenting.frozen_segments import FrozenMember
from campaigns.segmenting.segment_forms import group_in


@dataclass(frozen=True)
class Condition:
    """One condition of a rule in words, and whether the person meets it."""

    words: str
    is_met: bool


@dataclass(frozen=True)
class Membership:
    """`is_meant`: the rule means them (None: it names what is gone, so nobody can say). `how`: which of the conditions
    must hold, in words. `conditions`: the outermost ones, in the rule's order."""

    is_meant: bool | None
    sentence: str
    how: str = ""
    conditions: tuple[Condition, ...] = ()


def look(session: Session, rule: Mapping[str, Any], contact_id: int) -> Membership:
    """What a segment's rule says of the person now."""
    catalogue = segment_choices.catalogue(session)
    said = segment_words.sentence(rule, catalogue)
    try:
        node = segment_counts.read(session, rule)
    except InvalidInput:
        return Membership(None, said)
    op, members = group_in(rule)
    asked = [segment_sql.condition(node), *(segment_sql.condition(one) for one in node.members)]
    row = session.execute(select(*asked).where(Contact.id == contact_id)).first()
    met = [bool(one) for one in row] if row is not None else [False] * len(asked)
    conditions = tuple(
        Condition(
            segment_words.clause(member, catalogue)
            if not any(kind in member for kind in segment_words.GROUP_WORDS)
            else segment_words.sentence(member, catalogue),
            holds,
        )
        for member, holds in zip(members, met[1:], strict=True)
    )
    return Membership(met[0], said, str(segment_words.GROUP_WORDS[op]), conditions)


def is_on_frozen_list(session: Session, frozen_id: int, contact_id: int) -> bool:
    found = select(FrozenMember.contact_id).where(
        FrozenMember.frozen_id == frozen_id, FrozenMember.contact_id == contact_id
    )
    return session.scalar(found) is not None
