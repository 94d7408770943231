"""What Twilio writes into its debugger: errors and warnings of an account, most of them of one call.

https://www.twilio.com/docs/usage/troubleshooting/debugging-your-application"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from scripts.simulated_carrier.resources import API_VERSION, Json, new_sid, now, path, rfc2822

KEPT = 5_000
ERROR, WARNING = "0", "1"  # https://www.twilio.com/docs/voice/api/call-notification-resource


@dataclass(frozen=True)
class Notification:
    """`url`: the address of ours that it is about."""

    account_sid: str
    code: int
    text: str
    call_sid: str | None = None
    url: str | None = None
    log: str = ERROR
    sid: str = field(default_factory=lambda: new_sid("NO"))
    at: datetime = field(default_factory=now)

    def show(self) -> Json:
        parts = (*(("Calls", self.call_sid) if self.call_sid else ()), "Notifications", f"{self.sid}.json")
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "call_sid": self.call_sid,
            "api_version": API_VERSION,
            "log": self.log,
            "error_code": str(self.code),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "message_text": self.text,
            "message_date": rfc2822(self.at),
            "request_method": "POST" if self.url else None,
            "request_url": self.url,
            "date_created": rfc2822(self.at),
            "date_updated": rfc2822(self.at),
            "uri": path(self.account_sid, *parts),
        }

    def show_whole(self) -> Json:
        """As one of them is fetched: with what was asked and answered, which the simulation does not keep."""
        return self.show() | {"request_variables": "", "response_headers": "", "response_body": ""}


class Notifications:
    """The last ones, newest first in lists."""

    def __init__(self) -> None:
        self._kept: deque[Notification] = deque(maxlen=KEPT)

    def write(self, notification: Notification) -> None:
        self._kept.append(notification)

    def find(self, sid: str) -> Notification | None:
        return next((kept for kept in self._kept if kept.sid == sid), None)

    def of(self, call_sid: str | None = None, log: str | None = None) -> list[Notification]:
        return [kept for kept in reversed(self._kept) if call_sid in (None, kept.call_sid) and log in (None, kept.log)]
