"""Ports for one Asterisk: a block of a thousand, claimed as long as it runs, so that several start side by side."""

import contextlib
import socket
from dataclasses import dataclass

FIRST, BLOCK, BLOCKS = 12000, 1000, 20  # below the ports that the kernel gives to others


class NoPorts(Exception):
    """Every block is taken; the message says by how many."""


@dataclass(frozen=True)
class Ports:
    """The ports of the block that begins at `first`: the fifth is held by whoever claimed the block."""

    first: int

    @property
    def ami(self) -> int:
        return self.first

    @property
    def http(self) -> int:
        return self.first + 1

    @property
    def sip(self) -> int:
        return self.first + 2

    @property
    def sips(self) -> int:
        return self.first + 3

    @property
    def first_rtp(self) -> int:
        return self.first + 100

    @property
    def last_rtp(self) -> int:
        """Two ports a leg: 450 legs."""
        return self.first + BLOCK - 1


@dataclass(frozen=True)
class Claim:
    """A block, ours until `release`; or `keep` it as long as this process lives."""

    ports: Ports
    guard: socket.socket

    def keep(self) -> None:
        self.guard.detach()

    def release(self) -> None:
        self.guard.close()


def claim(wanted: int | None = None) -> Claim:
    """The block that begins at `wanted` when it is free, else the first free one. Raises NoPorts."""
    blocks = [FIRST + BLOCK * n for n in range(BLOCKS)]
    if wanted in blocks:
        blocks.insert(0, wanted)
    for first in blocks:
        ports = Ports(first)
        guard = _hold(first + 4)
        if guard is None:
            continue
        if all(_is_free(port, kind) for port, kind in _used(ports)):
            return Claim(ports, guard)
        guard.close()
    raise NoPorts(f"All {BLOCKS} blocks of ports from {FIRST} are taken: is something else using them?")


def _used(ports: Ports) -> list[tuple[int, socket.SocketKind]]:
    tcp = [(port, socket.SOCK_STREAM) for port in (ports.ami, ports.http, ports.sip, ports.sips)]
    return [*tcp, *((port, socket.SOCK_DGRAM) for port in (ports.sip, ports.first_rtp))]


def _hold(port: int) -> socket.socket | None:
    guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        guard.bind(("127.0.0.1", port))
        guard.listen(1)  # a bound port alone could be bound again by who asks with SO_REUSEADDR
    except OSError:
        guard.close()
        return None
    return guard


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with contextlib.closing(socket.socket(socket.AF_INET, kind)) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Asterisk asks: old connections may linger
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
