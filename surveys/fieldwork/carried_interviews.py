"""A recorded survey over a carrier that asks for each of its steps (Twilio): the first document, and every next one.

It is the interview of `scripts.ivr`: the same face, the same material, the same `record_answer`. Asked twice, each
function gives the same document and writes nothing more; the webhook commits.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.ledger import voicemails
from surveys.faces import agi, twiml
from surveys.faces.turns import Heard, State, Step, Turn
from surveys.faces.twiml import Way
from surveys.fieldwork import call_material, carried_talks, carried_words, recorded_calls
from surveys.fieldwork.call_material import Material, Settled
from surveys.fieldwork.carried_addresses import Addresses
from surveys.fieldwork.carried_talks import CarriedTalk
from surveys.fieldwork.recorded_calls import Talking
from surveys.voice import prompt_trials
from surveys.voice.prompt_trials import PromptTrial

log = logging.getLogger(__name__)
PLAIN = ("stage", "item", "after_star", "silences", "faults", "readings", "drawn", "voice", "code")
LEAVES = {"intro": "no_reply", "challenge": "refused"}  # before there are answers that could say it (agi.outcome)


def begin(session: Session, call_id: UUID, where: Addresses, trial: PromptTrial | None = None) -> str:
    """The first document of a call that is connected to a recorded survey, or of a try of one's own telephone; later
    the one that it is at."""
    talk = carried_talks.find(session, call_id)
    if talk is not None:
        return talk.document
    material = call_material.of_trial(session, trial) if trial is not None else _opened(session, call_id)
    if material is None:
        return twiml.hang_up()
    screen = material.setting.screen
    full = None if screen is None else [list(values) for values in sorted(screen.full)]
    talk = CarriedTalk(call_id=call_id, number=material.number, turn=0, full=full, state={}, document="")
    session.add(talk)
    _say(talk, agi.begin(material.setting), material, where)
    return talk.document


def _opened(session: Session, call_id: UUID) -> Material | None:
    subject = recorded_calls.subject(session, carried_talks.CARRIER, str(call_id))
    if subject is None:
        return None
    material = call_material.of_call(session, subject)
    recorded_calls.begin(session, call_id, carried_talks.CARRIER)
    if material is None:  # its survey is closed
        recorded_calls.finish(session, call_id, "no_reply")
    return material


def go_on(session: Session, call_id: UUID, turn: int, form: Mapping[str, str], where: Addresses) -> str:
    """The document after what was heard in answer to number `turn`; the present one for an answer heard before."""
    found = recorded_calls.talking(session, call_id)
    if found is None or found.is_over:
        return _closed(session, call_id, where)
    talk = found.talk
    if turn != talk.turn:
        return talk.document
    material = None if talk.state["stage"] == "over" else _material(session, found)
    if material is None:
        _end(session, talk)
        return _closed(session, call_id, where)
    _take(session, talk, material, form, where)
    return talk.document


def _closed(session: Session, call_id: UUID, where: Addresses) -> str:
    """What a leg hears whose call is over: nothing, or a machine the campaign's message."""
    outcome = session.scalar(select(Attempt.outcome).where(Attempt.id == call_id))
    return twiml.go_to(where.message(call_id)) if outcome == voicemails.CODE else twiml.hang_up()


def _material(session: Session, found: Talking) -> Material | None:
    """None when the call was closed by others."""
    talk, subject = found.talk, found.subject
    if "answers" in talk.state:
        material = call_material.of_trial(session, session.get_one(PromptTrial, talk.call_id), talk.number)
        return replace(material, answers=talk.state["answers"])
    settled = Settled(talk.number, None if talk.full is None else frozenset(tuple(values) for values in talk.full))
    return call_material.of_turn(session, subject, settled) if subject else None


def _end(session: Session, talk: CarriedTalk) -> None:
    """The goodbye was heard to its end."""
    if "answers" in talk.state:
        prompt_trials.end(session, talk.call_id)
        session.delete(talk)
    elif talk.state["stage"] == "over":
        recorded_calls.finish(session, talk.call_id, talk.state["code"])


def _take(session: Session, talk: CarriedTalk, material: Material, form: Mapping[str, str], where: Addresses) -> None:
    state, step = _state(talk, material), Step(**talk.state["step"])
    heard = _named(twiml.heard(step, form))
    if material.trial and step.act == "record":  # nothing was recorded: nothing of a try is kept
        heard = Heard("voice", value=str(uuid4()))
    if state.stage == "intro" and heard.kind == "keys" and heard.keys not in tuple(step.keys):
        # Twilio lets every key cut a prompt short: who calls and why is said once more, to its end.
        if not talk.state["insisted"]:
            talk.turn += 1
            _say(talk, agi.begin(material.setting), material, where, insist=True)
            return
        heard = Heard("silence")
    following = agi.hear(material.setting, state, heard)
    try:
        if not material.trial:
            carried_words.keep(session, talk, material, carried_words.Exchange(state, heard, following, form))
    except Refused as refusal:  # the survey was closed in the meantime
        log.warning("call %s: %s", talk.call_id, refusal.code)
        following = agi.trouble(material.setting, state)
    talk.turn += 1
    _say(talk, following, material, where)


def _named(heard: Heard) -> Heard:
    """A voice has an id of ours, the same whenever Twilio tells of it."""
    return replace(heard, value=str(uuid5(NAMESPACE_URL, heard.value))) if heard.kind == "voice" else heard


def _say(talk: CarriedTalk, turn: Turn, material: Material, where: Addresses, *, insist: bool = False) -> None:
    """What is said now, and what must be known when its answer comes."""
    sounds = {prompt: where.sound(name) for prompt, name in material.kept.sounds.items()}
    way = Way(where.turn(talk.call_id, talk.turn), material.setting.language, sounds)
    step = {name: getattr(turn.step, name) for name in ("act", "keys", "most", "is_open")}
    talk.state = {name: getattr(turn.state, name) for name in PLAIN} | {"step": step, "insisted": insist}
    if material.trial:
        talk.state |= {"answers": dict(turn.state.answers)}
    talk.left_code = turn.state.code or LEAVES.get(turn.state.after_star or turn.state.stage, "")
    is_mute = material.trial and turn.step.act == "record"
    talk.document = twiml.pause(way) if is_mute else twiml.document(turn.step, way, insist=insist)
    talk.at = real_now()


def _state(talk: CarriedTalk, material: Material) -> State:
    answers = {**material.setting.facts, **material.answers}
    state = State(answers=answers, **{name: talk.state[name] for name in PLAIN})
    return agi.with_look(material.setting, state)
