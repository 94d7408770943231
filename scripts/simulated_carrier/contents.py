"""Templates: Twilio's Content resources, with what WhatsApp has decided about each."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.resources import Json, new_sid, now

# https://www.twilio.com/docs/content/content-api-resources: what an approval request may come to
STATUSES = ("unsubmitted", "received", "pending", "approved", "rejected", "paused", "disabled")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Filled:
    """A template with its variables in place. `missing`: those for which nobody said anything."""

    body: str
    media: Sequence[str]
    buttons: Sequence[tuple[str, str]]
    missing: Sequence[str]


@dataclass
class Content:
    """`types` is as in https://www.twilio.com/docs/content/content-types-overview; `variables` are the defaults."""

    friendly_name: str
    types: Mapping[str, Mapping[str, Any]]
    variables: Mapping[str, str] = field(default_factory=dict)
    language: str = "es_MX"
    status: str = "unsubmitted"
    category: str = ""
    template_name: str = ""
    rejection_reason: str = ""
    sid: str = field(default_factory=lambda: new_sid("HX"))
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def fill(self, given: Mapping[str, str]) -> Filled:
        values = {**self.variables, **given}
        shape = self._shape()
        texts = [str(shape.get("body", "")), *map(str, shape.get("media", ()))]
        missing = sorted({name for text in texts for name in _PLACE.findall(text)} - values.keys())

        def put(text: str) -> str:
            return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)

        buttons = [
            (put(action["title"]), put(action.get("id") or action["title"]))
            for action in shape.get("actions", ())
            if action.get("type", "QUICK_REPLY") == "QUICK_REPLY"
        ]
        return Filled(put(texts[0]), [put(url) for url in texts[1:]], buttons, missing)

    def move(self, status: str, reason: str = "") -> None:
        self.status, self.rejection_reason, self.updated_at = status, reason, now()

    def _shape(self) -> Mapping[str, Any]:
        """The richest of its types, which WhatsApp shows."""
        order = ("twilio/card", "whatsapp/card", "twilio/media", "twilio/quick-reply", "twilio/call-to-action")
        name = next((name for name in order if name in self.types), next(iter(self.types)))
        shape = self.types[name]
        return {**shape, "body": shape.get("body") or shape.get("title", "")}

    def show(self, account_sid: str, base: str) -> Json:
        url = f"{base}/v1/Content/{self.sid}"
        links = {"approval_create": f"{url}/ApprovalRequests/whatsapp", "approval_fetch": f"{url}/ApprovalRequests"}
        return self._shown(account_sid) | {"url": url, "links": links}

    def show_with_approval(self, account_sid: str) -> Json:
        return self._shown(account_sid) | {"approval_requests": self.approval()}

    def show_approval(self, account_sid: str, base: str) -> Json:
        url = f"{base}/v1/Content/{self.sid}/ApprovalRequests"
        whatsapp = {"type": "whatsapp", **self.approval()}
        return {"sid": self.sid, "account_sid": account_sid, "whatsapp": whatsapp, "url": url}

    def approval(self) -> Json:
        is_unsubmitted = self.status == "unsubmitted"
        return {
            "name": self.template_name,
            "category": self.category,
            "content_type": "" if is_unsubmitted else next(iter(self.types)),
            "status": self.status,
            "rejection_reason": self.rejection_reason,
            "allow_category_change": True,
        }

    def _shown(self, account_sid: str) -> Json:
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "friendly_name": self.friendly_name,
            "language": self.language,
            "variables": dict(self.variables),
            "types": {name: dict(shape) for name, shape in self.types.items()},
            "date_created": _iso(self.created_at),
            "date_updated": _iso(self.updated_at),
        }


class Contents:
    """All templates of the account; some are there from the start, with SIDs that never change."""

    def __init__(self, public_url: str) -> None:
        self.by_sid = {content.sid: content for content in _first(public_url)}

    def add(self, content: Content) -> Content:
        self.by_sid[content.sid] = content
        return content

    def find(self, sid_or_name: str) -> Content | None:
        named = (content for content in self.by_sid.values() if content.friendly_name == sid_or_name)
        return self.by_sid.get(sid_or_name) or next(named, None)


def read_variables(text: str | None) -> dict[str, str]:
    """ContentVariables of a request: a JSON object of texts. Raises ApiError."""
    try:
        values = json.loads(text or "{}")
    except ValueError:
        raise errors.bad_variables() from None
    if not isinstance(values, dict) or not all(isinstance(value, str) and value for value in values.values()):
        raise errors.bad_variables()
    return values


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _first(public_url: str) -> list[Content]:
    text, name = (
        "Hola {{1}}, le recordamos que el {{2}} hay elecciones. Responda BAJA para no recibir más.",
        {"1": "vecina"},
    )
    quick = {
        "body": "Hola {{1}}, ¿podemos contar con usted el {{2}}?",
        "actions": [
            {"type": "QUICK_REPLY", "title": "Sí, ahí estaré", "id": "si"},
            {"type": "QUICK_REPLY", "title": "No puedo", "id": "no"},
            {"type": "QUICK_REPLY", "title": "BAJA", "id": "baja"},
        ],
    }
    dated = name | {"2": "domingo"}

    def content(
        number: int, friendly: str, kind: str, shape: Mapping[str, Any], status: str, reason: str = ""
    ) -> Content:
        return Content(
            friendly, {kind: shape}, dated, status=status, category="MARKETING", template_name=friendly,
            rejection_reason=reason, sid="HX" + f"{number:032x}",
        )  # fmt: skip

    media = public_url + "/{{3}}"  # the variable is the path only, as Twilio asks
    return [
        content(1, "recordatorio", "twilio/text", {"body": text}, "approved"),
        content(2, "invitacion", "twilio/quick-reply", quick, "approved"),
        content(3, "cartel", "twilio/media", {"body": text, "media": [media]}, "approved"),
        content(4, "video", "twilio/media", {"body": text, "media": [media]}, "approved"),
        content(5, "en_revision", "twilio/text", {"body": text}, "pending"),
        content(6, "rechazada", "twilio/text", {"body": text}, "rejected", "INVALID_FORMAT"),
        content(7, "en_pausa", "twilio/text", {"body": text}, "paused"),
    ]
