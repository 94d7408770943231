"""One recorded interview over one leg, from the answer to the hang-up. A thread of its own: it mostly waits.

The next prompt is sent first and the answer is written while it is heard, so that nobody waits for the database; what
was not written because this program died is asked again by the next one.
"""

import logging
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from scripts.ivr.line import Elsewhere, Gone, Line, Said
from surveys import engine, interviews
from surveys.faces import agi, keypad
from surveys.faces.spoken import FACE
from surveys.faces.turns import Deed, Heard, State, Step, Turn
from surveys.fieldwork import recorded_calls
from surveys.fieldwork.call_material import Material
from surveys.fieldwork.recorded_calls import Keystrokes
from surveys.voice import voice_answers
from surveys.voice.spool import Spool

log = logging.getLogger(__name__)
LOST = 2  # answers of one step that may get lost before we give up
PATIENCE = 30.0  # seconds to write what was said once the call is over
Write = Callable[[Session], None]
Watch = Callable[[UUID, Step, float], None]  # a step has begun; seconds of its prompt


class Conversation:
    """`talk` holds it to its end and returns the outcome; None when the leg is not ours. `watch` hears of each step."""

    def __init__(
        self, line: Line, spool: Spool, material: Material, switch: str, folder: str, watch: Watch | None = None
    ) -> None:
        self._line, self._spool, self._material = line, spool, material
        self.call_id = material.call_id
        self._watch = watch
        self._switch, self._voices = switch, f"{folder}/voices"
        self._unwritten: list[Write] = []
        self._code = ""

    def talk(self) -> str | None:
        material, state = self._material, State("intro", {})
        try:
            turn = (agi.resume(material.setting, material.answers, voice=material.voice) if material.is_begun
                    else agi.begin(material.setting))  # fmt: skip
            while True:
                state = turn.state
                turn = self._step(turn)
                if turn.step.act == "end":
                    return self._say_goodbye(turn)
        except Elsewhere:
            return None
        except (Gone, ProviderError, OSError) as error:
            if not isinstance(error, Gone):  # no switch, no voice, or no room on the disk
                log.warning("call %s: %s", self.call_id, error)
                self._line.hang_up()
            return self._close(agi.hear(material.setting, state, Heard("gone")).step.code)

    def _step(self, turn: Turn) -> Turn:
        """Say one step, keep what the one before it brought, and hear what comes of it."""
        said = self._say(turn.step)
        self._unwritten += [self._write_of(deed) for deed in turn.deeds]
        for _again in range(LOST):
            heard = self._line.answer(said, meanwhile=self._write)
            if heard is not None:
                break
            log.warning("call %s: the answer to a step got lost; said again", self.call_id)
            said = self._say(turn.step)
        else:
            return agi.trouble(self._material.setting, turn.state)
        after = time.monotonic() - said.began - said.seconds
        following = agi.hear(self._material.setting, turn.state, heard)
        self._note_keys(turn, following, heard, said, after)
        if heard.kind == "voice":
            self._note_voice(turn.state, said)
        return following

    def _say(self, step: Step) -> Said:
        sound, seconds = ("", 0.0) if not step.say else self._spool.file(
            step.say, self._material.setting.language, self._material.kept.sounds
        )  # fmt: skip
        voice = str(uuid4()) if step.act == "record" else ""
        said = self._line.say(step, sound, seconds, voice, self._voices)
        if self._watch is not None:
            self._watch(self.call_id, step, seconds)
        return said

    def _say_goodbye(self, turn: Turn) -> str:
        self._code = turn.step.code
        try:
            said = self._say(turn.step)
            self._keep(turn.deeds)
            self._line.answer(said)
        except Elsewhere:
            raise
        except (Gone, ProviderError, OSError):
            self._keep(turn.deeds)
        self._line.hang_up()
        return self._close(turn.step.code)

    # ── What is kept

    def _keep(self, deeds: tuple[Deed, ...]) -> None:
        self._unwritten += [self._write_of(deed) for deed in deeds]
        self._write()

    def _write_of(self, deed: Deed) -> Write:
        call_id, number = self.call_id, self._material.number
        if deed.kind == "begun":
            return lambda session: recorded_calls.enter_interview(session, call_id, number)
        if deed.kind == "opted_out":
            return lambda session: recorded_calls.opt_out(session, call_id)
        if deed.kind in ("voice_agreed", "voice_declined"):
            return lambda session: recorded_calls.agree_to_voice(session, call_id, agreed=deed.kind == "voice_agreed")
        return lambda session: self._record(session, deed)

    def _record(self, session: Session, deed: Deed) -> None:
        try:
            screen = self._material.setting.screen
            interviews.record_answer(session, self._material.number, deed.item, deed.value, screen=screen)
        except InvalidInput:  # the questionnaire was replaced meanwhile: the face checked with the one it asked
            log.warning("call %s: the answer to %s is not accepted any more", self.call_id, deed.item)

    def _note_keys(self, turn: Turn, following: Turn, heard: Heard, said: Said, after: float) -> None:
        state = turn.state
        if state.stage not in ("question", "agreement") or heard.kind != "keys":
            return
        is_answer = any(deed.kind == "answered" and deed.item == state.item for deed in following.deeds)

        def write(session: Session) -> None:
            strokes = Keystrokes(
                interview_id=self._material.number, item=state.item, keys=heard.keys, offered=self._offered(state),
                prompt_ms=int(said.seconds * 1000), after_ms=int(after * 1000), is_answer=is_answer, at=real_now(),
            )  # fmt: skip
            recorded_calls.keep_keys(session, self.call_id, strokes)

        self._unwritten.append(write)  # what was offered is worked out then: the next prompt does not wait for it

    def _offered(self, state: State) -> dict[str, str]:
        setting = self._material.setting
        asked = engine.question(
            setting.items, state.answers, state.item, setting.seed, language=setting.language, face=FACE
        )  # fmt: skip
        return keypad.pad_of(asked).choices if asked and state.stage == "question" else {}

    def _note_voice(self, state: State, said: Said) -> None:
        voice, number, item, switch = UUID(said.voice), self._material.number, state.item, self._switch
        self._unwritten.append(lambda session: voice_answers.add(session, voice, number, item, switch))

    def _write(self) -> bool:
        """Write what waits, in its order; what cannot be written now waits on."""
        if self._material.trial:
            self._unwritten.clear()
        while self._unwritten:
            try:
                with open_session() as session:
                    self._unwritten[0](session)
                    session.commit()
            except DBAPIError as error:
                log.warning("call %s: not written yet (%s)", self.call_id, type(error).__name__)
                return False
            except Refused as refusal:  # the survey was closed in the meantime
                log.warning("call %s: %s", self.call_id, refusal.code)
            del self._unwritten[0]
        return True

    def _close(self, code: str) -> str:
        """The last word. The database may be away for a while; after that the sweep finds the call."""
        call_id = self.call_id
        self._unwritten.append(lambda session: _finish(session, call_id, code))
        until = time.monotonic() + PATIENCE
        while not self._write() and time.monotonic() < until:
            time.sleep(1)
        return code


def _finish(session: Session, call_id: UUID, code: str) -> None:
    recorded_calls.finish(session, call_id, code)
