"""A recorded survey over a real Asterisk: the switch in the database, citizens on invented telephones, the hall."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from callcenter import suppressions, switches
from callcenter.attempts import Attempt
from callcenter.base import clock, db, outbox, sealed
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.queues import CallQueue, QueueEntry
from scripts import asterisk
from scripts.ivr.hall import Hall
from scripts.simulated_telephones import Network
from surveys import questionnaire, views
from surveys.faces.turns import Step
from surveys.voice import prompts, speech
from tests.surveys.survey_forms import SAMPLE
from tests.telephone.manager import Manager

# The same survey in fewer words: a test need not hear all of them.
SHORT = {
    "system/identify": "{sponsor}. {notice}.",
    "system/help": "Ayuda.",
    "system/option": "{label} {key}.",
    "item/intro": "Hola.",
    "item/bye": "Adiós.",
    "item/vote": "¿Voto?",
    "item/problems": "¿Problemas?",
    "system/thanks": "Gracias.",
    "system/broken_off": "Adiós.",
    "system/opted_out": "Nunca más.",
    "item/why_voice": "¿Por qué?",
    "system/speak": "Hable.",
    "system/agreement": "¿Acepta? Uno.",
}
ANSWERS = {"consent": "1", "age": "34#", "sex": "2", "registered": "1", "likely": "8#", "problems": "12#"}


@pytest.fixture
def ledger(engine: Engine, settings: Settings) -> Iterator[db.Sessions]:
    """Sessions whose commits are real; every table is emptied afterwards."""
    outbox.connect(settings.redis_url)
    clock.configure(is_drill=settings.is_drill)
    sealed.configure(settings.secret_key)
    suppressions.configure(settings.suppression_key)
    views.compose()
    yield db.use(sessionmaker(engine, expire_on_commit=False))
    with engine.begin() as connection:
        tables = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        names = ", ".join(name for name in connection.scalars(tables) if name != "alembic_version")
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def queue_id(ledger: db.Sessions, switch: asterisk.Instance, tmp_path: Path) -> int:
    """A recorded survey of the sample's questionnaire, whose voices are kept in `tmp_path`."""
    speech.configure(tmp_path / "speech")
    with ledger() as session:
        switches.register(session, "local", host=switch.host, ami_port=switch.ports.ami, ws_url=switch.ws_url,
                          secrets=switch.secrets, folder=str(switch.spool))  # fmt: skip
        survey = questionnaire.create_survey(session, "Ola 1", SAMPLE.name, SAMPLE.read_bytes())
        items = questionnaire.current(session, survey.id).items
        for key, words in SHORT.items():
            prompts.reword(session, (survey.id, "es", key), words, items, None)
        queue = CallQueue(
            name="Ola 1", purpose="survey", script=f"survey/{survey.id}", carrier="asterisk", caller_id="+525512340000",
            state="running", on_behalf_of="Instituto Inventado", privacy_notice_url="https://convoca.test/aviso",
            answered_by="recording",
        )  # fmt: skip
        session.add(queue)
        session.commit()
        return queue.id


NewCall = Callable[..., UUID]


@pytest.fixture
def new_call(ledger: db.Sessions, queue_id: int, worker: Manager, trunk: str) -> NewCall:
    """Write a call into the ledger as the switch does once it is answered, and ring it into the recorded survey."""

    def make(number: str = "+525512340099") -> UUID:
        call_id = uuid4()
        with ledger() as session:
            _write(session, queue_id, call_id, number)
        worker.ask(
            "Originate", f"CONVOCA_CALL={call_id}", ActionID=str(call_id), ChannelId=str(call_id),
            Channel=f"PJSIP/{number}@{trunk}", Context="citizen", Exten="recording", Priority=1, Async="true",
            Timeout=10_000, CallerID="5512340000",
        )  # fmt: skip
        return call_id

    return make


def _write(session: Session, queue_id: int, call_id: UUID, phone: str) -> None:
    contact = Contact(name="Persona Uno", given_names="Persona", name_key="persona uno", phone=phone, source="test")
    session.add(contact)
    session.flush()
    entry = QueueEntry(queue_id=queue_id, contact_id=contact.id, state="calling")
    session.add_all([entry, Attempt(id=call_id, channel="call", purpose="survey", contact_id=contact.id, phone=phone,
                                    at=real_now(), deadline_at=real_now() + timedelta(hours=1))])  # fmt: skip
    session.flush()
    queue = session.get_one(CallQueue, queue_id)
    session.add(Call(id=call_id, queue_id=queue_id, entry_id=entry.id, script=queue.script, carrier="asterisk",
                     caller_id=queue.caller_id, state="connected", carrier_ref=f"local/{call_id}",
                     answered_at=real_now(), connected_at=real_now()))  # fmt: skip
    session.commit()


class Citizen:
    """Listens to the steps of the survey and presses keys on the invented telephone `number`.

    `keys`: what they press at a question, by its name; at a choice that is not there, the first one. None: nothing."""

    def __init__(self, network: Network, number: str = "0099", keys: dict[str, str | None] | None = None) -> None:
        self._network, self._number = network, number
        self._keys: dict[str, str | None] = {**ANSWERS, **(keys or {})}
        self.steps: list[Step] = []
        self.heard = threading.Condition()

    def watch(self, _leg: UUID, step: Step, _seconds: float) -> None:
        with self.heard:
            self.steps.append(step)
            self.heard.notify_all()
        keys = self._choose(step)
        call = self._network.last_call(self._number)
        if keys and call is not None:
            threading.Timer(0.15, self._network.press, (call, keys)).start()

    def await_step(self, prompt: str, seconds: float = 60) -> None:
        """Until the survey says a sentence whose name begins like this."""
        with self.heard:
            assert self.heard.wait_for(lambda: self.has_heard(prompt), seconds), self.steps[-1:]

    def has_heard(self, prompt: str) -> bool:
        return any(say.prompt.startswith(prompt) for step in self.steps for say in step.say)

    def _choose(self, step: Step) -> str | None:
        prompts = [say.prompt for say in step.say]
        challenge = next((prompt for prompt in prompts if prompt.startswith("system/challenge/")), None)
        if challenge is not None:
            return self._keys.get("challenge", challenge.rpartition("/")[2])
        if "system/agreement" in prompts:
            return self._keys.get("agreement", "2")
        if step.act == "wait":
            return self._keys.get("star")
        item = next((prompt.partition("/")[2] for prompt in prompts if prompt.startswith("item/")), "")
        return self._keys.get(item, "1" if step.act == "ask" else None)


@pytest.fixture
def hall() -> Iterator[Callable[[Citizen], Hall]]:
    """Open the hall for a citizen; it is closed afterwards."""
    opened: list[Hall] = []

    def open_hall(citizen: Citizen) -> Hall:
        made = Hall("local", watch=citizen.watch)
        opened.append(made)
        made.turn(0)
        return made

    yield open_hall
    for made in opened:
        made.close()
