"""What we ask an Asterisk for, as headers of AMI actions. Pure, and the one choke point: whatever text comes from
outside leaves here without control characters, in headers that stand on the list, in lines that Asterisk reads."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from callcenter.base.errors import ProviderError

Action = Mapping[str, str | Sequence[str]]
PLACES = ("hold", "goodbye", "recording")  # extensions of the dialplan's context `citizen` that are no room
LONGEST_LINE = 1023  # bytes; Asterisk refuses a longer one ("line too long")

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_ENDPOINT = re.compile(r"[a-z]+-[0-9]+")
_ROOM = re.compile(r"(op-[0-9]+|meet-[0-9a-f-]{36})")
_SOUND = re.compile(r"apology-[0-9a-f]{32}")
_KEYS = re.compile(r"[0-9*#A-D]{1,64}")
_EDIT = re.compile(r"(Action|Cat|Var|Value|Match|Line|Options)-[0-9]{6}")

# Each action with the headers that it may carry. UpdateConfig's are numbered besides (_EDIT).
HEADERS: dict[str, frozenset[str]] = {
    "Login": frozenset({"Username", "Secret", "Events"}),
    "Logoff": frozenset(),
    "Ping": frozenset(),
    "AGI": frozenset({"Channel", "Command", "CommandID"}),
    "ConfbridgeKick": frozenset({"Conference", "Channel"}),
    "ConfbridgeList": frozenset({"Conference"}),
    "ConfbridgeMute": frozenset({"Conference", "Channel"}),
    "ConfbridgeUnmute": frozenset({"Conference", "Channel"}),
    "CoreSettings": frozenset(),
    "CoreShowChannels": frozenset(),
    "CoreStatus": frozenset(),
    "GetConfig": frozenset({"Filename", "Category", "Filter"}),
    "Getvar": frozenset({"Channel", "Variable"}),
    "Hangup": frozenset({"Channel", "Cause"}),
    "MixMonitor": frozenset({"Channel", "File", "Options"}),
    "MixMonitorMute": frozenset({"Channel", "Direction", "State"}),
    "Originate": frozenset(
        {"Channel", "Context", "Exten", "Priority", "Timeout", "CallerID", "Variable", "Async", "ChannelId",
         "OtherChannelId", "EarlyMedia"}
    ),
    "PJSIPQualify": frozenset({"Endpoint"}),
    "PJSIPRegister": frozenset({"Registration"}),
    "PJSIPShowContacts": frozenset(),
    "PJSIPShowEndpoint": frozenset({"Endpoint"}),
    "PJSIPShowRegistrationsOutbound": frozenset(),
    "PJSIPUnregister": frozenset({"Registration"}),
    "PlayDTMF": frozenset({"Channel", "Digit", "Duration", "Receive"}),
    "Redirect": frozenset({"Channel", "Context", "Exten", "Priority"}),
    "Reload": frozenset({"Module"}),
    "Setvar": frozenset({"Channel", "Variable", "Value"}),
    "Status": frozenset({"Channel", "AllVariables"}),
    "StopMixMonitor": frozenset({"Channel", "MixMonitorID"}),
    "UpdateConfig": frozenset({"SrcFilename", "DstFilename", "Reload", "PreserveEffectiveContext"}),
}  # fmt: skip


class BadAction(ProviderError):
    """We were about to ask for something that must not be said to an Asterisk; asking again changes nothing."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, code="bad_action", permanent=True)


def packed(action: Action, action_id: str) -> bytes:
    """The action as it goes over the wire. Raises BadAction for an action or header that is not on the list, and for a
    line that Asterisk would refuse."""
    name = str(action.get("Action", ""))
    if name not in HEADERS:
        raise BadAction(f"{_shown(name)} is no AMI action of ours.")
    lines = [f"Action: {name}", f"ActionID: {clean(action_id)}"]
    for header, value in action.items():
        if header in ("Action", "ActionID"):
            continue
        if header not in HEADERS[name] and not (name == "UpdateConfig" and _EDIT.fullmatch(header)):
            raise BadAction(f"The AMI action {name} has no header {_shown(header)} here.")
        for one in (value,) if isinstance(value, str) else value:
            lines.append(f"{header}: {clean(one)}")
    encoded = [line.encode() for line in lines]
    if any(len(line) > LONGEST_LINE for line in encoded):
        raise BadAction(f"A line of the AMI action {name} is longer than {LONGEST_LINE} bytes.")
    return b"\r\n".join(encoded) + b"\r\n\r\n"


def clean(text: str) -> str:
    """`text` without control characters: what would end a line ends a value instead of beginning a header."""
    return _CONTROL.sub("", text)


def dial(call_id: UUID, trunk: int, number: str, shows: str, *, seconds: int, to: tuple[str, str],
         variables: Mapping[str, str], channel_id: str = "") -> Action:  # fmt: skip
    """Call an outside number through a trunk; who answers goes to `to` (context, extension). Raises BadAction for
    anything but digits in the number."""
    return _originate(
        f"PJSIP/{_number(number)}@trunk-{trunk:d}", channel_id or str(call_id),
        seconds=seconds, to=to, variables=variables, shows=_number(shows) if shows else "",
    )  # fmt: skip


