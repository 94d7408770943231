"""Addresses of a recorded survey over a carrier's webhooks, which only we can make: of its turns and of its sounds.

Twilio signs what it asks for its turns; a sound it fetches like any file, so that its address alone must do.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from uuid import UUID

from callcenter.base.settings import Settings

SIGNATURE = 12  # bytes
HOOKS = "/hooks/voice"


class Addresses:
    """Makes and reads them. `settings`: our public address and our key."""

    def __init__(self, settings: Settings) -> None:
        self._public, self._key = settings.public_url, settings.secret_key.encode()

    def turn(self, call_id: UUID, turn: int) -> str:
        """Where the answer to document number `turn` of a talk goes."""
        return f"{self._public}{HOOKS}/survey/{self._token(b'talk', call_id.bytes)}/{turn}"

    def message(self, call_id: UUID) -> str:
        """Where a machine hears the campaign's message (callcenter.ledger.machine_webhooks)."""
        return f"{self._public}{HOOKS}/message/{call_id}"

    def call_of(self, token: str) -> UUID | None:
        """Whose talk it is; None when we did not make the token."""
        raw = self._read(b"talk", token, 16)
        return UUID(bytes=raw) if raw else None

    def sound(self, name: str) -> str:
        """Where the sound of this name (SHA-256 in hexadecimal) is fetched."""
        return f"{self._public}{HOOKS}/prompt/{self._token(b'sound', bytes.fromhex(name))}.wav"

    def sound_of(self, token: str) -> str | None:
        """The sound's name; None when we did not make the token."""
        raw = self._read(b"sound", token, 32)
        return raw.hex() if raw else None

    def _token(self, kind: bytes, raw: bytes) -> str:
        return urlsafe_b64encode(raw + self._signature(kind, raw)).decode().rstrip("=")

    def _read(self, kind: bytes, token: str, length: int) -> bytes | None:
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (NotBase64, ValueError):
            return None
        is_ours = len(raw) == length + SIGNATURE and hmac.compare_digest(
            raw[length:], self._signature(kind, raw[:length])
        )
        return raw[:length] if is_ours else None

    def _signature(self, kind: bytes, raw: bytes) -> bytes:
        return hmac.digest(self._key, b"recorded survey " + kind + b" " + raw, "sha256")[:SIGNATURE]
