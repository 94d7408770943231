"""Our Asterisks as a carrier and a switchboard: what the house asks for, as AMI actions to the right one of them."""

import threading
from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from callcenter import switches, trunks
from callcenter.base import sealed
from callcenter.base.db import open_session
from callcenter.base.errors import NotFound, ProviderError
from callcenter.carriers import Dial, Ear, Known, Route, Trace
from callcenter.carriers.asterisk import actions, events
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.client import Answer, Client, Packet
from callcenter.ledger.call_states import WAITS
from callcenter.telephony import softphones

ACCOUNTS, TEMPLATE = "pjsip_accounts.conf", "browser-wiz"
ROOM_RING, SUPERVISOR_RING = 10, 15  # seconds until a page that does not take its leg is given up
SETTLED = 5.0  # seconds after which a switch that was reached anew is known to have been started anew, if it was
SPY_KEYS = {"listen": "4", "coach": "5"}  # ChanSpy's own keys (option d)


class AsteriskCarrier:
    """One kept worker's connection to each switch; safe for several threads."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._opening = threading.Lock()

    # Carrier

    def lines(self, session: Session) -> int:
        return trunks.lines(session)

    def calls_per_second(self) -> int | None:
        return None  # each trunk has its own, which `route` keeps

    def route(self, session: Session, phone: str, caller_id: str, queue_id: int) -> Route:
        return trunks.choose(session, phone, caller_id, queue_id)

    def place(self, dial: Dial) -> str:
        start = "wait" if dial.machine_detection == "off" else "amd"
        care = {}
        if dial.answered_by == "operator":
            care["CONVOCA_PATIENCE"] = f"{WAITS.total_seconds():g}"
        if dial.apology:
            care["CONVOCA_APOLOGY"] = actions.sound(dial.apology)
        return self._dial(dial, ("citizen", start), care)

    def hang_up(self, ref: str) -> None:
        try:
            self._ask_leg(ref, actions.hang_up(leg_of(ref)))
        except ProviderError as error:
            if error.code != "gone":
                raise

    def find(self, trace: Trace) -> Known | None:
        """Asks the switch of the reference, or else each of them: a call's id is its channel's. A switch that was
        reached only this moment says nothing yet of calls that it has not."""
        names = [trace.ref.partition("/")[0]] if trace.ref else _switch_names()
        leg = leg_of(trace.ref) if trace.ref else str(trace.call_id)
        for name in names:
            found = self._channel(name, leg)
            if found is not None:
                return Known(f"{name}/{leg}", events.state_event(found), {"asked": True})
        since = [_booted_after(name, trace) for name in names]
        if any(since):
            ref = trace.ref or f"{names[since.index(True)]}/{leg}"
            return Known(ref, "lost", {"why": "switch_restarted"})
        if any(self._client(name).age < SETTLED for name in names):
            # It may have been started this moment, and nobody has noted it yet: “never was” would dial anew.
            raise ProviderError("The switch was reached only this moment.", code="just_back")
        return None

    def open_room(self, operator_id: int) -> str:
        name = f"op-{operator_id}"
        ref = f"{_home(name)}/{name}-{uuid4().hex[:8]}"
        self._ring(ref, ("operator", "room"), {"CONVOCA_ROOM": name}, ROOM_RING)
        return ref

    def is_room_open(self, ref: str) -> bool:
        return self._channel(*_parts(ref)) is not None

    def close_room(self, ref: str) -> None:
        self.hang_up(ref)

    # Switchboard

    def move(self, ref: str, room: str) -> None:
        switch, leg = _parts(ref)
        for action in actions.movement(leg, room):
            self.ask(switch, action)

    def invite(self, dial: Dial, room: str) -> str:
        if room == "recording":  # somebody tries a recorded survey on their own telephone
            return self._dial(dial, ("citizen", "recording"), {})
        return self._dial(dial, ("outside", "room"), {"CONVOCA_ROOM": room})

    def try_trunk(self, dial: Dial) -> str:
        """Call a number for the test of a trunk: who answers hears our sentence. Returns the reference."""
        return self._dial(dial, ("trunk-test", "s"), {})

    def link(self, switch: str, room: str, other: str, leg_id: UUID) -> str:
        self.ask(switch, actions.bridge_rooms(room, other, str(leg_id), f"{leg_id}-far"))
        return f"{switch}/{leg_id}"

    def send_keys(self, ref: str, keys: str, _room: str) -> None:
        for digit in actions.keys(keys):
            self._ask_leg(ref, actions.key(leg_of(ref), digit))

    def record(self, ref: str, name: str, act: str) -> None:
        leg = leg_of(ref)
        if act == "start":
            action = actions.record(leg, _recording_file(_parts(ref)[0], name))
        elif act == "stop":
            action = actions.stop_recording(leg)
        else:
            action = actions.mute_recording(leg, is_on=act == "pause")
        self._ask_leg(ref, action)

    def listen(self, ear: Ear) -> str:
        """Who joins listens first, and is moved into the room when the page has taken the leg."""
        ref = ear.ref or ""
        heard = {"CONVOCA_TARGET": leg_of(ear.operator_ref), "CONVOCA_SPY": "w" if ear.mode == "coach" else ""}
        self._ring(ref, ("supervisor", "listen"), heard, SUPERVISOR_RING)
        return ref

    def set_listening(self, ear: Ear) -> None:
        ref = ear.ref or ""
        if ear.mode == "join":
            self.move(ref, ear.room)
        else:
            self._ask_leg(ref, actions.key(leg_of(ref), SPY_KEYS[ear.mode], towards_us=True))

    def open_account(self, switch: str, name: str, secret: str) -> None:
        """An account that is there gets the new secret."""
        try:
            self.ask(switch, actions.add_account(ACCOUNTS, TEMPLATE, name, secret, anew=True))
        except ProviderError as error:
            if error.code != "ami_refused":
                raise
            self.ask(switch, actions.add_account(ACCOUNTS, TEMPLATE, name, secret, anew=False))

    def close_account(self, switch: str, name: str) -> None:
        try:
            self.ask(switch, actions.remove_account(ACCOUNTS, name))
        except ProviderError as error:
            if error.code != "ami_refused":  # there is none: as it should be
                raise

    def ask(self, switch: str, action: Action) -> Answer:
        """Do one action as this switch's worker. Raises ProviderError."""
        client = self._client(switch)
        try:
            return client.ask(action)
        except ProviderError as error:
            if error.code in ("wrong_password", "unreachable", "not_ami"):
                self._forget(switch, client)  # its door may have been moved since
            raise

    def close(self) -> None:
        """End every connection; the next use connects again."""
        for switch, client in list(self._clients.items()):
            self._forget(switch, client)

    def _ask_leg(self, ref: str, action: Action) -> Answer:
        return self.ask(_parts(ref)[0], action)

    def _dial(self, dial: Dial, to: tuple[str, str], variables: Mapping[str, str]) -> str:
        route = dial.route
        if route is None or route.switch is None or route.trunk is None:
            raise ProviderError("There is no trunk for this call.", code="no_trunk", permanent=True)
        action = actions.dial(
            dial.call_id, route.trunk, route.number, route.shows, seconds=dial.ring_seconds, to=to,
            variables={"CONVOCA_CALL": str(dial.call_id), **variables},
        )  # fmt: skip
        self.ask(route.switch, action)
        return f"{route.switch}/{dial.call_id}"

    def _ring(self, ref: str, to: tuple[str, str], variables: Mapping[str, str], seconds: int) -> None:
        """Ring a browser's account, which the leg is named after."""
        switch, leg = _parts(ref)
        endpoint = leg.rpartition("-")[0]
        self.ask(switch, actions.ring(endpoint, leg, seconds=seconds, to=to, variables=variables))

    def _channel(self, switch: str, leg: str) -> Packet | None:
        """What Asterisk says of this channel; None when it has none."""
        try:
            answer = self.ask(switch, actions.status(leg))
        except ProviderError as error:
            if error.code == "gone":
                return None
            raise
        return next((packet for packet in answer.events if packet.get("Uniqueid") == leg), None)

    def _client(self, switch: str) -> Client:
        with self._opening:
            if switch not in self._clients:
                self._clients[switch] = Client(_door(switch))
            return self._clients[switch]

    def _forget(self, switch: str, client: Client) -> None:
        client.close()
        with self._opening:
            if self._clients.get(switch) is client:
                del self._clients[switch]


