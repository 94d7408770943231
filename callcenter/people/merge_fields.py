"""What one person's row becomes when two rows turn out to be one person: pure, on rows as JSON."""

from collections.abc import Collection, Mapping
from typing import Any

Row = Mapping[str, Any]

# What is chosen as one: a name goes with its key, a phone with its kind, a section with its state.
GROUPS: dict[str, tuple[str, ...]] = {
    "name": ("name", "given_names", "name_key"),
    "phone": ("phone", "phone_raw", "extension", "line_kind", "line_kind_source"),
    "sex": ("sex",),
    "age": ("age",),
    "section": ("state", "section_number", "section_id"),
    "neighborhood": ("neighborhood",),
    "municipality": ("municipality",),
    "promoter": ("promoter", "promoter_id"),
    "organization": ("organization_id",),
    "language": ("language",),
}
ATTRIBUTE = "attr:"  # before the key of a custom attribute that is chosen
_STRONGEST_FIRST = ("opted_out", "opted_in", "unknown")  # of two answers the refusing one holds


def combined(kept: Row, removed: Row, take: Collection[str] = ()) -> dict[str, Any]:
    """The columns of the kept row that change. What it lacks comes from the removed one; `take`: groups, or
    `attr:<key>`, whose value is the removed one's even where both have one."""
    after: dict[str, Any] = {}
    for group, columns in GROUPS.items():
        is_blank = all(kept[column] in (None, "") for column in columns)
        if group in take or is_blank:
            after |= {column: removed[column] for column in columns}
    chosen = {key: value for key, value in removed["attributes"].items() if ATTRIBUTE + key in take}
    after["attributes"] = {**removed["attributes"], **kept["attributes"], **chosen}
    after["consent"] = next(code for code in _STRONGEST_FIRST if code in (kept["consent"], removed["consent"]))
    for flag in ("is_member", "holds_post"):
        after[flag] = kept[flag] or removed[flag]
    return {column: value for column, value in after.items() if value != kept[column]}


def restored(before: Row, after: Row, now: Row) -> dict[str, Any]:
    """The columns to set for an undo: what the merge changed and nobody has changed since.

    `before` and `after`: the values of the columns that the merge changed; `now`: the whole row as it stands."""
    groups = [*GROUPS.values(), *((column,) for column in before if not _is_grouped(column))]
    undone: dict[str, Any] = {}
    for columns in groups:
        changed = [column for column in columns if column in before]
        if all(now[column] == after[column] for column in changed):
            undone |= {column: before[column] for column in changed}
    return undone


def _is_grouped(column: str) -> bool:
    return any(column in columns for columns in GROUPS.values())
