"""Twilio, and whatever speaks its protocol: calls over REST, what happens in them by signed callbacks and TwiML."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import BadNumber, Dial, Known, Route, Trace
from callcenter.carriers.twilio import errors, limits, media, wire
from callcenter.carriers.twilio.media import Media
from callcenter.carriers.twilio.switchboard import EVERY_EVENT, TwilioSwitchboard
from callcenter.carriers.twilio.wire import ask
from callcenter.carriers.twilio.words import event_of

UP = ("queued", "initiated", "ringing", "in-progress")


class TwilioCarrier(TwilioSwitchboard, Media):
    """Keeps one HTTP session; safe to use from one thread at a time per call. `simulated`: the drill's carrier."""

    def __init__(self, account: Twilio, *, public_url: str, simulated: bool) -> None:
        self._simulated = simulated
        self._hooks = f"{public_url}/hooks/voice"
        self._account = account
        self._client = wire.client(account)

    def lines(self, session: Session) -> int:
        return limits.lines(session, self._account)

    def calls_per_second(self) -> int | None:
        return self._account.calls_per_second

    def route(self, _session: Session, _phone: str, caller_id: str, _queue_id: int) -> Route:
        return Route(caller_id, self._simulated)

    def place(self, dial: Dial) -> str:
        hook = "survey" if dial.answered_by == "recording" else "answer"
        try:
            return self._create(
                to=dial.phone,
                from_=dial.caller_id,
                url=f"{self._hooks}/{hook}/{dial.call_id}",
                timeout=dial.ring_seconds,
                **self._news(dial),
                **media.detection(self._hooks, dial),
            )
        except ProviderError as error:
            # A country that is not allowed: for Mexico the account's fault, for another one this number's.
            if errors.meaning(error.code).kind == "geo" and not dial.phone.startswith("+52"):
                raise BadNumber(str(error), code=error.code) from None
            raise

    def _news(self, dial: Dial) -> dict[str, Any]:
        if not dial.is_followed:
            return {}
        return {"status_callback": f"{self._hooks}/status/{dial.call_id}", "status_callback_event": EVERY_EVENT}

    def hang_up(self, ref: str) -> None:
        try:
            ask(lambda: self._client.calls(ref).update(status="completed"))
        except ProviderError as error:
            # https://www.twilio.com/docs/api/errors/21220 "call is not in-progress", 20404 "not found": it is over.
            if error.code not in ("21220", "20404"):
                raise

    def find(self, trace: Trace) -> Known | None:
        found = self._fetch(trace.ref) if trace.ref else self._search(trace)
        if found is None:
            return None
        said = {"CallStatus": str(found.status)}
        return Known(found.sid, event_of(said), {**said, "asked": True})

    def is_room_open(self, ref: str) -> bool:
        found = self._fetch(ref)
        return found is not None and str(found.status) in UP

    def close_room(self, ref: str) -> None:
        self.hang_up(ref)

    def _fetch(self, ref: str) -> Any | None:
        try:
            return ask(lambda: self._client.calls(ref).fetch())
        except ProviderError as error:
            if error.code == "20404":
                return None
            raise

    def _search(self, trace: Trace) -> Any | None:
        """The call to this phone since we meant to place it: never two, for no phone is called twice in a minute."""
        since = trace.since - timedelta(seconds=2)  # Twilio's clock is not ours, and counts whole seconds
        calls = ask(lambda: self._client.calls.list(to=trace.phone, limit=20))
        ours = [c for c in calls if c.date_created and c.date_created >= since and c._from == trace.caller_id]
        return min(ours, key=lambda c: c.date_created, default=None)
