"""The breakdowns of results and their groups in the reader's words."""

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

BREAKDOWN_LABELS: dict[str, LazyString] = {
    "sex": _l("By sex"),
    "age_band": _l("By age"),
    "section_kind": _l("By kind of section"),
}
GROUP_LABELS: dict[str, LazyString] = {
    "H": _l("Men"),
    "M": _l("Women"),
    "X": _l("Non-binary"),
    "U": _l("Urban"),
    "R": _l("Rural"),
    "unknown": _l("Not known"),
}
SECTION_MIXED = _l("Mixed")


def group_label(by: str | None, group: str) -> str:
    """A group of a breakdown; without one, everybody."""
    if not by:
        return str(_("All"))
    if by == "section_kind" and group == "M":
        return str(SECTION_MIXED)
    return str(GROUP_LABELS.get(group, group))
