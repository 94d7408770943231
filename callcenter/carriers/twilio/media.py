"""Sound at Twilio: recordings of calls begun, paused, found, fetched and deleted there; a message left after the tone.

https://www.twilio.com/docs/voice/api/recording"""

from pathlib import Path
from typing import Any
from uuid import UUID

from requests import Session as HttpSession
from requests.exceptions import RequestException
from twilio.rest import Client

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import Dial, RemoteSound
from callcenter.carriers.twilio import wire
from callcenter.carriers.twilio.wire import ask

CURRENT = "Twilio.CURRENT"  # the recording that runs: https://www.twilio.com/docs/voice/api/recording
BECOMES = {"pause": "paused", "resume": "in-progress", "stop": "stopped"}
# https://www.twilio.com/docs/api/errors/21220 "call is not in-progress", 20404 "not found": the leg has ended.
OVER = ("21220", "20404")
NEVER = ("absent", "failed", "deleted")  # statuses of a recording that has no sound, and will have none
CHUNK, READ = 64 * 1024, 60  # bytes; seconds between two of them


def detection(hooks: str, dial: Dial) -> dict[str, Any]:
    """What a call is asked for besides when a machine that picks up is to be told apart, while people talk at once.

    A machine is judged at its tone where a message is to be left, else as soon as it is heard:
    https://www.twilio.com/docs/voice/answering-machine-detection"""
    if dial.machine_detection == "off":
        return {}
    return {
        "machine_detection": "DetectMessageEnd" if dial.leaves_message else "Enable",
        "async_amd": "true",
        "async_amd_status_callback": f"{hooks}/machine/{dial.call_id}",
        "async_amd_status_callback_method": "POST",
    }


class Media:
    """The part of the carrier that has to do with sound. Same rules as every Carrier."""

    _client: Client
    _hooks: str
    _account: Twilio
    _downloads: HttpSession | None = None

    def record(self, ref: str, name: str, act: str) -> None:
        """`act`: start | pause | resume | stop the recording of this leg, which hears of itself under `name` (a UUID).

        Two channels: what the leg says, and what it hears. A pause writes silence. A leg that has ended is `gone`."""
        recordings = self._client.calls(ref).recordings
        try:
            if act == "start":
                ask(lambda: recordings.create(
                    recording_channels="dual", recording_track="both", trim="do-not-trim",
                    recording_status_callback=f"{self._hooks}/recording/{name}",
                    recording_status_callback_event=["completed", "absent"],
                ))  # fmt: skip
            elif act == "pause":
                ask(lambda: recordings(CURRENT).update(status="paused", pause_behavior="silence"))
            else:
                ask(lambda: recordings(CURRENT).update(status=BECOMES[act]))
        except ProviderError as error:
            if error.code in OVER:
                raise ProviderError("This leg has ended.", code="gone", permanent=True) from None
            raise

    def sounds_of(self, ref: str, source: str) -> list[RemoteSound]:
        """What Twilio has recorded of a call by `source` (OF_CALLS, OF_VERBS), the newest first."""
        found = ask(lambda: self._client.calls(ref).recordings.list(limit=20))
        found.sort(key=lambda one: one.date_created, reverse=True)
        return [RemoteSound(one.sid, str(one.status), str(one.source)) for one in found if str(one.source) == source]

    def fetch_sound(self, sid: str, target: Path) -> None:
        """Write the recording as WAV to `target`, which only we may read. Raises ProviderError (`not_there`: not yet;
        `gone`, permanent: there is none and will be none) and OSError."""
        url = f"{self._client.api.base_url}/2010-04-01/Accounts/{self._account.account_sid}/Recordings/{sid}.wav"
        self._downloads = self._downloads or wire.session()
        auth = (str(self._client.username), str(self._client.password))
        try:
            with self._downloads.get(
                self._client.get_hostname(url), params={"RequestedChannels": "2"}, auth=auth, stream=True,
                timeout=(wire.SECONDS, READ),
            ) as answer:  # fmt: skip
                if answer.status_code == 200:
                    target.touch(mode=0o600)
                    with target.open("wb") as file:
                        for piece in answer.iter_content(CHUNK):
                            file.write(piece)
                    return
                status = answer.status_code
        except RequestException as error:
            raise ProviderError(f"The carrier broke off ({type(error).__name__}).", code="cut_off") from None
        self._say_why(sid, status)

    def _say_why(self, sid: str, status: int) -> None:
        """Raises what a recording that could not be fetched means: https://www.twilio.com/docs/voice/api/recording says
        404 of the sound while it is processed, and when there is none."""
        if status != 404:
            raise ProviderError(f"The carrier answers {status} to a recording.", code=str(status))
        try:
            known = str(ask(lambda: self._client.recordings(sid).fetch()).status)
        except ProviderError as error:
            if error.code != "20404":
                raise
            known = "deleted"
        if known in NEVER:
            raise ProviderError("The carrier has no sound of this.", code="gone", permanent=True)
        raise ProviderError("The carrier has not finished this recording.", code="not_there")

    def remove_sound(self, sid: str) -> None:
        """Delete a recording at Twilio; harmless when there is none."""
        try:
            ask(lambda: self._client.recordings(sid).delete())
        except ProviderError as error:
            if error.code != "20404":
                raise

    def leave_message(self, ref: str, call_id: UUID) -> None:
        """Take a leg out of wherever it is, and let it hear the campaign's message once the tone has come."""
        try:
            ask(lambda: self._client.calls(ref).update(url=f"{self._hooks}/message/{call_id}", method="POST"))
        except ProviderError as error:
            if error.code in OVER:
                raise ProviderError("This leg has ended.", code="gone", permanent=True) from None
            raise
