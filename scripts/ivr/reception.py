"""Who rings us and what becomes of them: the menu is said, what they choose is done, and they are put through."""

import logging
from uuid import UUID

from callcenter import carriers
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.calls import Event
from callcenter.ledger import inbound
from callcenter.ledger.inbound import Menu
from callcenter.sound import voice_messages
from scripts.ivr.line import Elsewhere, Gone, Line
from surveys.faces import reception
from surveys.faces.turns import Heard, Step
from surveys.fieldwork.recorded_calls import Subject
from surveys.voice.spool import Spool

log = logging.getLogger(__name__)


class Reception:
    """One citizen who rang us. `receive` returns what they chose. `voices`: the folder for messages as Asterisk sees
    it."""

    def __init__(self, line: Line, spool: Spool, subject: Subject, switch: str, voices: str) -> None:
        self._line, self._spool, self._subject = line, spool, subject
        self._switch, self._voices = switch, voices

    def receive(self) -> str | None:
        """None when the leg is not ours."""
        chosen: str | None = None
        try:
            menu = self._menu()
            chosen, says = self._serve(menu)
            if says.startswith("op-"):
                carriers.the_switchboard().move(f"{self._switch}/{self._line.channel}", says)
                return chosen
            self._say(reception.goodbye(menu, chosen), menu)
        except Elsewhere:
            return None
        except Gone:
            self._left()
            return chosen or "none"
        except (ProviderError, OSError) as error:  # no switch, no voice, or no room on the disk
            log.warning("call %s: %s", self._subject.call_id, getattr(error, "code", type(error).__name__))
        self._line.hang_up()
        return chosen

    def _serve(self, menu: Menu) -> tuple[str, str]:
        """What they chose at last, and what the ledger says to that."""
        chosen = self._ask(menu)
        says, looks = self._choose(chosen), 0
        while says == "wait":
            chosen = reception.meanwhile(menu, self._say(reception.wait(menu, looks), menu))
            says, looks = self._choose(chosen), looks + 1
        if says in ("callback", "nobody"):
            chosen = reception.after_nobody(menu, self._say(reception.nobody(menu, says), menu))
            says = self._choose(chosen)
        if says == "message":
            chosen = self._record(menu)
        return chosen, says

    def _ask(self, menu: Menu) -> str:
        tries, chosen = 0, None
        while chosen is None:
            tries += 1
            chosen = reception.choice(menu, self._say(reception.ask(menu), menu), tries)
        return chosen

    def _record(self, menu: Menu) -> str:
        """`message`, or `silent` when they said nothing. Who hangs up while they speak has left a message, too."""
        with open_session() as session:
            message_id = voice_messages.of_call(session, self._subject.call_id).id
        self._say(reception.invite(menu), menu)
        if self._listen(message_id).kind == "silence":
            return "silent"
        with open_session() as session:
            voice_messages.left(session, message_id)
            session.commit()
        return "message"

    def _listen(self, message_id: UUID) -> Heard:
        try:
            said = self._line.say(reception.RECORD, "", 0.0, str(message_id), self._voices)
            return self._line.answer(said) or Heard("silence")
        except Gone:
            return Heard("gone")

    def _say(self, step: Step, menu: Menu) -> Heard:
        """Raises Gone, Elsewhere, ProviderError, OSError."""
        sound, seconds = self._spool.file(step.say, reception.language(menu), {}) if step.say else ("", 0.0)
        heard = self._line.answer(self._line.say(step, sound, seconds)) or Heard("silence")
        if heard.kind == "gone":
            raise Gone
        return heard

    def _menu(self) -> Menu:
        with open_session() as session:
            menu = inbound.menu(session, self._subject.call_id)
            session.commit()
        return menu

    def _choose(self, chosen: str) -> str:
        with open_session() as session:
            says = inbound.choose(session, self._subject.call_id, chosen)
            session.commit()
        return says

    def _left(self) -> None:
        with open_session() as session:
            inbound.left(session, self._subject.call_id, Event("hung_up", "ivr:gone"))
            session.commit()
