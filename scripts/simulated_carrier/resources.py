"""The JSON of Twilio's REST interface, as its published OpenAPI document (2010-04-01) shapes it."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")
API_VERSION = "2010-04-01"


def new_sid(prefix: str) -> str:
    """A SID of Twilio's form; random, because a restarted carrier must not give one twice."""
    return prefix + uuid.uuid4().hex


def now() -> datetime:
    return datetime.now(UTC)


def rfc2822(at: datetime | None) -> str | None:
    return format_datetime(at) if at else None


def path(account_sid: str, *parts: str) -> str:
    return "/".join(["", API_VERSION, "Accounts", account_sid, *parts])


def uris(account_sid: str, kind: str, sid: str, names: Iterable[str]) -> Json:
    """`subresource_uris` of a resource."""
    return {name: path(account_sid, kind, sid, f"{title(name)}.json") for name in names}


def title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def page(uri: str, key: str, items: Sequence[T], query: dict[str, str], show: Callable[[T], Json]) -> Json:
    """One page of a list, newest first; `query` holds PageSize and Page."""
    size = min(max(int(query.get("PageSize", "50")), 1), 1000)
    number = max(int(query.get("Page", "0")), 0)
    start = number * size
    shown = items[start : start + size]

    def link(at: int) -> str:
        kept = [f"{name}={value}" for name, value in query.items() if name not in ("Page", "PageSize", "PageToken")]
        return f"{uri}?{'&'.join([*kept, f'PageSize={size}', f'Page={at}'])}".replace("+", "%2B")

    return {
        key: [show(item) for item in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": max(start + len(shown) - 1, 0),
        "uri": link(number),
        "first_page_uri": link(0),
        "previous_page_uri": link(number - 1) if number else None,
        "next_page_uri": link(number + 1) if start + size < len(items) else None,
    }


def listing(url: str, key: str, items: Sequence[T], query: dict[str, str], show: Callable[[T], Json]) -> Json:
    """One page of a list of the newer interfaces (v1, v2), which put the pages under `meta`."""
    size = min(max(int(query.get("PageSize", "50")), 1), 1000)
    number = max(int(query.get("Page", "0")), 0)
    start = number * size

    def link(at: int) -> str:
        return f"{url}?PageSize={size}&Page={at}"

    return {
        key: [show(item) for item in items[start : start + size]],
        "meta": {
            "page": number,
            "page_size": size,
            "first_page_url": link(0),
            "previous_page_url": link(number - 1) if number else None,
            "url": link(number),
            "next_page_url": link(number + 1) if start + size < len(items) else None,
            "key": key,
        },
    }
