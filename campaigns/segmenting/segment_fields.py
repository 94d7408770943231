"""What a rule can ask of people themselves: the fields, where their values stand, how they may be compared. Pure.

A field's value is an expression over a person (`of` is ""), or over rows that belong to one: the person's section,
their pledges. Over rows a condition holds when one of them meets it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    Date,
    Double,
    Select,
    String,
    case,
    cast,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
)

from callcenter.contacts import CONSENTS, LINE_KINDS, SEXES, Contact
from callcenter.gate.consents import Consent
from callcenter.people.attributes import Attribute
from callcenter.territory import SECTION_KINDS, Section
from surveys.sampling.sample_tables import Sample, SampleCase

MAX_ID = 2**31 - 1
KNOWN = ("is_known", "is_unknown")
EQUALS = ("in", "not_in", "is", "is_not")
RANGES = ("at_least", "at_most", "between")
NUMBERS = (*EQUALS, *RANGES)
DATES = (*RANGES, "within_days", *EQUALS)
YES_NO = ("is", "is_not")
LISTS = ("in", "not_in")

PLEDGE_STATES: dict[str, LazyString] = {
    "pending": _l("Not verified yet"),
    "confirmed": _l("Confirmed by a call"),
    "denied": _l("Denied by the person"),
    "unreachable": _l("Nobody could be reached"),
}
_pledges = table("pledges", *(column(name) for name in ("id", "contact_id", "state", "promoter_id", "organization_id")))

OPS: dict[str, LazyString] = {
    "is": _l("is"),
    "is_not": _l("is not"),
    "in": _l("is one of"),
    "not_in": _l("is none of"),
    "at_least": _l("is at least"),
    "at_most": _l("is at most"),
    "between": _l("is between (both included)"),
    "within_days": _l("is within the last days"),
    "is_known": _l("is known"),
    "is_unknown": _l("is not known"),
}


@dataclass(frozen=True)
class Field:
    """One thing a rule can ask. `kind`: number | text (compared without accents, case, spaces and leading zeros) |
    exact | choice | date | yes_no. `value`: the SQL expression; `of`: "" or the rows it belongs to (ROWS).

    `copied_as`: its column in the copy of people (snapshot.people_columns); "" where SQL answers. `choices`: code →
    label. `group`: where the builder lists it."""

    label: LazyString | str
    kind: str
    value: Callable[[], Any]
    ops: tuple[str, ...]
    group: str = "person"
    choices: Mapping[Any, LazyString | str] = field(default_factory=dict)
    of: str = ""
    copied_as: str = ""
    most: int = 100_000  # the largest number that a rule may name
    channel: str = ""  # of consent: for this channel


@dataclass(frozen=True)
class Rows:
    """Rows that belong to people: `key` is theirs, `owner` the person's side of it; `copied_as` names that side."""

    key: Callable[[], Any]
    owner: Callable[[], Any]
    copied_as: str


ROWS: dict[str, Rows] = {
    "section": Rows(lambda: Section.id, lambda: Contact.section_id, "section_id"),
    "pledge": Rows(lambda: _pledges.c.contact_id, lambda: Contact.id, "id"),
    "sample": Rows(lambda: SampleCase.contact_id, lambda: Contact.id, "id"),
}


def _local_day() -> ColumnElement[Any]:
    return cast(func.timezone("America/Mexico_City", Contact.created_at), Date)


def _of_person(column: str) -> Callable[[], Any]:
    return lambda: getattr(Contact, column)


def _own(label: LazyString, kind: str, column: str, ops: tuple[str, ...], group: str = "person") -> Field:
    return Field(label, kind, _of_person(column), ops, group, copied_as=column)


def _numbered(label: LazyString, column: str, group: str) -> Field:
    """A number of ours, of a row elsewhere."""
    return Field(label, "number", _of_person(column), (*EQUALS, *KNOWN), group, copied_as=column, most=MAX_ID)


