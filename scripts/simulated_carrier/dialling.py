"""<Dial>: into a conference, or to telephones and browsers, of which the first to answer is put through.

https://www.twilio.com/docs/voice/twiml/dial"""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.conferences import Participant
from scripts.simulated_carrier.errors import ApiError
from scripts.simulated_carrier.legs import Failed, Leg, Over, Source
from scripts.simulated_carrier.recordings import Recording, Wanted
from scripts.simulated_carrier.rooms import Rooms
from scripts.simulated_carrier.twiml import Verb
from scripts.simulated_carrier.webhooks import Params

if TYPE_CHECKING:
    from scripts.simulated_carrier.voice import Voice

RECORDED = ("record-from-answer", "record-from-ringing", "record-from-answer-dual", "record-from-ringing-dual", "true")


class Switch(Protocol):
    """Who knows what numbers do."""

    def prepare(self, leg: Leg) -> None:
        """Raises ApiError when it cannot be called."""


@dataclass
class Bridge:
    """The legs of one <Dial>."""

    children: list[Leg] = field(default_factory=list)
    winner: Leg | None = None
    decided: asyncio.Event = field(default_factory=asyncio.Event)  # somebody answered, or nobody will
    over: asyncio.Event = field(default_factory=asyncio.Event)  # the caller is gone
    finished: asyncio.Event = field(default_factory=asyncio.Event)  # who answered is gone


class Dialling:
    def __init__(self, voice: "Voice", rooms: Rooms) -> None:
        self._voice, self._rooms = voice, rooms
        self.switch: Switch | None = None

    async def dial(self, leg: Leg, verb: Verb) -> Source | None:
        """Ask `action` for more when it is over, or go on with the next verb."""
        inner = next((noun for noun in verb.inner if noun.name == "Conference"), None)
        told = await (self._meet(leg, inner) if inner is not None else self._connect(leg, verb))
        action = verb.attributes.get("action")
        return Source(urljoin(leg.base_url, action), params=told, method=verb.method()) if action else None

    async def _meet(self, leg: Leg, noun: Verb) -> Params:
        room = self._rooms.room(leg.account_sid, noun.text, noun.attributes, leg.base_url)
        began = leg.elapsed
        if len(room.participants) >= room.most:
            self._voice.warn(leg, 13282, "Dial->Conference: the conference is full")
            return {"DialCallStatus": "failed", "ConferenceSid": room.sid}
        wait_url = noun.attributes.get("waitUrl")
        participant = Participant(
            leg,
            label=noun.attributes.get("participantLabel"),
            muted=noun.says("muted", default=False),
            starts=noun.says("startConferenceOnEnter", default=True),
            ends=noun.says("endConferenceOnExit", default=False),
            coaches=noun.attributes.get("coach") or None,
            wait_url=urljoin(leg.base_url, wait_url) if wait_url else wait_url,
        )
        await self._rooms.stay(leg, room, participant)
        seconds = str(round(leg.elapsed - began))
        return {"DialCallStatus": "answered", "DialCallDuration": seconds, "ConferenceSid": room.sid}

    async def _connect(self, leg: Leg, verb: Verb) -> Params:
        bridge = Bridge()
        nouns = verb.inner or (Verb("Number", verb.text, {}),)
        try:
            self._call(leg, verb, nouns, bridge)
        except ApiError as error:
            self._voice.warn(leg, error.code, error.message)
            return {"DialCallStatus": "failed"}
        recording = None
        try:
            await leg.wait(None, bridge.decided)
            if bridge.winner is not None:
                recording = self._record(leg, verb)
                await self._talk(leg, bridge, verb.number("timeLimit", 14_400))
        finally:
            bridge.over.set()
            for child in bridge.children:
                child.hang_up("caller")
            if recording is not None:
                self._voice.recordings.stop(recording)
        return _outcome(bridge)

    async def _talk(self, leg: Leg, bridge: Bridge, limit: float) -> None:
        assert bridge.winner is not None
        for child in bridge.children:
            if child is not bridge.winner:
                child.hang_up("caller")
        leg.hears_somebody(True)
        await leg.wait(limit, bridge.finished)
        leg.hears_somebody(True)

    def _record(self, leg: Leg, verb: Verb) -> Recording | None:
        how = verb.attributes.get("record", "do-not-record")
        if how not in RECORDED:
            return None
        callback = verb.attributes.get("recordingStatusCallback")
        wanted = Wanted(
            "DialVerb", 2 if how.endswith("-dual") else 1,
            callback=urljoin(leg.base_url, callback) if callback else None,
            events=verb.words("recordingStatusCallbackEvent", "completed"),
        )  # fmt: skip
        recording = self._voice.recordings.start(leg.account_sid, wanted, leg.sid, None)
        leg.recordings.append(recording)
        return recording

    def _call(self, leg: Leg, verb: Verb, nouns: tuple[Verb, ...], bridge: Bridge) -> None:
        """All of them ring at once. Raises ApiError, and then nothing rings."""
        assert self.switch is not None
        # https://www.twilio.com/docs/voice/twiml/dial#callerid: without one the caller's own number is shown.
        caller_id = verb.attributes.get("callerId") or leg.sender
        for noun in nouns:
            child = self._child(leg, verb, noun, caller_id)
            try:
                self.switch.prepare(child)
            except ApiError as error:
                raise errors.of_dial(error) from None
            bridge.children.append(child)
        for child, noun in zip(bridge.children, nouns, strict=True):
            self._voice.beside(self._live(child, noun, leg.base_url, bridge))

    def _child(self, leg: Leg, verb: Verb, noun: Verb, caller_id: str) -> Leg:
        identity = next((inner.text for inner in noun.inner if inner.name == "Identity"), noun.text)
        callback = noun.attributes.get("statusCallback")
        return Leg(
            leg.account_sid,
            f"client:{identity.removeprefix('client:')}" if noun.name == "Client" else noun.text,
            caller_id,
            Source(),
            leg.tell,
            leg.speed,
            timeout=verb.number("timeout", 30),
            status_callback=urljoin(leg.base_url, callback) if callback else None,
            callback_method=noun.method("statusCallbackMethod"),
            events=noun.words("statusCallbackEvent", "completed"),
            direction="outbound-dial",
            parent_sid=leg.sid,
            send_digits=noun.attributes.get("sendDigits", ""),
        )

    async def _live(self, child: Leg, noun: Verb, base_url: str, bridge: Bridge) -> None:
        try:
            final = await self._voice.ring(child)
            if final == "in-progress":
                final = "completed"
                self._voice.answered(child)
                if whisper := noun.attributes.get("url"):
                    await self._voice.lead(child, Source(urljoin(base_url, whisper), method=noun.method()))
                if bridge.winner is None and not child.is_final:
                    bridge.winner = child
                    bridge.decided.set()
                    await child.wait(None, bridge.over)
        except Over:
            final = "completed" if child.answered_at else "canceled"
        except Failed:
            final = "completed"
        self._voice.end(child, final)
        if bridge.winner is child:
            bridge.finished.set()
        if all(one.is_final for one in bridge.children):
            bridge.decided.set()


def _outcome(bridge: Bridge) -> Params:
    """What `action` is told (https://www.twilio.com/docs/voice/twiml/dial#action)."""
    child = bridge.winner or bridge.children[-1]
    status = "completed" if bridge.winner is not None else child.status
    told = {"DialCallSid": child.sid, "DialCallStatus": status, "DialBridged": str(bridge.winner is not None).lower()}
    if bridge.winner is not None:
        told["DialCallDuration"] = str(child.seconds)
    return told
