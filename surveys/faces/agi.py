"""The interview over a telephone's keys as a pure function: what to say, what to read, what came of it.

`begin` and `hear` return a Turn: the next state, one step for the line, and deeds for whoever keeps the answers. Who
calls and why comes first; then a key drawn by chance, which neither a voicemail nor a silent line presses; only then
does the interview begin. No clock, no database, no Asterisk.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from callcenter.base.errors import InvalidInput
from surveys.engine import Look, Question, refused_consent
from surveys.faces import keypad, spoken
from surveys.faces.keypad import OPT_OUT, POUND, STAR, Meant
from surveys.faces.spoken import FACE, challenge, own
from surveys.faces.turns import Deed, Heard, Say, Setting, State, Step, Turn
from surveys.fieldwork import screening

SILENCES, FAULTS, READINGS = 2, 3, 8  # at one question, before the call ends politely


def begin(setting: Setting) -> Turn:
    """A citizen has picked up."""
    return _again(setting, State("intro", dict(setting.facts)))


def resume(setting: Setting, answers: Mapping[str, str], *, voice: bool | None = None) -> Turn:
    """Go on with an interview that was interrupted on our side; `answers`: what is kept of it already."""
    state = State("question", {**setting.facts, **answers}, voice=voice)
    return _go_on(setting, state, (own(setting, "resumed"),))


def hear(setting: Setting, state: State, heard: Heard) -> Turn:
    """What the line does after this. A hang-up ends with the outcome that the answers so far deserve."""
    state = with_look(setting, state)
    if heard.kind == "gone" or state.stage == "over":
        code = outcome(setting, state)
        return Turn(replace(state, stage="over", code=code), Step("end", code=code))
    return _HEARERS[state.stage](setting, state, heard)


def with_look(setting: Setting, state: State) -> State:
    """The same state, whose answers are looked at once however often something is asked of them."""
    return replace(state, look=_look(setting, state))


def trouble(setting: Setting, state: State) -> Turn:
    """We cannot go on: say so and end."""
    return _end(setting, state, "trouble")


def outcome(setting: Setting, state: State) -> str:
    """A code of callcenter.ledger.dispositions. Who went away before we had said who calls has refused nothing."""
    if state.code:
        return state.code
    stages, look = (state.stage, state.after_star), _look(setting, state)
    if "intro" in stages:
        return "no_reply"
    if "challenge" in stages or refused_consent(setting.items, state.answers):
        return "refused"
    if look.is_finished:
        return "completed"
    only = screening.only(setting.screen, setting.items, state.answers)
    if only is not None and screening.is_finished(look, only):
        return "over_quota"
    if look.has_substance:
        return "partial"
    return "no_reply" if state.silences >= SILENCES else "refused"


# ── What is heard, stage by stage


def _hear_intro(setting: Setting, state: State, heard: Heard) -> Turn:
    if heard.keys == "9":
        return _opt_out(setting, state)
    if heard.keys == STAR:
        return _wait_after_star(state)
    return _again(setting, replace(state, stage="challenge"))


def _hear_challenge(setting: Setting, state: State, heard: Heard) -> Turn:
    if heard.keys in ("9", OPT_OUT):
        return _opt_out(setting, state)
    if heard.keys == STAR:
        return _wait_after_star(state)
    if heard.keys == challenge(setting, state.drawn):
        begun = replace(state, stage="question")
        return _with(Deed("begun"), _go_on(setting, begun, (own(setting, "help"),)))
    missed = replace(state, silences=state.silences + 1, drawn=state.drawn + 1)
    if missed.silences >= SILENCES + (heard.kind == "keys"):
        return _end(setting, missed, "thanks", outcome_code="no_reply")  # nobody showed that they are there
    return _again(setting, missed, (own(setting, "silence" if heard.kind == "silence" else "wrong_key"),))


def _hear_note(setting: Setting, state: State, heard: Heard) -> Turn:
    if heard.keys == STAR:
        return _wait_after_star(state)
    if heard.kind == "keys" and heard.keys in ("", POUND):
        return _back(setting, state)
    return _answered(setting, state, "")


def _hear_question(setting: Setting, state: State, heard: Heard) -> Turn:
    asked = _question(setting, state)
    if asked is None:  # the answers before it no longer lead here
        return _go_on(setting, state)
    if heard.kind == "silence":
        return _silence(setting, state)
    return _act(setting, state, keypad.read(keypad.pad_of(asked), heard.keys))


def _hear_agreement(setting: Setting, state: State, heard: Heard) -> Turn:
    if heard.kind == "silence":
        return _silence(setting, state)
    if heard.keys == "1":
        agreed = replace(state, voice=True, stage="invitation", silences=0, faults=0, readings=0)
        return _with(Deed("voice_agreed"), _again(setting, agreed))
    if heard.keys in ("2", "0"):
        return _with(Deed("voice_declined"), _answered(setting, replace(state, voice=False), ""))
    kinds = {"": "back", STAR: "star", OPT_OUT: "opt_out"}
    return _act(setting, state, Meant(kinds.get(heard.keys, "wrong")))


def _hear_invitation(setting: Setting, state: State, heard: Heard) -> Turn:  # noqa: ARG001 - as its siblings
    if heard.keys == STAR:
        return _wait_after_star(state)
    return Turn(replace(state, stage="voice"), Step("record"))


def _hear_voice(setting: Setting, state: State, heard: Heard) -> Turn:
    if heard.kind == "voice":
        return _answered(setting, state, heard.value)
    if state.silences:  # nothing was said twice: the answer is none
        return _answered(setting, state, "")
    return _again(setting, replace(state, stage="invitation", silences=1), (own(setting, "silence"),))


def _hear_star(setting: Setting, state: State, heard: Heard) -> Turn:
    state = replace(state, stage=state.after_star, after_star="")
    if heard.keys == "9":
        return _opt_out(setting, state)
    asked = _question(setting, state) if state.stage == "question" else None
    if heard.keys == "0" and asked is not None and keypad.pad_of(asked).skip:
        return _take(setting, state, "")
    return _repeat(setting, state)


_HEARERS: dict[str, Callable[[Setting, State, Heard], Turn]] = {
    "intro": _hear_intro, "challenge": _hear_challenge, "note": _hear_note, "question": _hear_question,
    "agreement": _hear_agreement, "invitation": _hear_invitation, "voice": _hear_voice, "star": _hear_star,
}  # fmt: skip


# ── What is done next


def _act(setting: Setting, state: State, meant: Meant) -> Turn:
    if meant.kind == "opt_out":
        return _opt_out(setting, state)
    if meant.kind == "back":
        return _back(setting, state)
    if meant.kind == "star":
        return _wait_after_star(state)
    if meant.kind == "repeat":
        return _repeat(setting, state)
    if meant.kind == "wrong":
        return _fault(setting, state, own(setting, "no_option"))
    return _take(setting, state, meant.value)


def _take(setting: Setting, state: State, given: str) -> Turn:
    """An answer, when the questionnaire allows it."""
    try:
        value = _look(setting, state).read(state.item, given)
    except InvalidInput:
        said = spoken.complaint(setting, state.item) if given else own(setting, "not_valid")
        return _fault(setting, state, said)
    return _answered(setting, state, value)


def _go_on(setting: Setting, state: State, lead: tuple[Say, ...] = ()) -> Turn:
    """To the first question that has no answer."""
    asked = _next(setting, state)
    state = replace(state, silences=0, faults=0, readings=0, item=asked.name if asked else "", asked=asked)
    if asked is None:
        return _end(setting, state, "thanks")
    if asked.kind == "audio" and state.voice is False:
        return _answered(setting, state, "")
    stage = {"note": "note", "audio": "invitation" if state.voice else "agreement"}.get(asked.kind, "question")
    return _again(setting, replace(state, stage=stage), lead)


def _next(setting: Setting, state: State) -> Question | None:
    """The next question; of somebody whose group has enough people the strata alone."""
    only = screening.only(setting.screen, setting.items, state.answers)
    look = _look(setting, state)
    return look.next_question() if only is None else screening.next_question(look, only)


def _again(setting: Setting, state: State, lead: tuple[Say, ...] = ()) -> Turn:
    """Say what belongs to the stage, after `lead`."""
    if state.stage in ("intro", "challenge", "agreement"):
        return Turn(state, spoken.step(setting, state, lead))
    asked = _question(setting, state)
    if asked is None:
        return _go_on(setting, state, lead)
    return Turn(replace(state, asked=asked), spoken.step(setting, state, lead, asked))


def _answered(setting: Setting, state: State, value: str) -> Turn:
    deed = Deed("answered", state.item, value)
    return _with(deed, _go_on(setting, replace(state, answers={**state.answers, state.item: value})))


def _back(setting: Setting, state: State) -> Turn:
    """The question before this one; at the first one it is repeated. Notes and voices are not gone back to."""
    kinds = {item["name"]: item["type"] for item in setting.items["items"]}
    way = _look(setting, state).path
    place = way.index(state.item) if state.item in way else len(way)
    before = [name for name in way[:place] if kinds[name] not in ("note", "audio")]
    if not before:
        return _repeat(setting, state)
    return _repeat(setting, replace(state, stage="question", item=before[-1], silences=0, faults=0))


def _repeat(setting: Setting, state: State) -> Turn:
    """Once more; but a line may not be held for ever."""
    again = replace(state, readings=state.readings + 1)
    if again.readings >= READINGS:
        return _end(setting, again, "broken_off")
    return _again(setting, again)


def _silence(setting: Setting, state: State) -> Turn:
    silent = replace(state, silences=state.silences + 1, readings=state.readings + 1)
    if silent.silences >= SILENCES:
        return _end(setting, silent, "broken_off")
    return _again(setting, silent, (own(setting, "silence"),))


def _fault(setting: Setting, state: State, complaint: Say) -> Turn:
    wrong = replace(state, faults=state.faults + 1, silences=0, readings=state.readings + 1)
    if wrong.faults >= FAULTS or wrong.readings >= READINGS:
        return _end(setting, wrong, "broken_off")
    return _again(setting, wrong, (complaint,))


def _wait_after_star(state: State) -> Turn:
    return Turn(replace(state, stage="star", after_star=state.stage), Step("wait"))


def _opt_out(setting: Setting, state: State) -> Turn:
    ended = replace(state, stage="over", after_star="", code="do_not_call")
    return Turn(ended, Step("end", (own(setting, "opted_out"),), code="do_not_call"), (Deed("opted_out"),))


def _end(setting: Setting, state: State, goodbye: str, outcome_code: str = "") -> Turn:
    code = outcome_code or outcome(setting, state)
    said = code if goodbye == "thanks" and code == "over_quota" else goodbye
    return Turn(replace(state, stage="over", code=code), Step("end", (own(setting, said),), code=code))


def _with(deed: Deed, turn: Turn) -> Turn:
    return replace(turn, deeds=(deed, *turn.deeds))


def _question(setting: Setting, state: State) -> Question | None:
    """The question of this state; the one that was said last while nothing was answered since."""
    if state.asked is not None and state.asked.name == state.item:
        return state.asked
    return _look(setting, state).question(state.item)


def _look(setting: Setting, state: State) -> Look:
    if state.look is not None and state.look.answers is state.answers:
        return state.look
    return Look(setting.items, state.answers, setting.seed, language=setting.language, face=FACE)
