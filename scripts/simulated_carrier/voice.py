"""The life of a leg: dialled, rung, answered, and then led by TwiML until somebody hangs up."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urljoin

from scripts.simulated_carrier.call_resource import params
from scripts.simulated_carrier.dialling import Dialling
from scripts.simulated_carrier.journal import Journal, our_id
from scripts.simulated_carrier.legs import Failed, Leg, Over, Sent, Source
from scripts.simulated_carrier.machine_detection import HUMAN, UNKNOWN, Finding, find
from scripts.simulated_carrier.menus import Menus
from scripts.simulated_carrier.notifications import ERROR, WARNING, Notification, Notifications
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.recordings import Recordings
from scripts.simulated_carrier.rooms import Rooms
from scripts.simulated_carrier.speaking import KEY_SECONDS, Speaker
from scripts.simulated_carrier.twiml import BadTwiml, Verb, parse
from scripts.simulated_carrier.webhooks import Params, WebhookFailed, Webhooks

log = logging.getLogger(__name__)
SET_UP_SECONDS = 0.15  # from the request to the first ring
# https://www.twilio.com/docs/voice/api/call-resource: Timeout; Twilio lets it ring so much longer than it was told.
RINGS_LONGER = 5.0
MAX_DOCUMENTS = 5_000  # a Redirect that never ends must
APOLOGY = "We are sorry, an application error has occurred. Goodbye."
Tune = Callable[[Leg, Verb], Coroutine[Any, Any, Source | None]]
SIP_STATUSES = {408: "no-answer", 480: "no-answer", 487: "no-answer", 486: "busy", 600: "busy", 603: "busy"}


class Voice:
    """Leads legs. `known_as(our_id, leg)` hears by which of its own ids the caller knows a leg."""

    def __init__(
        self, options: Options, webhooks: Webhooks, journal: Journal, notifications: Notifications,
        recordings: Recordings, speaker: Speaker,
    ) -> None:  # fmt: skip
        self.options, self.webhooks, self.journal = options, webhooks, journal
        self.notifications, self.recordings = notifications, recordings
        self.known_as: Callable[[str, Leg], None] = lambda _our_id, _leg: None
        self.rooms = Rooms(options, webhooks, recordings, speaker)
        self.dialling = Dialling(self, self.rooms)
        self._speaker, self._menus = speaker, Menus(speaker, recordings, webhooks)
        self.tasks: set[asyncio.Task[None]] = set()

    async def live(self, leg: Leg) -> None:
        """From `queued` to a final status."""
        try:
            final = await self.ring(leg)
            if final == "in-progress":
                self.answered(leg)
                final = await self._talk(leg)
        except Over:
            unanswered = "no-answer" if leg.direction == "inbound" else "canceled"
            final = "completed" if leg.answered_at else unanswered
        # A cancelled task (the carrier stops) ends nothing: the next start reports the outage.
        self.end(leg, final)

    def end(self, leg: Leg, final: str) -> None:
        for recording in leg.recordings:
            self.recordings.stop(recording)
        if leg.room is not None and leg.answered_at is None:
            leg.room.never_came(leg.sid, final)
        leg.move(final, "completed")
        self.journal.write("end", sid=leg.sid, to=leg.to, status=final, by=leg.hung_up_by)

    async def ring(self, leg: Leg) -> str:
        """The status it comes to: in-progress when somebody answers."""
        if leg.direction == "inbound":
            leg.move("ringing", "ringing")
            return "in-progress"
        leg.move("queued", "initiated")
        reaction = leg.reaction
        if reaction is None:  # an operator's browser
            leg.move("ringing", "ringing")
            return "in-progress"
        await leg.wait(SET_UP_SECONDS)
        if reaction.sip is not None:
            leg.sip = reaction.sip
            return SIP_STATUSES.get(reaction.sip, "failed")
        if reaction.kind == "invalid":
            return "failed"
        leg.move("ringing", "ringing")
        if reaction.kind == "stuck":
            await leg.wait(None)
        patience = leg.timeout + RINGS_LONGER
        await leg.wait(min(reaction.ring_seconds, patience))
        if reaction.kind == "busy":
            return "busy"
        return "no-answer" if reaction.ring_seconds > patience else "in-progress"

    def answered(self, leg: Leg) -> None:
        if leg.status != "in-progress" and leg.direction != "inbound":
            leg.move("in-progress", "answered")
        if leg.reaction is not None:
            leg.hang_up_in(leg.reaction.stay_seconds, "citizen")
        leg.hang_up_in(leg.time_limit, "limit")
        if leg.recorded is not None:
            leg.recordings.append(self.recordings.start(leg.account_sid, leg.recorded, leg.sid, None))

    async def _talk(self, leg: Leg) -> str:
        if leg.send_digits:
            leg.hear("keys", leg.send_digits)
            await leg.wait(KEY_SECONDS * len(leg.send_digits))
        if leg.detection is not None:
            await self._detect(leg)
        if leg.room is not None:
            return await self._take_part(leg)
        try:
            await self.lead(leg, leg.source)
        except Failed:
            return "completed" if leg.answered_at else "failed"
        return "completed" if leg.answered_at else "busy"  # a call that we rejected

    async def _detect(self, leg: Leg) -> None:
        assert leg.detection is not None
        if leg.reaction is None:
            finding = Finding(HUMAN, 1.2)
        else:
            finding = find(leg.detection, leg.reaction, self.options, (leg.chance("amd"), leg.chance("amd/luck")))
        if leg.detection.is_async:
            self.beside(self._tell_later(leg, finding))
            return
        await leg.wait(finding.seconds)
        leg.finding = finding

    async def _tell_later(self, leg: Leg, finding: Finding) -> None:
        """https://www.twilio.com/docs/voice/answering-machine-detection#asyncamdstatuscallback"""
        assert leg.detection is not None
        try:
            await asyncio.wait_for(leg.ended.wait(), finding.seconds / self.options.speed)
            finding = Finding(UNKNOWN, leg.elapsed)  # they hung up before it was known
        except TimeoutError:
            pass
        leg.finding = finding
        told = {
            "CallSid": leg.sid, "AccountSid": leg.account_sid, "AnsweredBy": finding.answered_by,
            "MachineDetectionDuration": finding.milliseconds,
        }  # fmt: skip
        self.webhooks.tell(leg.detection.callback, told, kind="amd", method=leg.detection.method)

    async def _take_part(self, leg: Leg) -> str:
        assert leg.room is not None
        participant = leg.room.coming.get(leg.sid)
        assert participant is not None
        try:
            await self.rooms.stay(leg, leg.room, participant)
        except Sent:
            leg.source, leg.room = leg.take_source(), None
            return await self._talk_on(leg)
        return "completed"

    async def _talk_on(self, leg: Leg) -> str:
        with contextlib.suppress(Failed):
            await self.lead(leg, leg.source)
        return "completed"

    async def lead(self, leg: Leg, source: Source) -> None:
        """Follow TwiML to its end. Raises Failed after telling the person so, and Over."""
        for _ in range(MAX_DOCUMENTS):
            try:
                following = await self._follow(leg, await self._document(leg, source))
            except Sent:
                source = leg.take_source()
                continue
            except (WebhookFailed, BadTwiml) as error:
                await self._apologise(leg, str(error))
                raise Failed from None
            if following is None:
                return
            source = following

    async def _apologise(self, leg: Leg, error: str) -> None:
        log.warning("call %s: %s", leg.sid, error)
        if leg.answered_at:
            leg.hear("error", APOLOGY)
            try:
                await leg.wait(3)
            except Sent:
                leg.take_source()

    async def _document(self, leg: Leg, source: Source) -> tuple[Verb, ...]:
        """The verbs of the document at the source, else of its fallback. Raises WebhookFailed, BadTwiml, Over, Sent."""
        if source.url is None:
            return self._read(leg, source.twiml or "<Response/>", None)
        self._note(leg, source.url)
        try:
            body = await self._ask(source.url, params(leg) | source.params, source.method)
            leg.check()
            leg.base_url = source.url
            return self._read(leg, body, source.url)
        except (WebhookFailed, BadTwiml) as error:
            code, _, text = str(error).partition(" ")
            if isinstance(error, WebhookFailed):
                self._notify(leg, int(code), text, source.url, ERROR)
            if source.fallback_url is None:
                raise
            told = params(leg) | source.params | {"ErrorCode": code, "ErrorUrl": source.url}
            body = await self.webhooks.post(source.fallback_url, told, source.fallback_method)
        leg.check()
        leg.base_url = source.fallback_url
        return self._read(leg, body, source.fallback_url)

    async def _ask(self, url: str, told: Params, method: str) -> str:
        """As often as it takes: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides (rc)."""
        asked = 2 if self.webhooks.happens(self.options.refetched_share) else 1
        overrides = dict(parse_qsl(urldefrag(url).fragment))
        tries = asked + (int(overrides["rc"]) if overrides.get("rc", "").isdigit() else 0)
        for number in range(1, tries + 1):
            try:
                body = await self.webhooks.post(url, told, method)
            except WebhookFailed:
                if number == tries:
                    raise
                continue
            if number >= asked:
                return body
        raise AssertionError("the last try returns or raises")

    def _note(self, leg: Leg, url: str) -> None:
        known_as = our_id(url)
        if known_as is not None:
            self.known_as(known_as, leg)
        self.journal.write("answer", sid=leg.sid, to=leg.to, id=known_as)

    def _read(self, leg: Leg, body: str, url: str | None) -> tuple[Verb, ...]:
        try:
            document = parse(body)
        except BadTwiml as error:
            self._notify(leg, error.code, error.text, url, ERROR)
            raise
        for code, text in document.warnings:
            self._notify(leg, code, text, url, WARNING)
        return document.verbs

    def _notify(self, leg: Leg, code: int, text: str, url: str | None, kind: str) -> None:
        self.notifications.write(Notification(leg.account_sid, code, text, leg.sid, url, kind))

    def warn(self, leg: Leg, code: int, text: str) -> None:
        """Into the debugger."""
        self._notify(leg, code, text, leg.base_url or None, ERROR)

    async def _follow(self, leg: Leg, verbs: tuple[Verb, ...]) -> Source | None:
        """Do the verbs in turn; returns where to go on, or None at the end."""
        for verb in verbs:
            if leg.direction == "inbound" and leg.answered_at is None and verb.name != "Reject":
                leg.move("in-progress", "answered")
            following = await self._verbs[verb.name](leg, verb)
            if following is not None:
                return following if following.url or following.twiml else None
        return None

    @property
    def _verbs(self) -> dict[str, Tune]:
        return {
            "Say": self._prompt, "Play": self._prompt, "Pause": self._prompt, "Gather": self._menus.gather,
            "Record": self._menus.record, "Dial": self.dialling.dial, "Redirect": _redirect, "Hangup": _hang_up,
            "Reject": _hang_up,
        }  # fmt: skip

    async def _prompt(self, leg: Leg, verb: Verb) -> None:
        await self._speaker.prompt(leg, verb)

    def beside(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run it in the background as long as the carrier lives."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


async def _hang_up(leg: Leg, _: Verb) -> Source:
    leg.hung_up_by = "twiml"
    return Source()


async def _redirect(leg: Leg, verb: Verb) -> Source:
    return Source(url=urljoin(leg.base_url, verb.text), method=verb.method())
