"""What a recorded survey says at each stage of a call, and which keys it reads then. Pure."""

from dataclasses import replace

from surveys import engine
from surveys.engine import Question
from surveys.faces import keypad
from surveys.faces.keypad import Pad
from surveys.faces.sentences import sentence, spoken_address, spoken_key
from surveys.faces.turns import Say, Setting, State, Step

FACE = "agi"
CHALLENGES = "12345678"  # 9 is never again


def step(setting: Setting, state: State, lead: tuple[Say, ...] = (), asked: Question | None = None) -> Step:
    """The step of this stage; `asked`: the question, where the stage has one; `lead` is said first."""
    if state.stage == "intro":
        address = spoken_address(setting.notice, setting.language)
        identity = own(setting, "identify", sponsor=setting.sponsor, notice=address)
        return Step("listen", (*lead, identity), keys="9*")
    if state.stage == "challenge":
        return Step("ask", (*lead, keyed(setting, "challenge", challenge(setting, state.drawn))))
    if state.stage == "agreement":
        return Step("ask", (*lead, own(setting, "agreement")))
    assert asked is not None
    label = Say(f"item/{asked.name}", asked.label)
    if state.stage == "note":
        return Step("listen", (*lead, label), keys="*#123456789")
    if state.stage == "invitation":
        return Step("listen", (*lead, label, own(setting, "speak")), keys="*#")
    pad = keypad.pad_of(asked)
    return Step("ask", (*lead, label, *_choices(setting, asked, pad)), most=pad.most, is_open=pad.is_open)


def challenge(setting: Setting, drawn: int) -> str:
    """The key to press; another one each time."""
    order = engine.shuffled(CHALLENGES, setting.seed, "challenge")
    return order[drawn % len(order)]


def own(setting: Setting, code: str, **values: str) -> Say:
    """A sentence of our own, as this survey words it."""
    worded = setting.wordings.get(code)
    text = worded.format_map(values) if worded else sentence(code, setting.language, **values)
    return Say(f"system/{code}", text)


def keyed(setting: Setting, code: str, key: str) -> Say:
    """A sentence that names a key; each key has a recording of its own."""
    said = own(setting, code, key=spoken_key(key, setting.language))
    return replace(said, prompt=f"system/{code}/{key}")


def complaint(setting: Setting, item: str) -> Say:
    """Why an answer is not possible: in the questionnaire's words where it has some."""
    text = engine.complaint(setting.items, item, setting.language)
    return Say(f"complaint/{item}", text) if text else own(setting, "not_valid")


def _choices(setting: Setting, asked: Question, pad: Pad) -> tuple[Say, ...]:
    """The choices with their keys, in their order; and how else to go on."""
    keys = {code: key for key, code in pad.choices.items()}
    said = [_option(setting, asked.name, choice, keys[choice.code]) for choice in asked.choices if choice.code in keys]
    if asked.kind == "integer":
        said.append(own(setting, "number"))
    if asked.kind == "select_multiple":
        said.append(own(setting, "several"))
    if pad.skip:
        said.append(keyed(setting, "skip", pad.skip))
    return tuple(said)


def _option(setting: Setting, item: str, choice: engine.Choice, key: str) -> Say:
    whole = own(setting, "option", label=choice.label, key=spoken_key(key, setting.language))
    return Say(f"choice/{item}/{choice.code}", whole.text, keyed(setting, "press", key))
