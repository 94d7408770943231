"""AMI's packets: bytes in, packets out, whatever Asterisk and the network make of them. Pure.

https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/AMI-v2-Specification/
"""

from collections.abc import Iterator

END = b"\r\n\r\n"
LONGEST = 1_000_000  # bytes without an end: this is not AMI, or it is broken
Headers = tuple[tuple[str, str], ...]


class Packet:
    """An event or a response: its headers in their order, repeated ones too. Names are found in any case."""

    __slots__ = ("_first", "headers")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self._first: dict[str, str] = {}
        for name, value in headers:
            self._first.setdefault(name.lower(), value)

    def __repr__(self) -> str:
        return f"Packet({self.event or self._first.get('response')})"  # no number reaches a log

    def get(self, name: str, default: str = "") -> str:
        """The first value of this header."""
        return self._first.get(name.lower(), default)

    def all(self, name: str) -> list[str]:
        """Every value of this header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def event(self) -> str:
        """The event's name; '' for a response."""
        return self._first.get("event", "")

    @property
    def action_id(self) -> str:
        return self._first.get("actionid", "")


class TooLong(ValueError):
    """No packet ends in what came."""


class Parser:
    """Give it what the socket gave, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are complete now. Raises TooLong."""
        *blocks, self._rest = (self._rest + data).split(END)
        if len(self._rest) > LONGEST:
            raise TooLong(f"{len(self._rest)} bytes came without the end of a packet")
        return [packet for block in blocks for packet in _read(block)]


def _read(block: bytes) -> Iterator[Packet]:
    """Usually one packet. A packet whose end was written wrongly (asterisk#761) leaves the next one in its block: a
    line that begins a packet begins one wherever it stands. What comes before the first such line is dropped."""
    headers: list[tuple[str, str]] = []
    for line in block.split(b"\r\n"):
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon:
            continue
        if _begins(name.lower(), headers):
            if headers:
                yield Packet(tuple(headers))
            headers = []
        elif not headers:
            continue
        headers.append((name.strip(), value.strip()))
    if headers:
        yield Packet(tuple(headers))


def _begins(name: str, headers: list[tuple[str, str]]) -> bool:
    if name == "event":
        return True
    # OriginateResponse is an event with a header `Response`.
    return name == "response" and not (headers and headers[0][1] == "OriginateResponse")
