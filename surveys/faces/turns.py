"""What goes to and fro between an interview over the line and the line itself: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from surveys.engine import Look, Question
from surveys.fieldwork.quota_cells import Screen
from surveys.forms.items import Items


@dataclass(frozen=True)
class Setting:
    """What an interview over the line stands on. `facts`: values filled from the call; `sponsor`, `notice`: on whose
    behalf, and the address of the privacy notice; `wordings`: our own sentences as this survey says them, by code;
    `screen`: the campaign's quotas as the call began, where they send people away."""

    items: Items
    language: str
    seed: int
    facts: Mapping[str, str]
    sponsor: str
    notice: str
    wordings: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None


@dataclass(frozen=True)
class Say:
    """One sentence. `prompt` names the recording that may stand in for it (`item/vote`, `choice/vote/azul`,
    `system/thanks`); `then` follows such a recording and is part of `text` already."""

    prompt: str
    text: str
    then: "Say | None" = None


@dataclass(frozen=True)
class Step:
    """What the line does now. `act`: listen (play; one of `keys` stops it) | ask (play, read up to `most` keys until
    `#`; `is_open`: so many may come) | wait (a moment for one key) | record (a tone, then the voice) | end (play, hang
    up; `code`: the outcome)."""

    act: str
    say: tuple[Say, ...] = ()
    keys: str = ""
    most: int = 1
    code: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Heard:
    """What came back. `kind`: keys (`keys`, without the ending `#`; '' is `#` alone) | silence (nothing pressed) |
    voice (`value` names the recording) | gone (hung up)."""

    kind: str
    keys: str = ""
    value: str = ""


@dataclass(frozen=True)
class Deed:
    """`kind`: begun (the challenge was met: now it is an interview) | answered | opted_out | voice_agreed |
    voice_declined."""

    kind: str
    item: str = ""
    value: str = ""


@dataclass(frozen=True)
class State:
    """`stage`: intro | challenge | note | question | agreement | invitation | voice | star | over. `after_star`: the
    stage to go on with; `drawn`: how many challenge keys were used up; `code`: the outcome, once the call is over;
    `asked`: the question as it was said last; `look`: at the answers, for whoever asks it again (agi.with_look)."""

    stage: str
    answers: Mapping[str, str]
    item: str = ""
    after_star: str = ""
    silences: int = 0
    faults: int = 0
    readings: int = 0
    drawn: int = 0
    voice: bool | None = None
    code: str = ""
    asked: Question | None = None
    look: Look | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Turn:
    state: State
    step: Step
    deeds: tuple[Deed, ...] = ()
