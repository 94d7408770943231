"""The life of a leg: dialled, rung, answered, and then led by TwiML until somebody hangs up."""

import logging
from urllib.parse import urljoin

from scripts.simulated_carrier.conferences import Conference, Participant
from scripts.simulated_carrier.journal import Journal, our_id
from scripts.simulated_carrier.legs import Leg, Over, Sent, Source
from scripts.simulated_carrier.twiml import BadTwiml, Verb, parse
from scripts.simulated_carrier.webhooks import WebhookFailed, Webhooks

log = logging.getLogger(__name__)
SET_UP_SECONDS = 0.15  # from the request to the first ring
LETTERS_A_SECOND = 15
MAX_DOCUMENTS = 100  # a Redirect that never ends must


class Voice:
    """Leads legs; keeps the rooms they meet in."""

    def __init__(self, account_sid: str, webhooks: Webhooks, journal: Journal) -> None:
        self.account_sid, self.webhooks, self.journal = account_sid, webhooks, journal
        self.rooms: dict[str, Conference] = {}  # those in progress, by name
        self.conferences: dict[str, Conference] = {}  # all, by sid

    async def live(self, leg: Leg) -> None:
        """From `queued` to a final status."""
        try:
            final = await self._ring(leg)
            if final == "in-progress":
                leg.move("in-progress", "answered")
                final = await self._talk(leg)
        except Over:
            final = "completed" if leg.answered_at else "canceled"
        # A cancelled task (the carrier stops) ends nothing: the next start reports the outage.
        leg.move(final, "completed")
        self.journal.write("end", sid=leg.sid, to=leg.to, status=final, by=leg.hung_up_by)

    async def _ring(self, leg: Leg) -> str:
        """The status it comes to: in-progress when somebody answers."""
        leg.move("queued", "initiated")
        reaction = leg.reaction
        if reaction is None:  # an operator's browser
            leg.move("ringing", "ringing")
            return "in-progress"
        await leg.wait(SET_UP_SECONDS)
        if reaction.kind == "invalid":
            return "failed"
        leg.move("ringing", "ringing")
        await leg.wait(min(reaction.ring_seconds, leg.timeout))
        if reaction.kind == "busy":
            return "busy"
        return "no-answer" if reaction.ring_seconds > leg.timeout else "in-progress"

    async def _talk(self, leg: Leg) -> str:
        if leg.reaction is not None:
            leg.patience(leg.reaction.stay_seconds)
        source = leg.source
        if leg.room is not None:
            return await self._take_part(leg, leg.room)
        for _ in range(MAX_DOCUMENTS):
            try:
                following = await self._follow(leg, await self._document(leg, source))
            except Sent:
                source = leg.take_source()
                continue
            except (WebhookFailed, BadTwiml) as error:
                log.warning("call %s: %s", leg.sid, error)
                return "completed" if leg.answered_at else "failed"
            if following is None:
                return "completed"
            source = following
        return "completed"

    async def _take_part(self, leg: Leg, room: Conference) -> str:
        try:
            await self.stay(leg, room, Participant(leg))
        except Sent:
            leg.source, leg.room = leg.take_source(), None
            return await self._talk(leg)
        return "completed"

    async def _document(self, leg: Leg, source: Source) -> tuple[Verb, ...]:
        if source.url is None:
            return parse(source.twiml or "<Response/>")
        leg.base_url = source.url
        self.journal.write("answer", sid=leg.sid, to=leg.to, id=our_id(source.url))
        try:
            body = await self.webhooks.post(source.url, leg.params() | source.params)
        except WebhookFailed:
            if source.fallback_url is None:
                raise
            body = await self.webhooks.post(source.fallback_url, leg.params() | {"ErrorCode": "11200"})
        leg.check()
        return parse(body)

    async def _follow(self, leg: Leg, verbs: tuple[Verb, ...]) -> Source | None:
        """Do the verbs in turn; returns where to go on, or None at the end."""
        for verb in verbs:
            following = await getattr(self, f"_{verb.name.lower()}")(leg, verb)
            if following is not None:
                return following if following.url or following.twiml else None
        return None

    async def _say(self, leg: Leg, verb: Verb) -> None:
        await leg.wait(max(len(verb.text) / LETTERS_A_SECOND, 0.3) * max(verb.number("loop", 1), 1))

    async def _play(self, leg: Leg, _: Verb) -> None:
        await leg.wait(3)

    async def _pause(self, leg: Leg, verb: Verb) -> None:
        await leg.wait(verb.number("length", 1))

    async def _hangup(self, leg: Leg, _: Verb) -> Source:
        leg.hung_up_by = "twiml"
        return Source()

    async def _reject(self, leg: Leg, verb: Verb) -> Source:
        return await self._hangup(leg, verb)

    async def _redirect(self, leg: Leg, verb: Verb) -> Source:
        return Source(url=urljoin(leg.base_url, verb.text))

    async def _gather(self, leg: Leg, verb: Verb) -> Source | None:
        """The person presses their digits after the prompt, or nothing comes and the next verb follows."""
        for prompt in verb.inner:
            await getattr(self, f"_{prompt.name.lower()}")(leg, prompt)
        digits = leg.reaction.digits if leg.reaction else ""
        if not digits:
            await leg.wait(verb.number("timeout", 5))
            return None
        await leg.wait(1.5)
        pressed = digits[: int(verb.number("numDigits", len(digits)))]
        action = urljoin(leg.base_url, verb.attributes.get("action", ""))
        return Source(url=action, params={"Digits": pressed, "FinishedOnKey": "", "msg": "Gather End"})

    async def _dial(self, leg: Leg, verb: Verb) -> Source | None:
        """Join the conference inside, stay until it lets go, then ask `action` for more."""
        inner = next((noun for noun in verb.inner if noun.name == "Conference"), None)
        if inner is None:
            raise BadTwiml("12200 Schema validation warning: the simulation dials conferences only")
        room = self.room(inner.text, inner.attributes)
        participant = Participant(
            leg,
            label=inner.attributes.get("participantLabel"),
            muted=inner.says("muted", default=False),
            starts=inner.says("startConferenceOnEnter", default=True),
            ends=inner.says("endConferenceOnExit", default=False),
        )
        await self.stay(leg, room, participant)
        action = verb.attributes.get("action")
        if action is None:
            return None
        told = {"DialCallStatus": "answered", "DialCallDuration": str(leg.seconds), "ConferenceSid": room.sid}
        return Source(url=urljoin(leg.base_url, action), params=told)

    async def stay(self, leg: Leg, room: Conference, participant: Participant) -> None:
        leg.conference = room
        room.join(participant)
        try:
            await leg.wait(None, until=participant.out)
        finally:
            leg.conference = None
            room.leave(leg.sid)
            leg.hears_somebody(True)

    def room(self, name: str, attributes: dict[str, str]) -> Conference:
        """The conference in progress of that name, or a new one with these settings."""
        room = self.rooms.get(name)
        if room is None or room.status == "completed":
            room = Conference(
                self.account_sid,
                name,
                self.webhooks,
                status_callback=attributes.get("statusCallback"),
                events=frozenset(attributes.get("statusCallbackEvent", "").split()),
            )
            self.rooms[name] = self.conferences[room.sid] = room
        return room
