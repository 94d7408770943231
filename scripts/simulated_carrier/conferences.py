"""Conferences: named rooms in which legs hear each other, and the events that tell of them.

https://www.twilio.com/docs/voice/twiml/conference and .../voice/api/conference-participant-resource"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from scripts.simulated_carrier.recordings import Recording
from scripts.simulated_carrier.resources import API_VERSION, Json, new_sid, now, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params, Webhooks

if TYPE_CHECKING:
    from scripts.simulated_carrier.legs import Leg

MOST = 250  # https://www.twilio.com/docs/voice/twiml/conference: maxParticipants
# The status of a participant, by that of its call.
STATUSES = {"queued": "queued", "ringing": "ringing", "in-progress": "connected"}


@dataclass
class Participant:
    """One leg in a room, with the settings of its <Conference>. `wait_url` "" is silence, None Twilio's music."""

    leg: "Leg"
    label: str | None = None
    muted: bool = False
    hold: bool = False
    starts: bool = True  # startConferenceOnEnter
    ends: bool = False  # endConferenceOnExit
    coaches: str | None = None  # the call that alone hears this one
    wait_url: str | None = None
    joined_at: datetime = field(default_factory=now)
    out: asyncio.Event = field(default_factory=asyncio.Event)  # set when the room lets the leg go
    why_out: str = "participant_hung_up"

    def settings(self) -> Params:
        return {
            "CallSid": self.leg.sid,
            "Muted": str(self.muted).lower(),
            "Hold": str(self.hold).lower(),
            "Coaching": str(self.coaches is not None).lower(),
            **({"CallSidToCoach": self.coaches} if self.coaches else {}),
            "EndConferenceOnExit": str(self.ends).lower(),
            "StartConferenceOnEnter": str(self.starts).lower(),
            **({"ParticipantLabel": self.label} if self.label else {}),
        }


@dataclass
class Conference:
    """Begins with its first participant, ends with its last or with one whose exit ends it; never comes back."""

    account_sid: str
    name: str
    webhooks: Webhooks
    status_callback: str | None = None
    events: frozenset[str] = frozenset()
    most: int = MOST
    sid: str = field(default_factory=lambda: new_sid("CF"))
    status: str = "init"
    reason: str | None = None
    ended_by: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    participants: dict[str, Participant] = field(default_factory=dict)
    coming: dict[str, Participant] = field(default_factory=dict)  # called, and not yet in
    recording: Recording | None = None
    _sequence: int = 0

    def join(self, participant: Participant) -> None:
        self.coming.pop(participant.leg.sid, None)
        self.participants[participant.leg.sid] = participant
        self.tell("participant-join", participant)
        if self.status == "init" and participant.starts:
            self.status = "in-progress"
            self.tell("conference-start", participant)
        self._company_changed()

    def leave(self, call_sid: str, why: str = "participant_hung_up") -> None:
        """Take a leg out; ends the conference when it was the last or its exit ends it."""
        participant = self.participants.pop(call_sid, None)
        if participant is None:
            return
        self._let_go(participant, why)
        kicked = "kicked" if why == "participant_kicked" else "left"
        if participant.ends:
            self.end(f"participant-with-end-conference-on-exit-{kicked}", call_sid)
        elif not self.participants:
            self.end(f"last-participant-{kicked}", call_sid)
        else:
            self._company_changed()

    def never_came(self, call_sid: str, call_status: str) -> None:
        """A leg that was called into this room ended before it was there."""
        participant = self.coming.pop(call_sid, None)
        if participant is not None:
            self.tell("participant-leave", participant, {"ParticipantCallStatus": call_status})
            if not self.participants and not self.coming:
                self.end("last-participant-left", call_sid)

    def end(self, reason: str, call_sid: str | None = None) -> None:
        if self.status == "completed":
            return
        self.status, self.reason, self.ended_by = "completed", reason, call_sid
        for participant in list(self.participants.values()):
            self.participants.pop(participant.leg.sid)
            self._let_go(participant, "conference_ended")
        detail = {"ReasonConferenceEnded": reason, **({"CallSidEndingConference": call_sid} if call_sid else {})}
        self.tell("conference-end", None, detail)

    def _let_go(self, participant: Participant, why: str) -> None:
        participant.why_out = why
        participant.out.set()
        detail = {"ReasonParticipantLeft": why, "ParticipantCallStatus": participant.leg.status}
        self.tell("participant-leave", participant, detail)

    def change(self, participant: Participant, *, muted: bool | None = None, hold: bool | None = None) -> None:
        if muted is not None and muted != participant.muted:
            participant.muted = muted
            self.tell("participant-mute" if muted else "participant-unmute", participant)
        if hold is not None and hold != participant.hold:
            participant.hold = hold
            self.tell("participant-hold" if hold else "participant-unhold", participant)
        self._company_changed()

    def who(self, name: str) -> Participant | None:
        """A participant by the SID of its call or by its label, in the room or on the way."""
        everybody = self.participants | self.coming
        labelled = (one for one in everybody.values() if one.label == name)
        return everybody.get(name) or next(labelled, None)

    def heard_by(self, listener: Participant) -> list[Participant]:
        """Whom this one hears now: nobody on hold, nobody muted, a coach only by who is coached."""
        if self.status != "in-progress" or listener.hold:
            return []
        others = (one for one in self.participants.values() if one is not listener)
        return [
            one for one in others if not (one.muted or one.hold) and one.coaches in (None, listener.leg.sid)
        ]  # fmt: skip

    def _company_changed(self) -> None:
        """A person alone on the line hears silence; on hold, or in a room that has not begun, music."""
        for participant in self.participants.values():
            has_music = participant.hold or (self.status == "init" and participant.wait_url != "")
            has_company = self.status == "in-progress" and len(self.participants) > 1
            participant.leg.hears_somebody(has_company or has_music)

    def tell(self, event: str, participant: Participant | None, detail: Params | None = None) -> None:
        self.updated_at = now()
        self._sequence += 1
        if event.partition("-")[2].removeprefix("un") not in self.events:
            return
        settings = participant.settings() if participant else {}
        told = {
            "AccountSid": self.account_sid,
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "StatusCallbackEvent": event,
            "SequenceNumber": str(self._sequence),
            "Timestamp": rfc2822(now()) or "",
            **settings,
            **(detail or {}),
        }
        self.webhooks.tell(self.status_callback, told, kind="conference")

    def show(self) -> Json:
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "friendly_name": self.name,
            "status": self.status,
            "reason_conference_ended": self.reason,
            "call_sid_ending_conference": self.ended_by,
            "region": "us1",
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "uri": path(self.account_sid, "Conferences", f"{self.sid}.json"),
            "subresource_uris": uris(self.account_sid, "Conferences", self.sid, ("participants", "recordings")),
        }

    def show_participant(self, participant: Participant) -> Json:
        call_sid = participant.leg.sid
        return {
            "account_sid": self.account_sid,
            "call_sid": call_sid,
            "conference_sid": self.sid,
            "label": participant.label,
            "muted": participant.muted,
            "hold": participant.hold,
            "coaching": participant.coaches is not None,
            "call_sid_to_coach": participant.coaches,
            "start_conference_on_enter": participant.starts,
            "end_conference_on_exit": participant.ends,
            "status": STATUSES.get(participant.leg.status, "complete"),
            "queue_time": str(participant.leg.queue_milliseconds),
            "date_created": rfc2822(participant.joined_at),
            "date_updated": rfc2822(self.updated_at),
            "uri": path(self.account_sid, "Conferences", self.sid, "Participants", f"{call_sid}.json"),
        }
