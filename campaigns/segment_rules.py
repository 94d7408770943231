"""The language of segments: what a rule may say, and the SQL condition it means. Pure; docs/segments.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Integer, String, and_, any_, false, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from callcenter.base.errors import InvalidInput
from callcenter.contacts import CONSENTS, LINE_KINDS, SEXES, Contact, name_key
from callcenter.territory import SECTION_KINDS, Section

GROUPS = ("all", "any", "not")  # everything holds · something holds · nothing of it holds
MAX_CLAUSES = 200
MAX_DEPTH = 5
MAX_VALUES = 10_000
MAX_TEXT = 200
MAX_NUMBER = 100_000

OPS: dict[str, LazyString] = {
    "is": _l("is"),
    "is_not": _l("is not"),
    "in": _l("is one of"),
    "not_in": _l("is none of"),
    "at_least": _l("is at least"),
    "at_most": _l("is at most"),
    "between": _l("is between (both included)"),
    "is_known": _l("is known"),
    "is_unknown": _l("is not known"),
}
_EQUALS = ("in", "not_in", "is", "is_not")
_KNOWN = ("is_known", "is_unknown")
_RANGES = ("at_least", "at_most", "between")


@dataclass(frozen=True)
class Field:
    """One thing a rule can ask. `kind`: number | text (compared without accents, case, spaces and leading zeros) |
    exact | choice. `column`: the SQL it is; `choices`: the codes of a choice."""

    label: LazyString
    kind: str
    column: Callable[[], Any]
    ops: tuple[str, ...]
    choices: tuple[str, ...] = ()


def _section_kind() -> Any:
    return select(Section.kind).where(Section.id == Contact.section_id).scalar_subquery()


FIELDS: dict[str, Field] = {
    "section": Field(_l("Section"), "number", lambda: Contact.section_number, (*_EQUALS, *_RANGES, *_KNOWN)),
    "section_kind": Field(_l("Kind of section"), "choice", _section_kind, (*_EQUALS, *_KNOWN), tuple(SECTION_KINDS)),
    "municipality": Field(_l("Municipality"), "text", lambda: Contact.municipality, (*_EQUALS, *_KNOWN)),
    "age": Field(_l("Age"), "number", lambda: Contact.age, (*_RANGES, *_EQUALS, *_KNOWN)),
    "sex": Field(_l("Sex"), "choice", lambda: Contact.sex, (*_EQUALS, *_KNOWN), tuple(SEXES)),
    "consent": Field(_l("Consent"), "choice", lambda: Contact.consent, _EQUALS, tuple(CONSENTS)),
    "source": Field(_l("Source"), "exact", lambda: Contact.source, _EQUALS),
    "promoter": Field(_l("Promoter"), "text", lambda: Contact.promoter, (*_EQUALS, *_KNOWN)),
    "line_kind": Field(_l("Kind of line"), "choice", lambda: Contact.line_kind, _EQUALS, tuple(LINE_KINDS)),
}


def validate(rule: Any) -> None:
    """Raises InvalidInput with a sentence that names the clause which cannot be."""
    clauses = _check_group(rule, depth=1)
    if clauses > MAX_CLAUSES:
        raise InvalidInput(
            _("The rule has %(count)s conditions; the limit is %(limit)s.", count=clauses, limit=MAX_CLAUSES)
        )


def condition(rule: dict[str, Any]) -> ColumnElement[bool]:
    """The SQL of a rule that was validated. An unknown value makes a comparison NULL, which no WHERE lets through; a
    negation is IS NOT TRUE, so that `not` means not."""
    ((group, members),) = rule.items()
    parts = [_clause(member) if "field" in member else condition(member) for member in members]
    if group == "all":
        return and_(true(), *parts)
    any_of = or_(false(), *parts)
    return any_of.is_not(true()) if group == "not" else any_of


def text_key(text: str) -> str:
    """How texts of people's lists are compared: `Promotor  01` and `PROMOTOR 1` are one promoter."""
    return " ".join(word.lstrip("0") or "0" if word.isdigit() else word for word in name_key(text).split())