def _chosen(
    label: LazyString, column: str, ops: tuple[str, ...], choices: Mapping[str, LazyString], group: str = "person"
) -> Field:
    return Field(label, "choice", _of_person(column), ops, group, choices, copied_as=column)


def _in_section(label: LazyString, kind: str, column: str, choices: Mapping[str, LazyString] | None = None) -> Field:
    ops = (*EQUALS, *KNOWN) if choices else (*NUMBERS, *KNOWN)
    return Field(label, kind, lambda: getattr(Section, column), ops, "territory", choices or {}, of="section")


def _pledged(label: LazyString, kind: str, column: str, choices: Mapping[str, LazyString] | None = None) -> Field:
    ops = (*EQUALS, *KNOWN)
    return Field(label, kind, lambda: _pledges.c[column], ops, "structure", choices or {}, of="pledge", most=MAX_ID)


def _released_sample() -> Any:
    """The number of the sample to whose released replicates a drawn case belongs; unknown of the others."""
    released = select(Sample.released).where(Sample.id == SampleCase.sample_id).scalar_subquery()
    return case((SampleCase.replicate <= released, SampleCase.sample_id))


def _consent_for(label: LazyString, channel: str) -> Field:
    def value() -> Any:
        return case((has_evidence(channel), _newest(channel)), else_=Contact.consent)

    return Field(label, "choice", value, EQUALS, "consent", CONSENTS, copied_as="consent", channel=channel)


def has_evidence(channel: str) -> ColumnElement[bool]:
    """SQL: has the person said anything for this channel alone? Hardly anybody has."""
    of_channel = select(1).where(Consent.contact_id == Contact.id, Consent.channel == literal_column(f"'{channel}'"))
    return exists(of_channel.correlate(Contact))


def _newest(channel: str) -> Any:
    said = select(Consent.kind).where(Consent.contact_id == Contact.id, Consent.channel.in_(["all", channel]))
    return said.order_by(Consent.at.desc(), Consent.id.desc()).limit(1).correlate(Contact).scalar_subquery()


def with_evidence(channel: str, meets: ColumnElement[bool] | None = None) -> Select[Any]:
    """SELECT of the ids of people who said something for this channel alone (and meet a condition)."""
    of_channel = select(Consent.contact_id).where(Consent.channel == literal_column(f"'{channel}'"))
    people = select(Contact.id).where(Contact.id.in_(of_channel))
    return people if meets is None else people.where(meets)


