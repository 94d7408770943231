"""The SQL that a rule means: one condition over a person, every value bound. Pure.

An unknown value makes a comparison NULL, which no WHERE lets through; a negation is IS NOT TRUE, so that not means not.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Double,
    String,
    and_,
    any_,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from callcenter.contacts import Contact
from campaigns.segmenting.segment_deeds import DEEDS, owner
from campaigns.segmenting.segment_fields import Field, has_row, sql_text_key
from campaigns.segmenting.segment_nodes import Act, Group, Members, Node, Own

_members = table("frozen_members", column("frozen_id"), column("contact_id"))


def condition(node: Node, *, for_all: bool = False) -> ColumnElement[bool]:
    """The condition over Contact. `for_all`: it will be asked of everybody, so that it pays to look once at each
    spelling of a text instead of at each person's."""
    if isinstance(node, Own):
        meets = _among_spellings(node) if for_all and node.field.kind == "text" and node.values else of_field(node)
        held = has_row(node.field.of, meets) if node.field.of else meets
    elif isinstance(node, Act):
        held = _happened(node)
    elif isinstance(node, Members):
        of_list = _members.c.frozen_id == node.frozen_id
        held = exists(select(1).where(of_list, _members.c.contact_id == Contact.id).correlate(Contact))
    else:
        return _group(node, for_all=for_all)
    return held.is_not(true()) if getattr(node, "negated", False) else held


def of_field(node: Own) -> ColumnElement[bool]:
    """The comparison itself, negated or not, over the person or over one of the rows that belong to them."""
    value: Any = node.field.value()
    if node.form == "known":
        return value.is_not(None)  # type: ignore[no-any-return]  # columns of any type
    if node.form == "range":
        least = value >= node.least if node.least is not None else true()
        return and_(least, value <= node.most if node.most is not None else true())
    if node.field.kind == "text":
        value = sql_text_key(value)
    if len(node.values) == 1:
        return value == node.values[0]  # type: ignore[no-any-return]  # as above
    # One list is one bound array, however long.
    return value == any_(literal(list(node.values), ARRAY(_type(node.field))))  # type: ignore[no-any-return]  # as above


def _type(field: Field) -> Any:
    if field.group == "attribute":
        return Double if field.kind == "number" else String
    return {"number": BigInteger, "date": Date}.get(field.kind, String)


def _among_spellings(node: Own) -> ColumnElement[bool]:
    """As of_field, with the text key worked out once a spelling: a few hundred instead of millions."""
    value: Any = node.field.value()
    spelled = select(value.label("spelling")).select_from(Contact).distinct().subquery()
    meant = literal(list(node.values), ARRAY(String))
    wanted = select(spelled.c.spelling).where(sql_text_key(spelled.c.spelling) == any_(meant))
    return value == any_(func.array(wanted.scalar_subquery()))  # type: ignore[no-any-return]  # as above


def _group(node: Group, *, for_all: bool) -> ColumnElement[bool]:
    parts = [condition(member, for_all=for_all) for member in node.members]
    if node.op == "all":
        return and_(true(), *parts)
    any_of = or_(false(), *parts)
    return any_of.is_not(true()) if node.op == "not" else any_of


def _happened(act: Act) -> ColumnElement[bool]:
    query = DEEDS[act.deed].query(act)
    of_person = query.where(owner(query) == Contact.id).correlate(Contact)
    if act.times == 1:
        return exists(of_person)
    return of_person.with_only_columns(func.count()).scalar_subquery() >= act.times