def _check_group(rule: Any, *, depth: int) -> int:
    if not isinstance(rule, dict) or len(rule) != 1 or next(iter(rule)) not in GROUPS:
        raise InvalidInput(
            _('A group is {"all": […]}, {"any": […]} or {"not": […]}; this is none: %(it)s', it=_brief(rule))
        )
    if depth > MAX_DEPTH:
        raise InvalidInput(_("Groups stand in groups more than %(limit)s deep.", limit=MAX_DEPTH))
    (members,) = rule.values()
    if not isinstance(members, list) or len(members) > MAX_CLAUSES:
        raise InvalidInput(_("A group holds a list of at most %(limit)s conditions.", limit=MAX_CLAUSES))
    clauses = 0
    for member in members:
        if isinstance(member, dict) and "field" in member:
            _check_clause(member)
            clauses += 1
        else:
            clauses += _check_group(member, depth=depth + 1)
    return clauses


def _check_clause(clause: dict[str, Any]) -> None:
    name, op = clause.get("field"), clause.get("op")
    field = FIELDS.get(name) if isinstance(name, str) else None
    if field is None:
        raise InvalidInput(
            _("There is no field %(field)s; the fields are %(fields)s.", field=_brief(name), fields=", ".join(FIELDS))
        )
    if op not in field.ops:
        raise InvalidInput(
            _(
                "%(field)s: there is no comparison %(op)s; there are %(ops)s.",
                field=name,
                op=_brief(op),
                ops=", ".join(field.ops),
            )
        )
    if set(clause) - {"field", "op", "value"}:
        raise InvalidInput(_("%(field)s: a condition has field, op and value, and nothing else.", field=name))
    if op not in _KNOWN:
        _check_value(str(name), field, op, clause.get("value"))


def _check_value(name: str, field: Field, op: str, value: Any) -> None:
    values = value if op in ("in", "not_in", "between") else [value]
    if not isinstance(values, list) or not values or len(values) > MAX_VALUES:
        raise InvalidInput(_("%(field)s: the value must be a list of 1 to %(limit)s.", field=name, limit=MAX_VALUES))
    if op == "between" and len(values) != 2:
        raise InvalidInput(_("%(field)s: «between» takes two numbers, the least and the most.", field=name))
    for one in values:
        if not _is_of_kind(field, one):
            wanted = _kind_words(field)
            raise InvalidInput(
                _("%(field)s: %(value)s is not %(wanted)s.", field=name, value=_brief(one), wanted=wanted)
            )


def _is_of_kind(field: Field, value: Any) -> bool:
    if field.kind == "number":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or "\x00" in value:
        return False
    return not field.choices or value in field.choices


def _kind_words(field: Field) -> str:
    if field.choices:
        return str(_("one of %(choices)s", choices=", ".join(field.choices)))
    if field.kind == "number":
        return str(_("a whole number from 0 to %(limit)s", limit=MAX_NUMBER))
    return str(_("a text of 1 to %(limit)s characters", limit=MAX_TEXT))


def _clause(clause: dict[str, Any]) -> ColumnElement[bool]:
    field, op = FIELDS[clause["field"]], clause["op"]
    column, value = field.column(), clause.get("value")
    if op in _KNOWN:
        # The columns differ in type, so mypy sees Any; each of these is a boolean expression.
        return column.is_not(None) if op == "is_known" else column.is_(None)  # type: ignore[no-any-return]
    if field.kind == "text":
        column = _sql_text_key(column)
        value = [text_key(one) for one in value] if isinstance(value, list) else text_key(str(value))
    if op in ("is_not", "not_in"):
        return _holds(column, "in" if op == "not_in" else "is", value).is_not(true())
    return _holds(column, op, value)


def _holds(column: Any, op: str, value: Any) -> ColumnElement[bool]:
    """The comparison; one list is one bound array, however long."""
    compared: dict[str, Callable[[], ColumnElement[bool]]] = {
        "is": lambda: column == value,
        "in": lambda: column == any_(literal(value, ARRAY(Integer if isinstance(value[0], int) else String))),
        "at_least": lambda: column >= value,
        "at_most": lambda: column <= value,
        "between": lambda: column.between(*value),
    }
    return compared[op]()


_FROM, _TO = "áàäâãéèëêíìïîóòöôõúùüûñç", "aaaaaeeeeiiiiooooouuuunc"


def _sql_text_key(column: Any) -> ColumnElement[str]:
    """text_key in SQL, for the letters that Spanish and its keyboards have."""
    plain = func.translate(func.lower(column), _FROM, _TO)
    single = func.btrim(func.regexp_replace(plain, r"\s+", " ", "g"))
    return func.regexp_replace(single, r"(^| )0+(?=\d+( |$))", r"\1", "g")


def _brief(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "…"
