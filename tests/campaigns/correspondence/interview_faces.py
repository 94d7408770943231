"""One person asked the same small survey on each face, as its tests want it: what is asked now, an answer, a step back.

The person is Mario of the cast; a campaign of calls has him in its list, whose quotas are what is tested.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.settings import Settings
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.queues import CallQueue, QueueEntry
from campaigns.correspondence.survey_chats import ASKING, SurveyChat
from campaigns.messages import Message
from surveys import interviews
from surveys.engine import Question
from surveys.faces import agi, keypad
from surveys.faces.spoken import challenge
from surveys.faces.turns import Heard, Turn
from surveys.fieldwork import call_material, farewells, recorded_calls, survey_links
from surveys.fieldwork.carried_talks import CarriedTalk
from surveys.interviews import Interview
from tests.campaigns.cast import MARIO
from tests.campaigns.correspondents import heard
from tests.surveys.fieldwork.test_carried_interviews import CARRIER, Line
from tests.surveys.link_cast import code_of
from tests.surveys.survey_forms import workbook

FORM = workbook(
    [
        ["type", "name", "label", "relevant", "required"],
        ["note", "intro", "Le llama ${operator_name}.", "", ""],
        ["hidden", "operator_name", "", "", ""],
        ["select_one yn", "consent", "¿Acepta?", "", "yes"],
        ["integer", "age", "¿Cuántos años tiene?", "${consent}='yes'", "yes"],
        ["select_one sex", "sex", "¿Usted es?", "${consent}='yes'", "yes"],
        ["select_one vote", "vote", "¿Por quién votaría?", "${consent}='yes'", "yes"],
        ["note", "bye", "Muchas gracias por todo.", "", ""],
    ],
    [
        ["list_name", "name", "label", "role"],
        ["yn", "yes", "Claro", ""],
        ["yn", "no", "Prefiero que no", ""],
        ["sex", "M", "Mujer", ""],
        ["sex", "H", "Hombre", ""],
        ["vote", "azul", "Ana Robles", "candidate"],
        ["vote", "rojo", "Beto Luna", "candidate"],
    ],
)


@dataclass
class Setup:
    """What a face stands on. `call_id`: a connected call of Mario, for faces that call."""

    session: Session
    settings: Settings
    client: FlaskClient
    operator: FlaskClient
    operator_id: int
    survey_id: int
    mario: Contact
    new_call: Callable[..., UUID]

    def call(self, *, recorded: bool) -> UUID:
        session, call_id = self.session, self.new_call()
        call = session.get_one(Call, call_id)
        entry = session.scalars(select(QueueEntry).where(QueueEntry.contact_id == self.mario.id)).one()
        entry.state, call.entry_id, call.attempt.contact_id = "calling", entry.id, self.mario.id
        call.operator_id = None if recorded else self.operator_id
        if recorded:
            session.execute(update(CallQueue).values(answered_by="recording"))
        session.commit()
        return call_id

    def interview(self) -> Interview:
        """Mario's newest."""
        newest = select(Interview).order_by(Interview.started_at.desc()).limit(1)
        return self.session.scalars(newest.execution_options(populate_existing=True)).one()

    def question(self, item: str) -> Question:
        found = interviews.standing_of(self.session, self.interview().id).question(item)
        assert found is not None
        return found

    def key(self, item: str, value: str) -> str:
        """What is pressed on a telephone for this answer."""
        asked = self.question(item)
        pressed = {code: key for key, code in keypad.pad_of(asked).choices.items()}
        return pressed[value] if asked.choices else value


