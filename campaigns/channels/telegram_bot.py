"""The bot itself: who it is, and where Telegram brings what people write to it.

https://core.telegram.org/bots/api#setwebhook"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Any

import requests

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings

DEADLINE = 15.0  # seconds for one request
UPDATES = ("message", "callback_query", "my_chat_member")
SIGNATURE = 8  # bytes
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def username(settings: Settings) -> str:
    """What people look for: @convoca_bot. Raises ProviderError."""
    return "@" + str(_ask(settings, "getMe", {}).get("username", ""))


def listen(settings: Settings, path: str) -> None:
    """Let Telegram bring its updates to that path of ours, with our secret. Raises ProviderError."""
    _ask(settings, "setWebhook", {"url": settings.public_url + path, "secret_token": secret(settings),
                                  "allowed_updates": list(UPDATES)})  # fmt: skip


def secret(settings: Settings) -> str:
    """What Telegram repeats with every update, so that nobody else's are believed."""
    return hmac.new(settings.secret_key.encode(), b"telegram webhook", "sha256").hexdigest()


def start_url(bot: str, contact_id: int, settings: Settings) -> str:
    """A link by which this person, and nobody else, starts the bot: we then know who they are."""
    said = contact_id.to_bytes(8) + _signature(contact_id, settings)
    return f"https://t.me/{bot.removeprefix('@')}?start={urlsafe_b64encode(said).decode().rstrip('=')}"


def read_start(said: str, settings: Settings) -> int | None:
    """Whose link somebody came by; None when it is not one of ours."""
    try:
        raw = urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (NotBase64, ValueError):
        return None
    contact_id = int.from_bytes(raw[:8])
    is_ours = len(raw) == 8 + SIGNATURE and hmac.compare_digest(raw[8:], _signature(contact_id, settings))
    return contact_id if is_ours else None


def _signature(contact_id: int, settings: Settings) -> bytes:
    return hmac.digest(settings.secret_key.encode(), b"telegram start " + contact_id.to_bytes(8), "sha256")[:SIGNATURE]


def _ask(settings: Settings, method: str, values: dict[str, Any]) -> dict[str, Any]:
    if not settings.telegram.token:
        raise ProviderError("This installation has no bot.", code="not_set_up", permanent=True)
    address = f"{settings.telegram.base_url}/bot{settings.telegram.token}/{method}"
    try:
        said = requests.post(address, json=values, timeout=DEADLINE).json()
        result = said["result"] if said["ok"] else None
    except (requests.RequestException, ValueError, KeyError, TypeError):
        # Without its cause: that one's words hold the token.
        raise ProviderError("Telegram gave no answer that can be read.", code="no_connection") from None
    if result is None:
        raise ProviderError("Telegram refused.", code=f"telegram-{said.get('error_code')}", permanent=True)
    return result if isinstance(result, dict) else {}
