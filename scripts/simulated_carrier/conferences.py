"""Conferences: named rooms in which legs hear each other, and the events that tell of them."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from scripts.simulated_carrier.resources import API_VERSION, Json, new_sid, now, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params, Webhooks

if TYPE_CHECKING:
    from scripts.simulated_carrier.legs import Leg


@dataclass
class Participant:
    """One leg in a room, with the settings of its <Conference>."""

    leg: "Leg"
    label: str | None = None
    muted: bool = False
    hold: bool = False
    starts: bool = True  # startConferenceOnEnter
    ends: bool = False  # endConferenceOnExit
    joined_at: datetime = field(default_factory=now)
    out: asyncio.Event = field(default_factory=asyncio.Event)  # set when the room lets the leg go

    def settings(self) -> Params:
        return {
            "CallSid": self.leg.sid,
            "Muted": str(self.muted).lower(),
            "Hold": str(self.hold).lower(),
            "Coaching": "false",
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
    sid: str = field(default_factory=lambda: new_sid("CF"))
    status: str = "init"
    reason: str | None = None
    ended_by: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    participants: dict[str, Participant] = field(default_factory=dict)
    _sequence: int = 0

    def join(self, participant: Participant) -> None:
        self.participants[participant.leg.sid] = participant
        self._tell("participant-join", participant)
        if self.status == "init" and participant.starts:
            self.status = "in-progress"
            self._tell("conference-start", participant)
        self._company_changed()

    def leave(self, call_sid: str, reason: str = "participant-with-end-conference-on-exit-left") -> None:
        """Take a leg out; ends the conference when it was the last or its exit ends it."""
        participant = self.participants.pop(call_sid, None)
        if participant is None:
            return
        participant.out.set()
        self._tell("participant-leave", participant)
        if participant.ends:
            self.end(reason, call_sid)
        elif not self.participants:
            self.end("last-participant-left", call_sid)
        else:
            self._company_changed()

    def end(self, reason: str, call_sid: str | None = None) -> None:
        if self.status == "completed":
            return
        self.status, self.reason, self.ended_by = "completed", reason, call_sid
        for participant in list(self.participants.values()):
            self.participants.pop(participant.leg.sid)
            participant.out.set()
            self._tell("participant-leave", participant)
        detail = {"ReasonConferenceEnded": reason, **({"CallSidEndingConference": call_sid} if call_sid else {})}
        self._tell("conference-end", None, detail)

    def change(self, participant: Participant, *, muted: bool | None = None, hold: bool | None = None) -> None:
        if muted is not None and muted != participant.muted:
            participant.muted = muted
            self._tell("participant-mute" if muted else "participant-unmute", participant)
        if hold is not None and hold != participant.hold:
            participant.hold = hold
            self._tell("participant-hold" if hold else "participant-unhold", participant)

    def _company_changed(self) -> None:
        """A person alone on the line, or in a room that has not begun, hears silence."""
        has_company = self.status == "in-progress" and len(self.participants) > 1
        for participant in self.participants.values():
            participant.leg.hears_somebody(has_company)

    def _tell(self, event: str, participant: Participant | None, detail: Params | None = None) -> None:
        self.updated_at = now()
        self._sequence += 1
        if event.partition("-")[2].removeprefix("un") not in self.events:
            return
        settings = participant.settings() if participant else {}
        self.webhooks.tell(
            self.status_callback,
            {
                "AccountSid": self.account_sid,
                "ConferenceSid": self.sid,
                "FriendlyName": self.name,
                "StatusCallbackEvent": event,
                "SequenceNumber": str(self._sequence),
                "Timestamp": rfc2822(now()) or "",
                **settings,
                **(detail or {}),
            },
        )

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
            "coaching": False,
            "call_sid_to_coach": None,
            "start_conference_on_enter": participant.starts,
            "end_conference_on_exit": participant.ends,
            "status": "connected",
            "queue_time": "0",
            "date_created": rfc2822(participant.joined_at),
            "date_updated": rfc2822(self.updated_at),
            "uri": path(self.account_sid, "Conferences", self.sid, "Participants", f"{call_sid}.json"),
        }
