"""What the telephone's bench stands on: a product with an Asterisk, invented telephones, and a worker to command."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from scripts import simulated_telephones
from scripts.asterisk import Instance
from scripts.asterisk.manager import Manager, entered
from scripts.asterisk.ports import Ports
from scripts.bench import product
from scripts.bench.floor import database
from scripts.service_user import drop
from scripts.simulated_telephones import Network

BARE = "+5256"  # whom the bare loop calls: nobody of the product's
ENVIRONMENT = {"CONVOCA_CARRIER": "asterisk", "CONVOCA_SIP_ADDRESS": "127.0.0.1"}
Heard = Callable[[dict[str, Any]], None]


class Worker:
    """scripts.bench.phone_worker: `do` an act and wait for what it returns. `heard`: what it tells by itself."""

    def __init__(self, running: product.Product) -> None:
        self.heard: Heard = lambda _: None
        self._answers: SimpleQueue[dict[str, Any]] = SimpleQueue()
        # As the product itself: what it writes, Asterisk must be able to read.
        reads = (Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), Path(__file__), running.var)
        self._process = subprocess.Popen(
            drop([sys.executable, "-m", "scripts.bench.phone_worker"], *reads, dies_by="TERM"), cwd=product.ROOT,
            env=product.environment(running.var, ENVIRONMENT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def do(self, act: str, **asked: Any) -> Any:
        """Raises RuntimeError when the worker has failed."""
        self.begin(act, **asked)
        return self.answer()

    def begin(self, act: str, **asked: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"act": act, **asked}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        said = self._answers.get(timeout=180)
        if "failed" in said:
            raise RuntimeError(said["failed"])
        return said["done"]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            (self._answers.put if said.keys() & {"done", "failed"} else self.heard)(said)
        self._answers.put({"failed": "the worker has ended"})


@dataclass(frozen=True)
class Stage:
    """`instance`: how to speak to the product's Asterisk past the product; `trunk`: its endpoint to the network."""

    product: product.Product
    engine: Engine
    network: Network
    instance: Instance
    worker: Worker
    trunk: str

    def manager(self, user: str) -> contextlib.AbstractContextManager[Manager]:
        return entered(self.instance, user)


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    with product.running(env=ENVIRONMENT) as running, simulated_telephones.running() as network:
        os.kill(running.pids()["dialer"], signal.SIGSTOP)  # it is the worker who says when somebody is called
        worker = Worker(running)
        try:
            with database(running) as engine:
                trunk = f"trunk-{worker.do('open_trunk', port=network.port)}"
                found = Stage(running, engine, network, _instance(running.var / "asterisk"), worker, trunk)
                _await_trunk(found)
                yield found
        finally:
            worker.close()


def _instance(folder: Path) -> Instance:
    note = json.loads((folder / "instance.json").read_text())
    return Instance(folder, Ports(note["first_port"]), "", note["secrets"])


def _await_trunk(found: Stage) -> None:
    """A job writes the trunk into Asterisk's configuration."""
    until = time.monotonic() + 30
    with found.manager("worker") as worker:
        while worker.ask("PJSIPShowEndpoint", Endpoint=found.trunk)["Response"] != "Success":
            if time.monotonic() > until:
                raise TimeoutError("the trunk did not reach Asterisk")
            time.sleep(0.1)


def bare_calls(found: Stage, number: int, digits: str, window: int) -> float:
    """Seconds that a bare AMI loop needs for so many calls, at most `window` at once, each followed to its end."""
    ids = [str(uuid4()) for _ in range(number)]
    ended: set[str] = set()
    begun, sent, seen = time.monotonic(), 0, 0
    with found.manager("switch") as listener, found.manager("worker") as worker:
        while len(ended) < number:
            while sent < number and sent - len(ended) < window:
                worker.send(
                    "Originate", f"CONVOCA_CALL={ids[sent]}", ActionID=ids[sent], ChannelId=ids[sent],
                    Channel=f"PJSIP/{BARE}{sent:06}{digits}@{found.trunk}", Context="citizen", Exten="wait", Priority=1,
                    Async="true", Timeout=25_000, CallerID="5512340000",
                )  # fmt: skip
                sent += 1
            worker.read(0.001)
            listener.read(0.01)
            for packet in listener.packets[seen:]:
                if packet.get("Event") == "Hangup":
                    ended.add(packet["Uniqueid"])
            seen = len(listener.packets)
            if time.monotonic() > begun + 120:
                raise TimeoutError(f"{number - len(ended)} bare calls have no end")
    return time.monotonic() - begun
