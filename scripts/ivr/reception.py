"""Who rings back and what becomes of them: the menu is said, what they choose is done, and they are put through."""

import logging

from callcenter import carriers
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.ledger import inbound
from scripts.ivr.line import Elsewhere, Gone, Line
from surveys.faces import reception
from surveys.faces.reception import Caller
from surveys.faces.turns import Heard, Step
from surveys.fieldwork.recorded_calls import Subject
from surveys.voice.spool import Spool

log = logging.getLogger(__name__)


class Reception:
    """One citizen who rang back. `receive` returns what they chose."""

    def __init__(self, line: Line, spool: Spool, subject: Subject, switch: str) -> None:
        self._line, self._spool, self._subject, self._switch = line, spool, subject, switch

    def receive(self) -> str | None:
        """None when the leg is not ours."""
        with open_session() as session:
            menu = inbound.menu(session, self._subject.call_id)
            session.commit()
        caller = Caller(menu.on_behalf_of, menu.privacy_notice_url, menu.language)
        chosen: str | None = None
        try:
            chosen = self._ask(caller)
            room = self._choose(chosen)
            if room.startswith("op-"):
                carriers.the_switchboard().move(f"{self._switch}/{self._line.channel}", room)
                return chosen
            self._say(reception.goodbye(caller, chosen, room), caller)
        except Elsewhere:
            return None
        except Gone:
            return self._choose("none") and "none"
        except (ProviderError, OSError) as error:  # no switch, no voice, or no room on the disk
            log.warning("call %s: %s", self._subject.call_id, getattr(error, "code", type(error).__name__))
        self._line.hang_up()
        return chosen

    def _ask(self, caller: Caller) -> str:
        tries, chosen = 0, None
        while chosen is None:
            tries += 1
            chosen = reception.choice(self._say(reception.ask(caller), caller), tries)
        return chosen

    def _say(self, step: Step, caller: Caller) -> Heard:
        sound, seconds = self._spool.file(step.say, caller.language, {})
        return self._line.answer(self._line.say(step, sound, seconds)) or Heard("silence")

    def _choose(self, chosen: str) -> str:
        with open_session() as session:
            room = inbound.choose(session, self._subject.call_id, chosen)
            session.commit()
        return room
