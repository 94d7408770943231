"""Twilio as a switchboard: rooms are conferences, legs are led from one to another by new TwiML.

https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
https://www.twilio.com/docs/voice/api/conference-participant-resource
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from twilio.rest import Client

from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import Dial, Ear
from callcenter.carriers.twilio import rooms
from callcenter.carriers.twilio.wire import ask
from callcenter.seats import operator_lines

PAGE_RING, PHONE_RING, SUPERVISOR_RING = 20, 25, 15  # seconds
EVERY_EVENT = ["initiated", "ringing", "answered", "completed"]
OVER = ("21220", "20404")  # "call is not in-progress" and "not found" (https://www.twilio.com/docs/api/errors)
US = "client:convoca"  # who rings pages


class TwilioSwitchboard:
    """What TwilioCarrier does with rooms and legs. A leg that has ended raises ProviderError with code `gone`."""

    _account: Twilio
    _client: Client
    _hooks: str

    def open_room(self, operator_id: int) -> str:
        """Ring the operator's page, or their telephone. The addresses carry the mark of this ring: an old one that is
        told again opens nothing."""
        with open_session() as session:
            ring = operator_lines.ring(session, operator_id)
        if ring is None:
            raise ProviderError("There is nothing to ring: this operator calls us.", code="not_rung")
        is_phone = not ring.address.startswith("client:")
        return self._create(
            to=ring.address,
            from_=self._number() if is_phone else US,
            url=f"{self._hooks}/room/{operator_id}?ring={ring.mark}",
            status_callback=f"{self._hooks}/room-status/{operator_id}?ring={ring.mark}",
            status_callback_event=["completed"],
            timeout=PHONE_RING if is_phone else PAGE_RING,
        )

    def ring_to_check(self, operator_id: int, phone: str) -> str:
        """Ring a telephone of which an operator says that it is theirs (callcenter.seats.operator_lines)."""
        address = f"{self._hooks}/line-check/{operator_id}"
        return self._create(to=phone, from_=self._number(), url=address, timeout=PHONE_RING)

    def move(self, ref: str, room: str) -> None:
        self._lead(ref, rooms.enter(room, ref))

    def invite(self, dial: Dial, _room: str) -> str:
        """The leg asks for its room when it is answered (callcenter.room_webhooks)."""
        return self._create(
            to=dial.phone,
            from_=dial.caller_id,
            url=f"{self._hooks}/leg/{dial.call_id}",
            status_callback=f"{self._hooks}/leg-status/{dial.call_id}",
            status_callback_event=EVERY_EVENT,
            timeout=dial.ring_seconds,
        )

    def link(self, _switch: str, _room: str, _other: str, _leg_id: UUID) -> str:
        raise ProviderError("Twilio joins no two rooms.", code="not_here", permanent=True)

    def send_keys(self, ref: str, keys: str, room: str) -> None:
        self._lead(ref, rooms.press(keys, room, ref))

    def listen(self, ear: Ear) -> str:
        """As a participant; on creation a conference is found by its name."""
        wanted = {
            "from_": US, "to": f"client:{ear.account}", "beep": "false", "timeout": SUPERVISOR_RING,
            "start_conference_on_enter": False, "end_conference_on_exit": False,
            "status_callback": f"{self._hooks}/listening/{ear.id}", "status_callback_event": ["answered", "completed"],
        }  # fmt: skip
        with after_sending():
            made = ask(lambda: self._client.conferences(ear.room).participants.create(**wanted, **_manner(ear)))
            return str(made.call_sid)

    def set_listening(self, ear: Ear) -> None:
        """A conference that runs is changed by its SID, which its name finds."""
        running = ask(lambda: self._client.conferences.list(friendly_name=ear.room, status="in-progress", limit=1))
        if not running or ear.ref is None:
            raise ProviderError("This room is closed.", code="gone")
        place, ref = self._client.conferences(str(running[0].sid)), ear.ref
        _there(lambda: place.participants(ref).update(**_manner(ear)))

    def _lead(self, ref: str, document: str) -> None:
        _there(lambda: self._client.calls(ref).update(twiml=document))

    def _number(self) -> str:
        if not self._account.voice_number:
            sentence = "No number of ours is set from which operators' telephones are rung."
            raise ProviderError(sentence, code="no_voice_number", permanent=True)
        return self._account.voice_number

    def _create(self, **wanted: Any) -> str:
        with after_sending():
            return str(ask(lambda: self._client.calls.create(**wanted)).sid)


def _manner(ear: Ear) -> dict[str, Any]:
    """Who hears a supervisor: nobody, the operator alone, or everybody."""
    if ear.mode == "coach":
        return {"muted": False, "coaching": True, "call_sid_to_coach": ear.operator_ref}
    return {"muted": ear.mode == "listen", "coaching": False}


def _there(request: Callable[[], Any]) -> None:
    """Do it to a leg that should be there."""
    try:
        ask(request)
    except ProviderError as error:
        if error.code in OVER:
            raise ProviderError("This leg has ended.", code="gone") from None
        raise


@contextmanager
def after_sending() -> Iterator[None]:
    """An answer to a POST that cannot be read (no JSON in it) leaves open whether it was done."""
    try:
        yield
    except ValueError as error:
        raise ProviderError("The carrier's answer could not be read.", code="unreadable", unknown=True) from error
