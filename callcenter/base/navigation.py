"""The menu: where each role goes. Entries whose view does not exist, or is not for the person, are not shown."""

from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from callcenter.base.auth import may


@dataclass(frozen=True)
class Entry:
    """One line of the menu. Who may open it is what its view says, so the menu never promises a 403."""

    endpoint: str
    label: LazyString
    icon: str
    group: str


@dataclass(frozen=True)
class Item:
    label: LazyString
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True)
class Section:
    label: LazyString | None
    items: tuple[Item, ...]


GROUPS: dict[str, LazyString | None] = {
    "work": None,
    "people": _l("Contacts"),
    "campaigns": _l("Campaigns"),
    "surveys": _l("Surveys"),
    "house": _l("Administration"),
}
# In the order of use: a person's start page is the first entry that is open to them.
ENTRIES = (
    Entry("console.page", _l("My console"), "headset", "work"),
    Entry("floor.page", _l("Floor"), "speedometer2", "work"),
    Entry("campaigns.page", _l("Campaigns"), "megaphone", "campaigns"),
    Entry("segments.page", _l("Segments"), "funnel", "campaigns"),
    Entry("surveys.page", _l("Surveys"), "clipboard-data", "surveys"),
    Entry("imports.page", _l("Imports"), "upload", "people"),
    Entry("contacts.page", _l("Contacts"), "people", "people"),
    Entry("people.index", _l("People"), "person-badge", "house"),
    Entry("audit.index", _l("Audit"), "journal-text", "house"),
)


def sections() -> tuple[Section, ...]:
    """The menu of the current person, empty groups left out."""
    entries = [entry for entry in ENTRIES if is_open(entry.endpoint)]
    found = []
    for group, label in GROUPS.items():
        items = tuple(_item(entry) for entry in entries if entry.group == group)
        if items:
            found.append(Section(label, items))
    return tuple(found)


def is_open(endpoint: str) -> bool:
    """Does this view exist, and may the current person enter it?"""
    view = current_app.view_functions.get(endpoint)
    return view is not None and may(getattr(view, "access_roles", frozenset()))


def start_endpoint() -> str:
    """Where the current person begins: the first page of their role's work that exists."""
    for entry in ENTRIES:
        if is_open(entry.endpoint):
            return entry.endpoint
    return "account.show"


def _item(entry: Entry) -> Item:
    here = request.endpoint or ""
    is_current = here == entry.endpoint or (
        here.partition(".")[0] == entry.endpoint.partition(".")[0] and here not in {other.endpoint for other in ENTRIES}
    )
    return Item(entry.label, url_for(entry.endpoint), entry.icon, is_current)