def leg_of(ref: str) -> str:
    """The channel's unique id in a reference."""
    return _parts(ref)[1]


def _parts(ref: str) -> tuple[str, str]:
    switch, slash, leg = ref.partition("/")
    if not slash or not leg:
        raise ProviderError("This leg is on no telephone switch.", code="gone", permanent=True)
    return switch, leg


def _door(switch: str) -> switches.Door:
    try:
        with open_session() as session:
            return switches.door(session, switch, "worker")
    except NotFound:
        raise ProviderError(f"There is no switch {switch}.", code="no_switch", permanent=True) from None
    except sealed.Unreadable as error:
        raise ProviderError(str(error), code="sealed", permanent=True) from None


def _home(name: str) -> str:
    with open_session() as session:
        return softphones.home(session, name)


def _switch_names() -> list[str]:
    with open_session() as session:
        return [switch.name for switch in switches.all_switches(session)]


def _booted_after(name: str, trace: Trace) -> bool:
    """Did the switch start anew since we meant to call? Then it has forgotten what it did before."""
    with open_session() as session:
        booted_at = switches.named(session, name).booted_at
    return booted_at is not None and booted_at > trace.since


def _recording_file(switch: str, name: str) -> str:
    with open_session() as session:
        folder = switches.named(session, switch).folder_there
    return f"{folder}/recordings/{UUID(name)}.raw"
