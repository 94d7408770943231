"""Recordings: of a call, of a conference, of a message; what becomes of each, and who is told.

https://www.twilio.com/docs/voice/api/recording and .../voice/api/recording#recordingstatuscallback"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.resources import API_VERSION, Json, new_sid, now, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params, Webhooks

TOO_SHORT = 16101  # error of a recording that is absent: https://help.twilio.com/articles/360014251313
SHORTEST = 0.2  # seconds
RUNNING = ("in-progress", "paused")
KEPT = 5_000


@dataclass(frozen=True)
class Wanted:
    """How to record and whom to tell. `events`: in-progress completed absent."""

    source: str
    channels: int = 1
    track: str = "both"
    callback: str | None = None
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass
class Recording:
    """`seconds` counts the carrier's own time while it runs; a pause that is skipped is left out."""

    account_sid: str
    wanted: Wanted
    call_sid: str | None
    conference_sid: str | None
    clock: Callable[[], float]
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: str = "in-progress"
    error_code: int | None = None
    is_deleted: bool = False
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    _counted: float = 0.0
    _since: float | None = None

    def __post_init__(self) -> None:
        self._since = self.clock()

    @property
    def seconds(self) -> float:
        return self._counted + (self.clock() - self._since if self._since is not None else 0.0)

    def pause(self, *, keeps_time: bool) -> None:
        """`keeps_time`: the pause becomes silence (https://www.twilio.com/docs/voice/api/recording: PauseBehavior)."""
        if not keeps_time:
            self.stop_clock()
        self.status = "paused"

    def resume(self) -> None:
        if self._since is None:
            self._since = self.clock()
        self.status = "in-progress"

    def stop_clock(self, seconds: float | None = None) -> None:
        """`seconds`: its whole length, when something else than the clock says it."""
        self._counted, self._since = (self.seconds if seconds is None else seconds), None

    @property
    def address(self) -> str:
        return path(self.account_sid, "Recordings", self.sid)

    def show(self) -> Json:
        """As below Calls and Conferences; `show_whole` is the resource itself."""
        is_known = self.status in ("completed", "absent")
        below = ("Calls", self.call_sid) if self.call_sid else ("Conferences", self.conference_sid or "")
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "call_sid": self.call_sid,
            "conference_sid": self.conference_sid,
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "start_time": rfc2822(self.created_at),
            "duration": str(round(self.seconds)) if is_known else "-1",
            "price": None,
            "price_unit": "USD",
            "status": self.status,
            "channels": self.wanted.channels,
            "source": self.wanted.source,
            "error_code": self.error_code,
            "track": self.wanted.track,
            "encryption_details": None,
            "uri": path(self.account_sid, *below, "Recordings", f"{self.sid}.json"),
        }

    def show_of_conference(self) -> Json:
        shown = self.show()
        del shown["track"]
        return shown

    def show_whole(self, base_url: str) -> Json:
        return self.show_of_conference() | {
            "status": "deleted" if self.is_deleted else self.status,
            "uri": f"{self.address}.json",
            "media_url": base_url + self.address,
            "subresource_uris": uris(self.account_sid, "Recordings", self.sid, ("add_on_results", "transcriptions")),
        }


class Recordings:
    """All of them; `base_url` is where their sound is fetched."""

    def __init__(self, options: Options, webhooks: Webhooks, base_url: Callable[[], str]) -> None:
        self._options, self._webhooks, self.base_url = options, webhooks, base_url
        self.known: dict[str, Recording] = {}
        self._chance = random.Random(options.seed)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, account_sid: str, wanted: Wanted, call_sid: str | None, conference_sid: str | None) -> Recording:
        loop = asyncio.get_running_loop()
        recording = Recording(
            account_sid, wanted, call_sid, conference_sid, lambda: loop.time() * self._options.speed
        )  # fmt: skip
        self.known[recording.sid] = recording
        if len(self.known) > KEPT:
            del self.known[next(iter(self.known))]
        self._tell(recording, "in-progress")
        return recording

    def find(self, sid: str) -> Recording:
        """Raises ApiError."""
        recording = self.known.get(sid)
        if recording is None or recording.is_deleted:
            raise errors.not_found(f"/Recordings/{sid}")
        return recording

    def of(self, *, call_sid: str | None = None, conference_sid: str | None = None) -> list[Recording]:
        """Newest first."""
        return [
            found
            for found in reversed(self.known.values())
            if not found.is_deleted
            and call_sid in (None, found.call_sid)
            and conference_sid in (None, found.conference_sid)
        ]

    def stop(self, recording: Recording, seconds: float | None = None) -> None:
        """It is over; some time later it can be fetched, or never. Harmless when it was over."""
        if recording.status not in RUNNING:
            return
        recording.stop_clock(seconds)
        recording.status, recording.updated_at = "processing", now()
        dice, options = self._chance.random(), self._options
        if dice < options.recording_lost_share:
            return
        dice -= options.recording_lost_share
        status = "completed"
        if recording.seconds < SHORTEST or dice < options.recording_absent_share:
            status = "absent"
        elif dice < options.recording_absent_share + options.recording_failed_share:
            status = "failed"
        task = asyncio.create_task(self._finish(recording, status))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, recording: Recording, status: str) -> None:
        await asyncio.sleep(self._options.recording_seconds / self._options.speed)
        # The resource knows no `failed`: its error says so (twilio_api_v2010.json, recording_enum_status).
        recording.status = "absent" if status == "failed" else status
        recording.error_code = {"absent": TOO_SHORT, "failed": 16100}.get(status)
        recording.updated_at = now()
        self._tell(recording, status)

    def _tell(self, recording: Recording, status: str) -> None:
        wanted = recording.wanted
        if status not in wanted.events and not (status == "failed" and "absent" in wanted.events):
            return
        told: Params = {
            "AccountSid": recording.account_sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": self.base_url() + recording.address,
            "RecordingStatus": status,
            "RecordingDuration": str(round(recording.seconds)) if status != "in-progress" else "-1",
            "RecordingChannels": str(wanted.channels),
            "RecordingStartTime": rfc2822(recording.created_at) or "",
            "RecordingSource": wanted.source,
            "RecordingTrack": wanted.track,
            "ErrorCode": str(recording.error_code or 0),
            **({"CallSid": recording.call_sid} if recording.call_sid else {}),
            **({"ConferenceSid": recording.conference_sid} if recording.conference_sid else {}),
        }
        self._webhooks.tell(wanted.callback, told, kind="recording", method=wanted.method)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
