# ruff: noqa: S608  # what is put into the statement are columns and fields of ours
"""What a newer list may change of a known person: overwrite, fill blanks or keep, for each field; as SQL.

What a list leaves blank changes nothing, the spelling of the name stays, and a refusal is never undone by a list.
"""

from collections.abc import Iterable, Mapping

from callcenter.lists.import_columns import ATTRIBUTE
from callcenter.lists.import_statements import REFERENCES

# Column of contacts → the fields whose policy it follows, and its new value in a staged row (blank: NULL).
_COLUMNS: dict[str, tuple[tuple[str, ...], str]] = {
    "sex": (("sex",), "s.sex"),
    "age": (("age", "birth_date"), "s.age"),
    "extension": ((), "s.extension"),
    "line_kind": ((), "NULLIF(s.line_kind, 'unknown')"),
    "neighborhood": (("neighborhood",), "s.neighborhood"),
    "municipality": (("municipality",), "s.municipality"),
    "state": (("state",), "COALESCE(s.state, t.state)"),
    "section_number": (("section",), "s.section_number"),
    "promoter": (("promoter",), "s.promoter"),
    "promoter_id": (("promoter",), "p.id"),
    "organization_id": (("organization",), "o.id"),
    "is_member": (("is_member",), "s.is_member"),
    "holds_post": (("holds_post",), "s.holds_post"),
}
_FOLLOWING = {  # columns that say something of another: they change with it
    "line_kind_source": (
        "CASE WHEN s.line_kind = 'unknown' THEN k.line_kind_source ELSE s.line_kind_source END",
        "line_kind",
    ),
}
_FLAGS = ("is_member", "holds_post")
CHANGED = (*_COLUMNS, "line_kind_source", "section_id", "attributes", "consent")

# Who refuses while a long list is merged has refused.
_SET = {name: f"n.{name}" for name in CHANGED} | {
    "consent": "CASE WHEN c.consent = 'opted_out' THEN c.consent ELSE n.consent END"
}
UPDATE_PEOPLE = f"""
    UPDATE contacts c SET {", ".join(f"{name} = {value}" for name, value in _SET.items())}, updated_at = :now
    FROM import_new n WHERE c.id = n.id"""


def find_changes(policies: Mapping[str, str], fields: Iterable[str]) -> str:
    """`import_new`: id and new values of the known people whose data change, and `before`, their values as JSON."""
    policies = {field: policies.get(field, policies.get("", "overwrite")) for field in fields}
    new = {name: _value(name, policies) for name in _COLUMNS}
    new["line_kind_source"] = _FOLLOWING["line_kind_source"][0]
    new["section_id"] = _section(policies)
    new["attributes"] = _attributes(policies)
    new["consent"] = (
        "CASE WHEN 'opted_out' IN (k.consent, COALESCE(x.held, s.answer)) THEN 'opted_out'"
        " ELSE COALESCE(x.held, s.answer, k.consent) END"
    )
    before = ", ".join(f"'{name}', k.{name}" for name in CHANGED)
    return f"""
        CREATE TEMPORARY TABLE import_new ON COMMIT DROP AS
        SELECT k.id, n.*, jsonb_build_object({before}) AS before
        FROM import_special x JOIN import_stage s USING (row_number) JOIN contacts k ON k.id = x.contact_id {REFERENCES}
            CROSS JOIN LATERAL (SELECT {", ".join(f"{value} AS {name}" for name, value in new.items())}) n
        WHERE x.is_known AND x.first_row = s.row_number
            AND ({", ".join(f"n.{name}" for name in CHANGED)})
            IS DISTINCT FROM ({", ".join(f"k.{name}" for name in CHANGED)})"""


def _value(name: str, policies: Mapping[str, str]) -> str:
    fields, value = _COLUMNS[name]
    policy = next((policies[field] for field in fields if field in policies), "overwrite")
    if policy == "keep":
        return f"k.{name}"
    if policy == "fill":
        return f"(k.{name} OR COALESCE({value}, false))" if name in _FLAGS else f"COALESCE(k.{name}, {value})"
    return f"COALESCE({value}, k.{name})"


def _section(policies: Mapping[str, str]) -> str:
    """The section goes with its number."""
    policy, new = policies.get("section", "overwrite"), "COALESCE(c.id, t.id)"
    if policy == "keep":
        return "k.section_id"
    if policy == "fill":
        return f"CASE WHEN k.section_number IS NULL THEN {new} ELSE k.section_id END"
    return f"CASE WHEN s.section_number IS NULL THEN k.section_id ELSE {new} END"


def _attributes(policies: Mapping[str, str]) -> str:
    """What the list says of attributes, but for those that stay; what it may only fill stands below what there is."""
    kept, filled = (
        [key.removeprefix(ATTRIBUTE) for key, policy in policies.items() if key.startswith(ATTRIBUTE) and policy == one]
        for one in ("keep", "fill")
    )
    said = "COALESCE(s.attributes, '{}')"

    def without(value: str, keys: list[str]) -> str:
        return f"({value} - CAST(ARRAY[{', '.join(map(repr, keys))}] AS text[]))" if keys else value

    over = without(said, kept + filled)
    if not filled:
        return f"(k.attributes || {over})"
    return f"({without(said, kept)} || k.attributes || {over})"
