"""What Twilio keeps besides messages: templates with their approval, and the WhatsApp senders with their standing.

https://www.twilio.com/docs/content/content-api-resources, https://www.twilio.com/docs/whatsapp/api/senders"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings

DEADLINE = 20.0  # seconds for one request
MOST = 2_000  # templates looked at; Meta lets an account have 6,000, nobody uses so many
# messaging_limit of a sender → different people in 24 hours; "unlimited" is no number
LIMITS = {"250": 250, "1K": 1_000, "2K": 2_000, "10K": 10_000, "100K": 100_000}


@dataclass(frozen=True)
class Content:
    """One template as the provider has it now."""

    provider_ref: str
    name: str
    language: str
    kind: str
    body: str
    variables: Mapping[str, str] = field(default_factory=dict)
    buttons: Sequence[Mapping[str, str]] = ()
    media_url: str | None = None
    category: str | None = None
    state: str = "unsubmitted"
    state_reason: str | None = None


@dataclass(frozen=True)
class SenderStanding:
    """How WhatsApp sees one of our senders. `quality`: its word (GREEN, YELLOW, RED) or None. `daily_people`: how many
    different people it may begin with in 24 hours; None: any number, or it does not say. `is_online`: may it send?"""

    address: str
    quality: str | None
    daily_people: int | None
    is_online: bool
    reasons: tuple[str, ...] = ()


def fetch_templates(settings: Settings) -> list[Content]:
    """Every template of the account, with its approval. Raises ProviderError."""
    client = _client(settings)
    with _refusals_named():
        found = client.content.v1.content_and_approvals.stream(limit=MOST, page_size=100)
        return [
            read_content(one.sid, one.friendly_name, one.language, one.types, one.variables, one.approval_requests)
            for one in found
        ]


def fetch_senders(settings: Settings) -> list[SenderStanding]:
    """How WhatsApp sees each of the account's senders. Raises ProviderError."""
    client = _client(settings)
    with _refusals_named():
        found = client.messaging.v2.channels_senders.stream(channel="whatsapp", limit=400, page_size=50)
        return [read_sender(one.sender_id, one.status, one.properties, one.offline_reasons) for one in found]


def read_content(
    sid: str, name: str, language: str, types: Mapping[str, Any] | None, variables: Mapping[str, Any] | None,
    approval: Any,
) -> Content:  # fmt: skip
    """A Content resource in our words. Pure. Of several types the richest is taken: it is what WhatsApp shows."""
    kinds = [kind for kind in (types or {}) if kind != "twilio/text"] or list(types or {}) or ["twilio/text"]
    shape: Mapping[str, Any] = (types or {}).get(kinds[0]) or {}
    media = shape.get("media") or []
    said = _approval(approval)
    return Content(
        provider_ref=sid, name=name or sid, language=language or "", kind=kinds[0],
        body=str(shape.get("body") or shape.get("title") or ""),
        variables={str(key): str(value) for key, value in (variables or {}).items()},
        buttons=[{"title": str(each.get("title", "")), "id": str(each.get("id") or each.get("title", ""))}
                 for each in shape.get("actions") or [] if isinstance(each, Mapping)],
        media_url=str(media[0] if isinstance(media, list) else media) if media else None,
        category=said.get("category"), state=str(said.get("status") or "unsubmitted").lower(),
        state_reason=said.get("rejection_reason") or None,
    )  # fmt: skip


def read_sender(address: str | None, status: Any, properties: Any, reasons: Any) -> SenderStanding:
    """A sender in our words. Pure."""
    known = properties if isinstance(properties, Mapping) else {}
    limit = str(known.get("messaging_limit") or "").upper().partition(" ")[0]
    return SenderStanding(
        address or "", known.get("quality_rating") or None, LIMITS.get(limit), str(status or "").startswith("ONLINE"),
        tuple(str(one.get("message") or one.get("code")) if isinstance(one, Mapping) else str(one)
              for one in reasons or ()),
    )  # fmt: skip


def _approval(said: Any) -> Mapping[str, Any]:
    """Twilio shows one request, or one for each channel."""
    if isinstance(said, Mapping):
        inner = said.get("whatsapp")
        return inner if isinstance(inner, Mapping) else said
    return said[0] if isinstance(said, list) and said and isinstance(said[0], Mapping) else {}


def _client(settings: Settings) -> Any:
    from twilio.http.http_client import TwilioHttpClient  # heavy: only the job that asks pays
    from twilio.rest import Client

    twilio = settings.twilio
    logger = logging.getLogger("campaigns.channels.twilio.content")
    logger.setLevel(logging.WARNING)  # the client tells each request at level INFO, with its headers
    http = TwilioHttpClient(timeout=DEADLINE, logger=logger)
    client = Client(twilio.account_sid, twilio.auth_token, http_client=http)
    if twilio.base_url:
        client.content.base_url = client.messaging.base_url = twilio.base_url
    return client


class _refusals_named:  # noqa: N801  # reads as a verb, like asyncio.timeout
    """Turn what the client raises into a ProviderError. Asking twice does no harm here."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from requests import RequestException
        from twilio.base.exceptions import TwilioException, TwilioRestException

        if isinstance(error, TwilioRestException):
            code = str(error.code or error.status)
            raise ProviderError("Twilio refused the question.", code=code, permanent=error.status < 500) from error
        if isinstance(error, RequestException | TwilioException | OSError | KeyError | ValueError):
            raise ProviderError("Twilio gave no answer that can be read.", code="no_answer") from error
