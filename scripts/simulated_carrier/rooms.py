"""Rooms by name: who comes in, what they hear while it has not begun, and its recording."""

import asyncio
from urllib.parse import urljoin

from scripts.simulated_carrier.call_resource import params
from scripts.simulated_carrier.conferences import MOST, Conference, Participant
from scripts.simulated_carrier.legs import Leg
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.recordings import Recordings, Wanted
from scripts.simulated_carrier.speaking import Speaker
from scripts.simulated_carrier.twiml import BadTwiml, Verb, parse
from scripts.simulated_carrier.webhooks import WebhookFailed, Webhooks

KEPT = 5_000


class Rooms:
    """`open` by account and name, those in progress; `known` by SID, the last ones."""

    def __init__(self, options: Options, webhooks: Webhooks, recordings: Recordings, speaker: Speaker) -> None:
        self._options, self._webhooks = options, webhooks
        self._recordings, self._speaker = recordings, speaker
        self.open: dict[tuple[str, str], Conference] = {}
        self.known: dict[str, Conference] = {}
        self._wanted: dict[str, Wanted] = {}  # how a conference is recorded, by its SID

    def room(self, account_sid: str, name: str, attributes: dict[str, str], base_url: str = "") -> Conference:
        """The conference in progress of that name, or a new one with these settings of a <Conference>."""
        room = self.open.get((account_sid, name))
        if room is None or room.status == "completed":
            callback = attributes.get("statusCallback")
            room = Conference(
                account_sid,
                name,
                self._webhooks,
                status_callback=urljoin(base_url, callback) if callback else None,
                events=frozenset(attributes.get("statusCallbackEvent", "").split()),
                most=int(attributes.get("maxParticipants", MOST)),
            )
            self.open[account_sid, name] = self.known[room.sid] = room
            self._forget()
            if attributes.get("record", "do-not-record") in ("record-from-start", "true"):
                self._wanted[room.sid] = _wanted(attributes, base_url)
        return room

    def _forget(self) -> None:
        for sid in list(self.known)[:-KEPT]:
            if self.known[sid].status == "completed":
                gone = self.known.pop(sid)
                self._wanted.pop(sid, None)
                if self.open.get((gone.account_sid, gone.name)) is gone:
                    del self.open[gone.account_sid, gone.name]

    async def stay(self, leg: Leg, room: Conference, participant: Participant) -> None:
        """Until the room lets the leg go. Raises Over and Sent."""
        leg.conference, leg.participant = room, participant
        room.join(participant)
        self._record(room)
        waiting = asyncio.create_task(self._entertain(leg, room, participant))
        try:
            await leg.wait(None, participant.out)
        finally:
            waiting.cancel()
            leg.conference = leg.participant = None
            room.leave(leg.sid, "participant_updated_via_api" if leg.was_sent else "participant_hung_up")
            self._record(room)
            leg.hears_somebody(True)

    def _record(self, room: Conference) -> None:
        wanted = self._wanted.get(room.sid)
        if wanted is not None and room.status == "in-progress" and room.recording is None:
            room.recording = self._recordings.start(room.account_sid, wanted, None, room.sid)
        if room.recording is not None and room.status == "completed":
            self._recordings.stop(room.recording)

    async def _entertain(self, leg: Leg, room: Conference, participant: Participant) -> None:
        """What waitUrl plays until the conference begins; an address that is no TwiML counts as music."""
        url = participant.wait_url
        if room.status != "init" or url == "":
            return
        if url is None:
            leg.hear("music", "")
            return
        while room.status == "init":
            try:
                document = parse(await self._webhooks.post(url, params(leg) | {"ConferenceSid": room.sid}))
            except (WebhookFailed, BadTwiml):
                leg.hear("music", url)
                return
            url = await self._perform(leg, room, document.verbs, url)

    async def _perform(self, leg: Leg, room: Conference, verbs: tuple[Verb, ...], url: str) -> str:
        """Where to ask next."""
        before = asyncio.get_running_loop().time()
        for verb in verbs:
            if verb.name == "Redirect":
                return urljoin(url, verb.text)
            if verb.name in ("Say", "Play", "Pause") and room.status == "init":
                await asyncio.sleep(await self._speaker.begin(leg, verb, url) / self._options.speed)
        if asyncio.get_running_loop().time() - before < 0.01:  # an empty document
            await asyncio.sleep(1 / self._options.speed)
        return url

    async def announce(self, room: Conference, listeners: list[Participant], url: str) -> None:
        """Play it to them (https://www.twilio.com/docs/voice/api/conference-participant-resource: AnnounceUrl)."""
        told = {"AccountSid": room.account_sid, "ConferenceSid": room.sid, "FriendlyName": room.name}
        try:
            document = parse(await self._webhooks.post(url, told))
        except (WebhookFailed, BadTwiml) as error:
            detail = {"AnnounceUrl": url, "ReasonAnnouncementFailed": str(error)}
            room.tell("announcement-fail", None, detail)
            return
        for verb in document.verbs:
            for listener in listeners:
                listener.leg.hear("announce", verb.text)
        room.tell("announcement-end", None, {"AnnounceUrl": url})


def _wanted(attributes: dict[str, str], base_url: str) -> Wanted:
    callback = attributes.get("recordingStatusCallback")
    return Wanted(
        "Conference",
        callback=urljoin(base_url, callback) if callback else None,
        events=frozenset(attributes.get("recordingStatusCallbackEvent", "completed").split()),
    )