class Face:
    """`asked`: the item that is asked now, None at the end; `words`: what was said last; `back`: to the question
    before; `leave`: stop in the middle, and be counted as broken off."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.session = setup, setup.session
        self.asked: str | None = None
        self.words = ""

    def begin(self) -> None:
        raise NotImplementedError

    def give(self, value: str) -> None:
        raise NotImplementedError

    def back(self) -> None:
        raise NotImplementedError

    def leave(self) -> None:
        interviews.close(self.session, self.setup.interview().id)
        self.session.commit()


class Console(Face):
    def begin(self) -> None:
        self.call_id = self.setup.call(recorded=False)
        self._show(self.setup.operator.get(f"/surveys/calls/{self.call_id}", headers={"Accept": "application/json"}))

    def give(self, value: str) -> None:
        said = {"item": self.asked, "value": value}
        url = f"/surveys/interviews/{self.setup.interview().id}/answers"
        self._show(self.setup.operator.post(url, json=said, headers={"Accept": "application/json"}))

    def back(self) -> None:
        url = f"/surveys/interviews/{self.setup.interview().id}?item={self._before}"
        self._show(self.setup.operator.get(url, headers={"Accept": "application/json"}))

    def leave(self) -> None:
        calls.dispose(self.session, self.call_id, self.setup.operator_id, "partial")
        self.session.commit()

    def _show(self, answer: Any) -> None:
        assert answer.status_code == 200, answer.text
        told, self._before = answer.json, answer.json["back"]
        self.asked = told["question"] and told["question"]["name"]
        if self.asked is None:
            self.words = self.setup.operator.get(f"/surveys/calls/{self.call_id}").text
            code = interviews.suggested(self.session, self.call_id) or "no_reply"
            calls.dispose(self.session, self.call_id, self.setup.operator_id, code)
            self.session.commit()


class Keys(Face):
    """Over Asterisk, as scripts.ivr.conversation keeps what is done."""

    def begin(self) -> None:
        self.call_id = self.setup.call(recorded=True)
        call = self.session.get_one(Call, self.call_id)
        call.carrier_ref = f"local/{self.call_id}"
        self.session.flush()
        subject = recorded_calls.subject(self.session, "local", str(self.call_id))
        assert subject is not None
        made = call_material.of_call(self.session, subject)
        assert made is not None
        self.material = made
        recorded_calls.begin(self.session, self.call_id, "local")
        self._take(agi.begin(made.setting))
        self._hear(Heard("silence"))
        self._hear(Heard("keys", challenge(made.setting, 0)))

    def give(self, value: str) -> None:
        is_note = self.turn.state.stage == "note"
        self._hear(Heard("silence") if is_note else Heard("keys", self.setup.key(self.asked or "", value)))

    def back(self) -> None:
        self._hear(Heard("keys", ""))

    def leave(self) -> None:
        self._hear(Heard("gone"))

    def _hear(self, heard: Heard) -> None:
        self._take(agi.hear(self.material.setting, self.turn.state, heard))

    def _take(self, turn: Turn) -> None:
        self.turn, number = turn, self.material.number
        for deed in turn.deeds:
            if deed.kind == "begun":
                recorded_calls.enter_interview(self.session, self.call_id, number)
            else:
                screen = self.material.setting.screen
                interviews.record_answer(self.session, number, deed.item, deed.value, screen=screen)
        self.asked, self.words = turn.state.item or None, " ".join(say.text for say in turn.step.say)
        if turn.step.act == "end":
            self.asked = None
            recorded_calls.finish(self.session, self.call_id, turn.step.code)
        self.session.commit()


class Carried(Face):
    """Over Twilio's webhooks."""

    def begin(self) -> None:
        call_id = self.setup.call(recorded=True)
        call = self.session.get_one(Call, call_id)
        call.carrier_ref, call.state = CARRIER, "ringing"
        self.session.commit()
        self.line = Line(self.setup.client, self.session, self.setup.settings, call_id)
        self.line.pick_up().silent().press(self.line.key)
        self._show()

    def give(self, value: str) -> None:
        if self._talk.state["stage"] == "note":
            self.line.silent()
        else:
            self.line.press(self.setup.key(self.asked or "", value))
        self._show()

    def back(self) -> None:
        self.line.press("#")
        self._show()

    def leave(self) -> None:
        self.line.hang_up().later()

    @property
    def _talk(self) -> CarriedTalk:
        return self.session.get_one(CarriedTalk, self.line.call_id, populate_existing=True)

    def _show(self) -> None:
        state, self.words = self._talk.state, " ".join(self.line.said)
        self.asked = state["item"] if state["stage"] != "over" else None
        if self.asked is None:
            assert self.line.post(self.line.action).is_hung_up


class Link(Face):
    def begin(self) -> None:
        self.way = f"/e/{code_of(self.session, self.setup.survey_id, self.setup.mario)}"
        self._show(self.setup.client.post(f"{self.way}/begin", follow_redirects=True))

    def give(self, value: str) -> None:
        said = {"item": self.asked, "value": value, "key": uuid4().hex}
        self._show(self.setup.client.post(f"{self.way}/answers", data=said, headers={"HX-Request": "true"}))

    def back(self) -> None:
        standing = interviews.standing_of(self.session, self.setup.interview().id)
        way = standing.path()
        before = way[way.index(self.asked or "") - 1]
        self._show(self.setup.client.get(f"{self.way}?item={before}"))

    def _show(self, answer: Any) -> None:
        assert answer.status_code == 200, answer.text
        self.words = answer.text
        found = re.search(r'name="item" value="(\w+)"', self.words)
        self.asked = found[1] if found else None


class Chat(Face):
    def begin(self) -> None:
        self._write("sí")

    def give(self, value: str) -> None:
        asked = self.setup.question(self.asked or "")
        self._write(next((each.label for each in asked.choices if each.code == value), value))

    def back(self) -> None:
        self._write("atrás")

    def leave(self) -> None:
        """A colleague asks no further, and half an hour goes by."""
        self.session.execute(update(SurveyChat).values(state="left"))
        super().leave()

    def _write(self, text: str) -> None:
        heard(self.session, MARIO, text)
        self.session.flush()
        going_on = self.session.scalars(select(SurveyChat).where(SurveyChat.state == ASKING)).one_or_none()
        self.asked = going_on.item if going_on is not None else None
        said = select(Message.body).where(Message.turn > 0).order_by(Message.turn.desc()).limit(1)
        self.words = self.session.scalars(said).one() or ""


FACES: dict[str, type[Face]] = {"screen": Console, "agi": Keys, "twiml": Carried, "web": Link, "sms": Chat}


def farewell(setup: Setup) -> str:
    """The sentence of somebody whose group has enough, as it is said on every face."""
    return farewells.of(setup.session, interviews.standing_of(setup.session, setup.interview().id))


def state_of_link(setup: Setup) -> str:
    return survey_links.door(setup.session, code_of(setup.session, setup.survey_id, setup.mario)).state