def ring(endpoint: str, channel_id: str, *, seconds: int, to: tuple[str, str], variables: Mapping[str, str]) -> Action:
    """Ring a browser's account (`op-7`, `sup-3`)."""
    return _originate(f"PJSIP/{_fits(_ENDPOINT, endpoint)}", channel_id, seconds=seconds, to=to, variables=variables)


def bridge_rooms(room_a: str, room_b: str, channel_id: str, other_id: str) -> Action:
    """Two halves of one leg, the first in `room_a`, the second in `room_b`."""
    rooms = {"CONVOCA_ROOM": _fits(_ROOM, room_a), "CONVOCA_OTHER_ROOM": _fits(_ROOM, room_b)}
    action = _originate("Local/link@outside/n", channel_id, seconds=5, to=("outside", "room"), variables=rooms)
    return {**action, "OtherChannelId": other_id}


def movement(leg: str, room: str) -> list[Action]:
    """Put an answered leg into a room or one of PLACES, whatever it does now."""
    if room in PLACES:
        return [redirect(leg, "citizen", room)]
    context = "supervisor" if leg.startswith("sup-") else "citizen"
    return [set_room(leg, room), redirect(leg, context, "room")]


def redirect(channel: str, context: str, exten: str) -> Action:
    return {"Action": "Redirect", "Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}


def set_room(channel: str, room: str) -> Action:
    return {"Action": "Setvar", "Channel": channel, "Variable": "CONVOCA_ROOM", "Value": _fits(_ROOM, room)}


def sound(name: str) -> str:
    """The name of an apology of our own. Raises BadAction for anything else."""
    return _fits(_SOUND, name)


def waited(call_id: UUID) -> Action:
    """Did this citizen pick up, and did nobody move them? The answer's `Value` is 1 when the dialplan says so."""
    return {"Action": "Getvar", "Variable": f"CONVOCA_WAITED_{call_id}"}


def hang_up(channel: str, cause: int = 16) -> Action:
    return {"Action": "Hangup", "Channel": channel, "Cause": str(cause)}


def status(channel: str = "") -> Action:
    """One channel, or all of them."""
    return {"Action": "Status"} | ({"Channel": channel} if channel else {})


def key(channel: str, digit: str, *, towards_us: bool = False) -> Action:
    """One DTMF key played to the leg; `towards_us`: as if the leg had pressed it."""
    pressed = {"Action": "PlayDTMF", "Channel": channel, "Digit": digit, "Duration": "120"}
    return pressed | ({"Receive": "true"} if towards_us else {})


def keys(text: str) -> str:
    """Raises BadAction for anything that is no key."""
    return _fits(_KEYS, text)


def record(channel: str, file: str) -> Action:
    """Both directions as two channels of raw sound (`D`)."""
    return {"Action": "MixMonitor", "Channel": channel, "File": file, "Options": "D"}


def mute_recording(channel: str, *, is_on: bool) -> Action:
    return {"Action": "MixMonitorMute", "Channel": channel, "Direction": "both", "State": "1" if is_on else "0"}


def stop_recording(channel: str) -> Action:
    return {"Action": "StopMixMonitor", "Channel": channel}


def add_account(file: str, template: str, name: str, secret: str, *, anew: bool) -> Action:
    """A browser's account in the wizard's file. `anew`: one of this name stands there already."""
    wanted = _fits(_ENDPOINT, name)
    steps = [("DelCat", {"Cat": wanted})] if anew else []
    steps.append(("NewCat", {"Cat": wanted, "Options": f'inherit="{template}"'}))
    for variable, value in (("username", wanted), ("password", secret)):
        steps.append(("Append", {"Cat": wanted, "Var": f"inbound_auth/{variable}", "Value": value}))
    return edit(file, steps)


def remove_account(file: str, name: str) -> Action:
    return edit(file, [("DelCat", {"Cat": _fits(_ENDPOINT, name)})])


def edit(file: str, steps: Sequence[tuple[str, Mapping[str, str]]], *, reload: str = "res_pjsip.so") -> Action:
    """Change a configuration file, all of the steps or none, and reload the module that reads it."""
    action = {"Action": "UpdateConfig", "SrcFilename": file, "DstFilename": file, "Reload": reload}
    for number, (verb, values) in enumerate(steps):
        action[f"Action-{number:06}"] = verb
        action |= {f"{name}-{number:06}": value for name, value in values.items()}
    return action


def _originate(channel: str, channel_id: str, *, seconds: int, to: tuple[str, str], variables: Mapping[str, str],
               shows: str = "") -> Action:  # fmt: skip
    context, exten = to
    action: dict[str, str | Sequence[str]] = {
        "Action": "Originate", "ActionID": channel_id, "ChannelId": channel_id, "Channel": channel,
        "Context": context, "Exten": exten, "Priority": "1", "Async": "true", "Timeout": str(seconds * 1000),
    }  # fmt: skip
    if shows:
        action["CallerID"] = shows
    action["Variable"] = [f"{name}={value}" for name, value in variables.items()]
    return action


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise BadAction("A telephone number for Asterisk is digits with at most a plus before them.")
    return text


def _fits(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise BadAction(f"{_shown(text)} is no name that Asterisk gets from us.")
    return text


def _shown(text: str) -> str:
    return repr(clean(text)[:40])
