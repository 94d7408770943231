"""All conversations of one switch: who begins one, who hears what came of a step, and what an interruption left."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from callcenter import queues, switches
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk.client import Client, Lost, Packet
from callcenter.ledger import apologies
from callcenter.switches import Door
from scripts.ivr.conversation import Conversation, Watch
from scripts.ivr.line import Line, News
from scripts.ivr.reception import Reception
from surveys.fieldwork import recorded_calls
from surveys.fieldwork.call_material import Material, of_call, of_trial
from surveys.fieldwork.recorded_calls import Subject
from surveys.voice import prompt_trials, prompts, speech
from surveys.voice.spool import Spool

log = logging.getLogger(__name__)
STACK = 512 * 1024  # bytes: sixty conversations are sixty threads
LOOK, TIDY = 5.0, 3600.0  # seconds between two looks for interrupted calls, and between two tidyings


class Hall:
    """`turn` is repeated by the daemon that leads; events come in a thread of their own. `watch`: of tests, benches."""

    def __init__(
        self, switch: str, make_client: Callable[[Door], Client] | None = None, watch: Watch | None = None
    ) -> None:
        self._switch, self._watch = switch, watch
        self._make_client = make_client or (lambda door: Client(door, listens=True))
        self._lines: dict[str, Line] = {}
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._spool: Spool | None = None
        self._there = ""
        self._looked = self._tidied = 0.0
        self._turned, self._fault = time.monotonic(), ""

    @property
    def talking(self) -> int:
        """Conversations under way."""
        with self._lock:
            return len(self._lines)

    def turn(self, _token: int) -> None:
        """See to the connection, say that we are here, and take up what was interrupted."""
        self._turned = time.monotonic()
        try:
            client = self._connected()
        except ProviderError as error:
            self._say_fault(str(error))
            return
        spool = self._spool
        if spool is None or not spool.has_space():
            self._say_fault("no room for prompts and voices on the switch's disk")
            return
        self._say_fault("")
        with open_session() as session:
            recorded_calls.say_alive(session, self._switch)
            session.commit()
            now = time.monotonic()
            found = recorded_calls.interrupted(session, self._switch) if now > self._looked + LOOK else []
        if now > self._looked + LOOK:
            self._looked = now
            self._keep_apologies(spool)
        for channel in found:
            self._begin(client, channel)
        if now > self._tidied + TIDY:
            self._tidied = now
            spool.tidy()

    def _keep_apologies(self, spool: Spool) -> None:
        """Whoever picks up and finds nobody hears who called: the dialplan plays it by itself. Where nobody speaks the
        language it plays the sentence that names nobody."""
        if speech.synthesiser(apologies.LANGUAGE) is None:
            return
        with open_session() as session:
            callers = {queue.on_behalf_of for queue in queues.running(session)}
        for caller in callers:
            try:
                spool.keep(apologies.name(caller), apologies.words(caller), apologies.LANGUAGE)
            except (ProviderError, OSError) as error:
                log.warning("ivr %s: an apology was not kept: %s", self._switch, error)

    def _say_fault(self, fault: str) -> None:
        """What keeps us from work, once; and that it is over."""
        if fault != self._fault:
            log.warning("ivr %s: %s", self._switch, fault or "at work")
        self._fault = fault

    def stand_back(self, seconds: float) -> None:
        """Whoever has not led for so long has a successor, who talks with these citizens now."""
        if self.talking and time.monotonic() > self._turned + seconds:
            log.warning("ivr %s: another program leads; leaving %d calls to it", self._switch, self.talking)
            self.close()

    def close(self) -> None:
        """Leave every leg to the program that comes after this one."""
        with self._lock:
            lines = list(self._lines.values())
        for line in lines:
            line.abandon()
        if self._client is not None:
            self._client.close()

    def _connected(self) -> Client:
        if self._client is None:
            with open_session() as session:
                switch = switches.named(session, self._switch)
                door = switches.door(session, self._switch, "ivr")
                folder, there = switch.folder, switch.folder_there
            if folder is None or there is None:
                raise ProviderError("its folder is on another host; run this program there", code="no_folder")
            self._there = there
            self._spool = Spool(Path(folder), there, _fetch)
            self._client = self._make_client(door)
            threading.Thread(target=self._listen, args=(self._client,), name="events", daemon=True).start()
        self._client.connect()
        return self._client

    def _listen(self, client: Client) -> None:
        while True:
            packet = client.events.get()
            if isinstance(packet, Lost):
                log.warning("ivr %s: the connection broke", self._switch)
                continue
            try:
                self._hear(client, packet)
            except Exception:  # one odd event must not deafen the others; it is in the log
                log.exception("ivr %s: %s", self._switch, packet.event)

    def _hear(self, client: Client, packet: Packet) -> None:
        channel = packet.get("Uniqueid")
        if packet.event == "AsyncAGIStart" and channel:
            self._begin(client, channel)
            return
        with self._lock:
            line = self._lines.get(channel)
        if line is not None:
            is_end = packet.event == "AsyncAGIEnd"
            line.hear(News(packet.get("CommandId"), packet.get("Result"), is_end))

    def _begin(self, client: Client, channel: str) -> None:
        with self._lock:
            if channel in self._lines:
                return
            line = self._lines[channel] = Line(client, channel)
        size = threading.stack_size(STACK)
        try:
            threading.Thread(target=self._hold, args=(line,), name=f"call {channel}", daemon=True).start()
        finally:
            threading.stack_size(size)

    def _hold(self, line: Line) -> None:
        """A whole conversation, in its own thread."""
        try:
            with open_session() as session:
                subject = recorded_calls.subject(session, self._switch, line.channel)
                session.commit()
            assert self._spool is not None
            if subject is not None and subject.direction == "in":
                code = Reception(line, self._spool, subject, self._switch, f"{self._there}/voices").receive()
            else:
                code = self._talk(line, self._spool, subject)
            log.info("call %s: %s", line.channel, code)
        except Exception:  # the edge of a thread: the call is closed by the sweep, the reason is in the log
            log.exception("call %s: the conversation failed", line.channel)
            line.hang_up()
        finally:
            with self._lock:
                self._lines.pop(line.channel, None)

    def _talk(self, line: Line, spool: Spool, subject: Subject | None) -> str | None:
        material = self._material(line, subject)
        if material is None:
            return None
        code = Conversation(line, spool, material, self._switch, self._there, self._watch).talk()
        if material.trial:
            with open_session() as session:
                prompt_trials.end(session, material.call_id)
                session.commit()
        return code

    def _material(self, line: Line, subject: Subject | None) -> Material | None:
        """What is said on this leg; None when it is none of ours, or its survey is closed."""
        with open_session() as session:
            if subject is None:
                trial = prompt_trials.take(session, line.channel)
                material = of_trial(session, trial) if trial else None
            else:
                material = of_call(session, subject)
                recorded_calls.begin(session, subject.call_id, self._switch)
                if material is None:
                    recorded_calls.finish(session, subject.call_id, "no_reply")
                    line.hang_up()
            session.commit()
        return material


def _fetch(name: str) -> bytes:
    with open_session() as session:
        return prompts.sound(session, name)
