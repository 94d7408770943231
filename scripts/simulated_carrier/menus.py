"""<Gather> and <Record>: what a person presses and says when they are asked."""

from collections import deque
from urllib.parse import urljoin

from scripts.simulated_carrier import interviewees
from scripts.simulated_carrier.call_resource import params
from scripts.simulated_carrier.keys import offered
from scripts.simulated_carrier.legs import Leg, Over, Source
from scripts.simulated_carrier.recordings import Recording, Recordings, Wanted
from scripts.simulated_carrier.speaking import Speaker
from scripts.simulated_carrier.twiml import Verb
from scripts.simulated_carrier.webhooks import Params, Webhooks

THINKS, PRESSES = 1.5, 0.3  # seconds until the first key, and between two
BEEP = 0.5
ANY_KEY = "1234567890*#"


class Menus:
    def __init__(self, speaker: Speaker, recordings: Recordings, webhooks: Webhooks) -> None:
        self._speaker, self._recordings, self._webhooks = speaker, recordings, webhooks

    async def gather(self, leg: Leg, verb: Verb) -> Source | None:
        """https://www.twilio.com/docs/voice/twiml/gather. None: nothing came, the next verb follows."""
        leg.menus += 1
        leg.keys.forget()
        leg.speech.clear()
        kinds = verb.words("input", "dtmf")
        listens = [*([leg.keys.arrived] if "dtmf" in kinds else []), *([leg.speech] if "speech" in kinds else [])]
        for prompt in verb.inner:
            if await self._speaker.prompt(leg, prompt, *listens):
                break
        told: Params = {}
        if "dtmf" in kinds:
            told = await self._type(leg, verb)
        if "speech" in kinds and not told.get("Digits"):
            told = await self._understand(leg, verb) or told
        is_empty = not (told.get("Digits") or told.get("SpeechResult"))
        if is_empty and not verb.says("actionOnEmptyResult", default=False):
            return None
        return _action(leg, verb, told | {"msg": "Gather End"})

    async def _type(self, leg: Leg, verb: Verb) -> Params:
        finish, limit = verb.attributes.get("finishOnKey", "#"), verb.number("numDigits", 1_000)
        timeout, typed, finished = verb.number("timeout", 5), "", ""
        plan = deque(_plan(leg, verb))
        while len(typed) < limit:
            key = await self._next_key(leg, plan, timeout, THINKS if not typed else PRESSES)
            if key is None:
                break
            leg.pressed += key
            if key in finish:
                finished = key
                break
            typed += key
        return {"Digits": typed, "FinishedOnKey": finished}

    async def _next_key(self, leg: Leg, plan: deque[str], timeout: float, delay: float) -> str | None:
        if not leg.keys.arrived.is_set():
            if not plan:
                await leg.wait(timeout, leg.keys.arrived, leg.speech)
            elif not await leg.wait(min(delay, timeout / 2), leg.keys.arrived):
                return plan.popleft()
        return leg.keys.take()

    async def _understand(self, leg: Leg, verb: Verb) -> Params | None:
        """Speech; whoever has been told no words says the same ones always."""
        said = leg.reaction if leg.reaction is not None else None
        if not leg.speech.is_set() and (said is None or said.says <= 0):
            await leg.wait(verb.number("timeout", 5), leg.speech)
        if leg.speech.is_set():
            words = leg.spoken[-1]
        elif said is not None and said.says > 0:
            await leg.wait(said.says)
            words = said.words
        else:
            return None
        return {"SpeechResult": words, "Confidence": "0.91", "Language": verb.attributes.get("language", "en-US")}

    async def record(self, leg: Leg, verb: Verb) -> Source | None:
        """https://www.twilio.com/docs/voice/twiml/record. None: nothing was said, the next verb follows."""
        leg.keys.forget()
        leg.speech.clear()
        if verb.says("playBeep", default=True):
            await leg.wait(BEEP)
        recording = self._recordings.start(leg.account_sid, _wanted(leg, verb), leg.sid, None)
        leg.recordings.append(recording)
        began = leg.elapsed
        try:
            spoken, key = await self._listen(leg, verb)
        except Over:
            spoken = min(leg.elapsed - began, max(leg.reaction.says if leg.reaction else 0.0, leg.speech_seconds))
            self._hung_up(leg, verb, recording, spoken)
            raise
        trims = verb.attributes.get("trim", "trim-silence") != "do-not-trim"
        self._recordings.stop(recording, spoken if trims or not spoken else leg.elapsed - began)
        return _action(leg, verb, self._said(recording, key)) if spoken else None

    async def _listen(self, leg: Leg, verb: Verb) -> tuple[float, str]:
        """Seconds of speech, and the key that ended it."""
        finish, longest = verb.attributes.get("finishOnKey", ANY_KEY), verb.number("maxLength", 3600)
        spoken, going_to_say = 0.0, leg.reaction.says if leg.reaction is not None else 0.0
        while spoken < longest:
            began = leg.elapsed
            listens = (leg.keys.arrived,) if going_to_say else (leg.keys.arrived, leg.speech)
            seconds = min(going_to_say, longest - spoken) if going_to_say else verb.number("timeout", 5)
            came = await leg.wait(seconds, *listens)
            if going_to_say:
                spoken += min(leg.elapsed - began, seconds)
            if leg.keys.arrived.is_set() and (key := leg.keys.take() or "") in finish:
                return spoken, key
            if not going_to_say and not came:
                break
            going_to_say = leg.speech_seconds if leg.speech.is_set() else 0.0
            leg.speech.clear()
        return spoken, ""

    def _hung_up(self, leg: Leg, verb: Verb, recording: Recording, spoken: float) -> None:
        """What was said until then is kept, and `action` hears of it although nobody is on the line."""
        self._recordings.stop(recording, spoken)
        if spoken:
            action = _action(leg, verb, self._said(recording, "hangup"))
            told = params(leg) | {"CallStatus": "completed"} | action.params
            self._webhooks.tell(action.url, told, method=action.method)

    def _said(self, recording: Recording, key: str) -> Params:
        return {
            "RecordingSid": recording.sid,
            "RecordingUrl": self._recordings.base_url() + recording.address,
            "RecordingDuration": str(round(recording.seconds)),
            "Digits": key,
        }


def _plan(leg: Leg, verb: Verb) -> str:
    """What this person is going to press."""
    reaction = leg.reaction
    if reaction is None or reaction.kind != "answer":
        return ""
    if reaction.presses:
        return reaction.presses[leg.menus - 1] if leg.menus <= len(reaction.presses) else ""
    if reaction.digits is not None:
        return reaction.digits
    said = [prompt.text for prompt in verb.inner]
    if leg.person is not None and (known := interviewees.keys(leg.person, said)) is not None:
        return known
    text = " ".join(said)
    return leg.person.chooses(offered(text) or "12", text or str(leg.menus)) if leg.person is not None else ""


def _action(leg: Leg, verb: Verb, told: Params) -> Source:
    """Without an action the current document is asked again."""
    return Source(urljoin(leg.base_url, verb.attributes.get("action", "")), params=told, method=verb.method())


def _wanted(leg: Leg, verb: Verb) -> Wanted:
    callback = verb.attributes.get("recordingStatusCallback")
    return Wanted(
        "RecordVerb",
        callback=urljoin(leg.base_url, callback) if callback else None,
        method=verb.method("recordingStatusCallbackMethod"),
        events=verb.words("recordingStatusCallbackEvent", "completed"),
        track="inbound",
    )
