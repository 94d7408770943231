"""The menu: where each role goes. Entries whose view does not exist, or is not for the person, are not shown."""

from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_security import current_user

from callcenter.base.auth import access_roles, may


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
    "campaigns": _l("Campaigns"),
    "surveys": _l("Surveys"),
    "contacts": _l("Contacts"),
    "house": _l("Administration"),
}
ENTRIES = (
    Entry("floor.page", _l("Floor"), "speedometer2", "work"),
    Entry("console.page", _l("My console"), "headset", "work"),
    Entry("outcomes.page", _l("Calls and outcomes"), "clipboard-check", "work"),
    Entry("attendance.page", _l("Attendance"), "clock-history", "work"),
    Entry("recordings.index", _l("Recordings"), "record-circle", "work"),
    Entry("voice_messages.index", _l("Voice messages"), "telephone-inbound", "work"),
    Entry("campaigns.page", _l("Calls and messages"), "megaphone", "campaigns"),
    Entry("campaigns.inbox.page", _l("Inbox"), "inbox", "campaigns"),
    Entry("campaigns.channels.index", _l("Channels"), "chat-dots", "campaigns"),
    Entry("campaigns.message_costs.ledger", _l("Cost of messages"), "tag", "campaigns"),
    Entry("segments.index", _l("Segments"), "funnel", "campaigns"),
    Entry("surveys.page", _l("Surveys"), "clipboard-data", "surveys"),
    Entry("campaigns.quota_list.index", _l("Quotas"), "grid-3x3-gap", "surveys"),
    Entry("contacts.index", _l("Contacts"), "people", "contacts"),
    Entry("duplicates.index", _l("Duplicates"), "copy", "contacts"),
    Entry("notes.index", _l("Notes to look at"), "journal-text", "contacts"),
    Entry("structure.page", _l("Structure"), "person-workspace", "contacts"),
    Entry("territory.page", _l("Territory"), "map", "contacts"),
    Entry("imports.index", _l("Imports"), "upload", "contacts"),
    Entry("attributes.index", _l("Attributes"), "tag", "contacts"),
    Entry("calendar.index", _l("Calendar and rules"), "calendar-event", "house"),
    Entry("telephony.index", _l("Telephony"), "telephone", "house"),
    Entry("campaigns.senders.page", _l("Senders"), "send", "house"),
    Entry("pause_reasons.page", _l("Pause reasons"), "cup-hot", "house"),
    Entry("people.index", _l("People"), "person-badge", "house"),
    Entry("privacy.index", _l("Privacy"), "shield-lock", "house"),
    Entry("audit.index", _l("Audit"), "journal-text", "house"),
)
# Parts of the header that a room above fills: fetched when a page stands, and again every while.
HEADER_PARTS = ("campaigns.sending.header",)
# Who has several roles begins where the first of them does.
STARTS = {
    "administrator": "floor.page",
    "supervisor": "floor.page",
    "strategist": "campaigns.page",
    "pollster": "surveys.page",
    "data_clerk": "imports.index",
    "operator": "console.page",
}


def sections() -> tuple[Section, ...]:
    """The menu of the current person, empty groups left out."""
    entries = [entry for entry in ENTRIES if is_open(entry.endpoint)]
    current = _current(entries)
    found = []
    for group, label in GROUPS.items():
        items = tuple(
            Item(entry.label, url_for(entry.endpoint), entry.icon, entry is current)
            for entry in entries
            if entry.group == group
        )
        if items:
            found.append(Section(label, items))
    return tuple(found)


def header_parts() -> tuple[str, ...]:
    """The addresses of the parts of the header that the current person may see."""
    return tuple(url_for(endpoint) for endpoint in HEADER_PARTS if is_open(endpoint))


def is_open(endpoint: str) -> bool:
    """Does this view exist, and may the current person enter it?"""
    return endpoint in current_app.view_functions and may(access_roles(endpoint))


def start_endpoint() -> str:
    """Where the current person begins: their role's work, else the first entry of their menu, else their account."""
    roles = {role.name for role in current_user.roles}
    wanted = [endpoint for role, endpoint in STARTS.items() if role in roles]
    candidates = [*wanted, *(entry.endpoint for entry in ENTRIES), "account.show"]
    return next(endpoint for endpoint in candidates if is_open(endpoint))


def _current(entries: list[Entry]) -> Entry | None:
    """The entry of the page that is shown, or the one whose room the page belongs to."""
    here = request.endpoint or ""
    for entry in entries:
        if entry.endpoint == here:
            return entry
    rooms = [entry for entry in entries if here.startswith(_room(entry.endpoint) + ".")]
    return max(rooms, key=lambda entry: len(_room(entry.endpoint)), default=None)


def _room(endpoint: str) -> str:
    return endpoint.rpartition(".")[0]