FIELDS: dict[str, Field] = {
    "section": _own(_l("Section"), "number", "section_number", (*NUMBERS, *KNOWN), "territory"),
    "section_kind": _in_section(_l("Kind of section"), "choice", "kind", SECTION_KINDS),
    "municipality": _own(_l("Municipality"), "text", "municipality", (*EQUALS, *KNOWN), "territory"),
    "neighborhood": _own(_l("Neighbourhood"), "text", "neighborhood", (*EQUALS, *KNOWN), "territory"),
    "state": _own(_l("State"), "number", "state", (*NUMBERS, *KNOWN), "territory"),
    "federal_district": _in_section(_l("Federal district"), "number", "federal_district"),
    "local_district": _in_section(_l("Local district"), "number", "local_district"),
    "age": _own(_l("Age"), "number", "age", (*RANGES, *EQUALS, *KNOWN)),
    "sex": _chosen(_l("Sex"), "sex", (*EQUALS, *KNOWN), SEXES),
    "language": _own(_l("Language"), "exact", "language", EQUALS),
    "consent": _chosen(_l("Consent"), "consent", EQUALS, CONSENTS, "consent"),
    "consent_call": _consent_for(_l("Consent to calls"), "call"),
    "consent_sms": _consent_for(_l("Consent to SMS"), "sms"),
    "consent_whatsapp": _consent_for(_l("Consent to WhatsApp"), "whatsapp"),
    "source": _own(_l("Source"), "exact", "source", EQUALS, "source"),
    "batch": _numbered(_l("Import"), "import_id", "source"),
    "sample": Field(_l("Sample of a survey, as far as it is released"), "number", _released_sample, (*EQUALS, *KNOWN),
                    "source", of="sample", most=MAX_ID),
    "created": Field(_l("Known since"), "date", _local_day, DATES, "source", copied_as="created"),
    "promoter": _own(_l("Promoter"), "text", "promoter", (*EQUALS, *KNOWN), "structure"),
    "promoter_id": _numbered(_l("Promoter's number"), "promoter_id", "structure"),
    "organization": _numbered(_l("Organisation"), "organization_id", "structure"),
    "is_member": _own(_l("Is a member"), "yes_no", "is_member", YES_NO, "structure"),
    "holds_post": _own(_l("Holds a post"), "yes_no", "holds_post", YES_NO, "structure"),
    "has_pledge": Field(_l("Signed a pledge"), "yes_no", lambda: _pledges.c.id.is_not(None), YES_NO, "structure",
                        of="pledge"),
    "pledge_state": _pledged(_l("State of the pledge"), "choice", "state", PLEDGE_STATES),
    "pledge_promoter": _pledged(_l("Promoter of the pledge"), "number", "promoter_id"),
    "pledge_organization": _pledged(_l("Organisation of the pledge"), "number", "organization_id"),
    "line_kind": _chosen(_l("Kind of line"), "line_kind", EQUALS, LINE_KINDS),
}  # fmt: skip

_ATTRIBUTE_OPS: dict[str, tuple[str, ...]] = {
    "text": (*EQUALS, *KNOWN),
    "choice": (*EQUALS, *KNOWN),
    "number": (*NUMBERS, *KNOWN),
    "date": (*DATES, *KNOWN),
    "yes_no": (*YES_NO, *KNOWN),
}


def of_attribute(attribute: Attribute) -> Field:
    """The field `attr:<key>`."""
    choices = {str(choice): str(choice) for choice in attribute.choices}
    value = _values_of(attribute.key, attribute.kind)
    ops = _ATTRIBUTE_OPS[attribute.kind]
    return Field(attribute.label, attribute.kind, value, ops, "attribute", choices, copied_as=f"attr:{attribute.key}")


def _values_of(key: str, kind: str) -> Callable[[], Any]:
    """A value of another type than its attribute's (none is ever written) is as good as unknown."""
    json_type = {"number": "number", "yes_no": "boolean"}.get(kind, "string")

    def value() -> ColumnElement[Any]:
        plain = Contact.attributes.op("->>", return_type=String())(key)
        fits = func.jsonb_typeof(Contact.attributes.op("->")(key)) == json_type
        typed: Any = {"number": cast(plain, Double), "yes_no": plain == "true"}.get(kind, plain)
        return case((fits, typed.collate("C") if kind == "date" else typed))

    return value


_FROM, _TO = "áàäâãéèëêíìïîóòöôõúùüûñç", "aaaaaeeeeiiiiooooouuuunc"


def sql_text_key(column: Any) -> ColumnElement[str]:
    """text_key in SQL, for the letters that Spanish and its keyboards have."""
    plain = func.translate(func.lower(column), _FROM, _TO)
    single = func.btrim(func.regexp_replace(plain, r"\s+", " ", "g"))
    return func.regexp_replace(single, r"(^| )0+(?=\d+( |$))", r"\1", "g")


def owners(of: str, meets: ColumnElement[bool]) -> Select[Any]:
    """SELECT of the keys of people's rows that meet a condition."""
    return select(ROWS[of].key()).where(meets)


def has_row(of: str, meets: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL: has the person a row that meets the condition?"""
    rows = ROWS[of]
    return exists(select(1).where(rows.key() == rows.owner(), meets).correlate(Contact))
