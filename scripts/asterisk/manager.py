"""A bare voice to Asterisk's manager interface, for tests and benches: none of the product's own client."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

from scripts.asterisk.instance import Instance

Packet = dict[str, str]


def until(true: Callable[[], object], *, seconds: float = 8) -> None:
    """Return once it is true; fails when that takes longer."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(0.01)


class Manager:
    """One connection. Sends actions, keeps every packet that comes."""

    def __init__(self, instance: Instance, user: str, secret: str | None = None) -> None:
        self._socket = socket.create_connection((instance.host, instance.ports.ami), timeout=5)
        self._rest = b""
        self._count = 0
        self.packets: list[Packet] = []
        answer = self.ask("Login", Username=user, Secret=secret or instance.secrets[user])
        if answer.get("Response") != "Success":
            self.close()
            raise PermissionError(answer.get("Message", "no answer"))

    def ask(self, action: str, *variables: str, **headers: str | int) -> Packet:
        """Send an action and return its response. `_` in a header's name stands for `-`."""
        name = self.send(action, *variables, **headers)
        return self.wait(
            lambda packet: "Response" in packet and "Event" not in packet and packet.get("ActionID") == name
        )

    def send(self, action: str, *variables: str, **headers: str | int) -> str:
        """Send an action; returns its ActionID."""
        self._count += 1
        name = str(headers.pop("ActionID", f"test-{self._count}"))
        lines = [f"Action: {action}", f"ActionID: {name}"]
        lines += [f"{header.replace('_', '-')}: {value}" for header, value in headers.items()]
        lines += [f"Variable: {variable}" for variable in variables]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return name

    def wait(self, wanted: Callable[[Packet], bool], *, seconds: float = 8) -> Packet:
        """The first packet, of those that came already or that come, that is wanted."""
        until, seen = time.monotonic() + seconds, 0
        while True:
            for packet in self.packets[seen:]:
                if wanted(packet):
                    return packet
            seen = len(self.packets)
            if time.monotonic() > until:
                raise TimeoutError(f"not heard within {seconds} s; heard: {self.names()}")
            self.read(max(0.01, until - time.monotonic()))

    def event(self, name: str, *, seconds: float = 8, **headers: str) -> Packet:
        """The first event of this name with these headers."""
        return self.wait(
            lambda packet: packet.get("Event") == name and headers.items() <= packet.items(), seconds=seconds
        )

    def news(self, what: str, *, seconds: float = 8, **headers: str) -> Packet:
        """The first of our dialplan's own events."""
        return self.event("UserEvent", UserEvent="Convoca", What=what, seconds=seconds, **headers)

    def names(self) -> list[str]:
        return [packet["Event"] for packet in self.packets if "Event" in packet]

    def read(self, seconds: float) -> None:
        """Take what comes next."""
        self._socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            piece = self._socket.recv(65536)
            if not piece:
                raise ConnectionError("Asterisk has closed the connection")
            self._rest += piece
        *whole, self._rest = self._rest.split(b"\r\n\r\n")
        for packet in whole:
            lines = (line.partition(":") for line in packet.decode(errors="replace").split("\r\n") if ":" in line)
            self.packets.append({name: value.strip() for name, _, value in lines})

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def entered(instance: Instance, user: str) -> Iterator[Manager]:
    """A connection for the length of a block."""
    manager = Manager(instance, user)
    try:
        yield manager
    finally:
        manager.close()


def open_trunk(worker: Manager, name: str, port: int, **settings: str) -> None:
    """Write a trunk to 127.0.0.1:`port` as the product writes them, through AMI."""
    values = {"remote_hosts": f"127.0.0.1:{port}", **{key.replace("__", "/"): value for key, value in settings.items()}}
    lines = {"Action_000000": "NewCat", "Cat_000000": name, "Options_000000": 'inherit="trunk-wiz"'}
    for number, (key, value) in enumerate(values.items(), start=1):
        index = f"{number:06}"
        lines |= {f"Action_{index}": "Append", f"Cat_{index}": name, f"Var_{index}": key, f"Value_{index}": value}
    file = "pjsip_trunks.conf"
    answer = worker.ask("UpdateConfig", SrcFilename=file, DstFilename=file, Reload="res_pjsip.so", **lines)
    assert answer["Response"] == "Success", answer
