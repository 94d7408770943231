"""A telephone's keys: which one means which answer of a question, and what a person meant by those they pressed. Pure.

`*` repeats, `#` ends what has several keys and alone goes back, `*9` is never again, `*0` no answer.
"""

from dataclasses import dataclass

from surveys.engine import Choice, Question

OPT_OUT, STAR, POUND = "*9", "*", "#"
MOST_FIGURES = 10  # of a number


@dataclass(frozen=True)
class Pad:
    """The keys of one question. `choices`: key → code; `skip`: the key for no answer, '' where one is needed;
    `most`: how many keys are read at most; `is_open`: pressed until `#`."""

    choices: dict[str, str]
    skip: str
    most: int
    is_open: bool


def pad_of(question: Question) -> Pad:
    """One key a choice where ten are enough, as in the console (9 does not know, 0 no answer); else two figures."""
    keys = _keys(question.choices)
    several, number = question.kind == "select_multiple", question.kind == "integer"
    width = max((len(key) for key in keys), default=1)
    most = MOST_FIGURES if number else width * len(keys) if several else width
    skip = "" if question.required else "0" if keys and "0" not in keys and width == 1 else "*0"
    return Pad(keys, skip, max(most, len(skip) if most > 1 else 1), several or number)


def _keys(choices: tuple[Choice, ...]) -> dict[str, str]:
    apart = {choice.role: choice.code for choice in reversed(choices) if choice.is_apart}  # the first of each role
    ordinary = [choice.code for choice in choices if choice.code not in apart.values()]
    is_long = len(choices) > 10
    dk, refused = ("99", "00") if is_long else ("9", "0")
    keys = {dk if role == "dk" else refused: code for role, code in apart.items()}
    free = [f"{number:02}" for number in range(1, 99)] if is_long else list("1234567890")
    return keys | dict(zip((key for key in free if key not in keys), ordinary, strict=False))


@dataclass(frozen=True)
class Meant:
    """What keys mean at a question. `kind`: answer (with `value`) | skip | back | repeat | star | opt_out | wrong."""

    kind: str
    value: str = ""


def read(pad: Pad, keys: str) -> Meant:
    """`keys`: what was pressed, without the `#` that ended it."""
    if keys == "":
        return Meant("back")
    if OPT_OUT in keys:
        return Meant("opt_out")
    if pad.skip and keys == pad.skip:
        return Meant("skip")
    if STAR in keys:
        return Meant("star" if keys == STAR and not pad.is_open and pad.most == 1 else "repeat")
    if not pad.choices:
        return Meant("answer", keys)
    return _choice(pad, keys)


def _choice(pad: Pad, keys: str) -> Meant:
    width = max(len(key) for key in pad.choices)
    pressed = [keys[at : at + width] for at in range(0, len(keys), width)]
    codes = [pad.choices.get(key) for key in pressed]
    if None in codes or (len(codes) > 1 and not pad.is_open):
        return Meant("wrong")
    return Meant("answer", " ".join(dict.fromkeys(code for code in codes if code)))
