"""Accounts: ours, its subaccounts, and the test account; each with the tokens that it may use.

https://www.twilio.com/docs/iam/api/account and https://www.twilio.com/docs/iam/test-credentials"""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.options import TEST_SID, TEST_TOKEN, Options
from scripts.simulated_carrier.resources import Json, new_sid, now, path, rfc2822, title

SUBRESOURCES = (
    "addresses", "applications", "authorized_connect_apps", "available_phone_numbers", "balance", "calls",
    "conferences", "connect_apps", "incoming_phone_numbers", "keys", "messages", "notifications",
    "outgoing_caller_ids", "queues", "recordings", "signing_keys", "sip", "short_codes", "tokens", "transcriptions",
    "usage",
)  # fmt: skip


@dataclass
class Account:
    """`secondary`: the second auth token, while tokens are being changed."""

    sid: str
    name: str
    token: str
    owner: str
    secondary: str | None = None
    status: str = "active"
    created: str | None = field(default_factory=lambda: rfc2822(now()))

    def knows(self, token: str) -> bool:
        known = [self.token, *([self.secondary] if self.secondary else [])]
        return any(hmac.compare_digest(token.encode(), one.encode()) for one in known)

    def show(self, *, whole: bool = False) -> Json:
        """`whole`: with the token, as its owner sees it."""
        return {
            "sid": self.sid,
            "friendly_name": self.name,
            "auth_token": self.token if whole else None,
            "owner_account_sid": self.owner,
            "status": self.status,
            "type": "Full",
            "date_created": self.created,
            "date_updated": self.created,
            "uri": path(f"{self.sid}.json"),
            "subresource_uris": {name: path(self.sid, f"{title(name)}.json") for name in SUBRESOURCES},
        }


class Accounts:
    """`main` is ours; the options name it, and say whether its credentials are good."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.main = Account(options.account_sid, "Convoca", options.auth_token, options.account_sid)
        self.test = Account(TEST_SID, "Test credentials", TEST_TOKEN, options.account_sid)
        self.known = {account.sid: account for account in (self.main, self.test)}
        self._passes: dict[bytes, tuple[Account, str]] = {}  # headers already read, with the token in each

    def enter(self, header: str, asked: str | None) -> Account:
        """Whose credentials these are; `asked`: the account of the address. Raises ApiError."""
        read = self._passes.get(header.encode())
        if read is None or not read[0].knows(read[1]):
            read = self._read(header)
            if len(self._passes) > 100:
                self._passes.clear()
            self._passes[header.encode()] = read
        account = read[0]
        if account is self.main and self._options.credentials != "good":
            raise errors.authenticate() if self._options.credentials == "revoked" else errors.suspended()
        if asked is not None and asked != account.sid:
            below = self.known.get(asked)
            if below is None or below.owner != account.sid or below is self.test:
                raise errors.authenticate()
            account = below
        if account.status != "active":
            raise errors.suspended()
        return account

    def _read(self, header: str) -> tuple[Account, str]:
        try:
            name, _, token = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise errors.authenticate() from None
        account = self.known.get(name)
        if account is None or not account.knows(token):
            raise errors.authenticate()
        return account, token

    def token(self, sid: str | None) -> str:
        """That signs the webhooks of this account."""
        return self.known.get(sid or "", self.main).token

    def create(self, name: str) -> Account:
        account = Account(new_sid("AC"), name, secrets.token_hex(16), self.main.sid)
        self.known[account.sid] = account
        return account

    def promote(self) -> None:
        """The second token of ours is the only one from now on, and signs. Raises ValueError when there is none."""
        if self.main.secondary is None:
            raise ValueError("there is no secondary token to promote")
        self.main.token, self.main.secondary = self.main.secondary, None
        self._options.auth_token = self.main.token
