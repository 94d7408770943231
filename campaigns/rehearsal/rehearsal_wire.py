"""A sample of a rehearsal's texts over the wire: to a simulated carrier of its own, and never to any other.

The composition root says how to start one (`configure`): it lives as long as the sample takes, on this machine only,
knows none of our addresses and is told no callback, so that nothing that happens there comes back to the campaign.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import ClientSession


IN_FLIGHT = 20
PATIENCE = 15.0  # seconds until the last of the sample must have its fate
FATES = frozenset({"delivered", "undelivered", "failed"})


@dataclass(frozen=True)
class Door:
    """Where the carrier of a rehearsal listens, and as whom it is spoken to."""

    url: str
    account: str
    token: str = field(repr=False)
    sender: str = ""


@dataclass(frozen=True)
class Tried:
    """What became of the sample: `failed` by error code. `parts`: as the carrier counted them."""

    messages: int
    delivered: int
    failed: dict[str, int]
    open: int
    parts: int

    def as_kept(self) -> dict[str, Any]:
        return asdict(self)


Start = Callable[[], AbstractContextManager[Door]]
_start: Start | None = None


def configure(start: Start | None) -> None:
    """How a simulated carrier is started; None: this installation has none."""
    global _start  # noqa: PLW0603  # one process, one way
    _start = start


def try_out(sample: Sequence[tuple[str, str]]) -> Tried | None:
    """Send (phone, text) each once, and see what becomes of it. None where no carrier can be started, or it does not
    answer: a rehearsal goes on without it. Blocks for some seconds; no transaction should be open."""
    from aiohttp import ClientError  # heavy: only who rehearses pays for it

    if _start is None or not sample:
        return None
    try:
        with _start() as door:
            _must_be_here(door.url)
            return asyncio.run(_try_out(door, sample))
    except (OSError, TimeoutError, ClientError):
        return None


def _must_be_here(url: str) -> None:
    """Whatever was configured: real people's numbers go to this machine and no further."""
    host = urlsplit(url).hostname or ""
    if not ip_address(host).is_loopback:
        raise RuntimeError("a rehearsal speaks to a carrier on this machine only")


async def _try_out(door: Door, sample: Sequence[tuple[str, str]]) -> Tried:
    from aiohttp import ClientSession, ClientTimeout, encode_basic_auth

    slots = asyncio.Semaphore(IN_FLIGHT)
    timeout = ClientTimeout(total=PATIENCE)
    entry = {"Authorization": encode_basic_auth(door.account, door.token)}
    async with ClientSession(headers=entry, timeout=timeout) as http:
        root = f"{door.url}/2010-04-01/Accounts/{door.account}/Messages"
        fates = await asyncio.gather(*[_one(http, root, door.sender, phone, text, slots) for phone, text in sample])
    states = Counter(state for state, _code, _parts in fates)
    failed = Counter(code for state, code, _parts in fates if state in ("undelivered", "failed"))
    return Tried(
        len(fates), states["delivered"], dict(failed.most_common()), states["open"], sum(parts for *_, parts in fates)
    )


async def _one(
    http: "ClientSession", root: str, sender: str, phone: str, text: str, slots: asyncio.Semaphore
) -> tuple[str, str, int]:
    """(state, error code, parts) of one message."""
    async with slots:
        async with http.post(f"{root}.json", data={"To": phone, "From": sender, "Body": text}) as answer:
            said = await answer.json()
        if answer.status >= 400:
            return "failed", str(said.get("code") or answer.status), 0
        return await _fate(http, f"{root}/{said['sid']}.json", int(said.get("num_segments") or 0))


async def _fate(http: "ClientSession", address: str, parts: int) -> tuple[str, str, int]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + PATIENCE
    while loop.time() < ends:
        async with http.get(address) as answer:
            said = await answer.json()
        parts = int(said.get("num_segments") or parts)
        if said.get("status") in FATES:
            return said["status"], str(said.get("error_code") or ""), parts
        await asyncio.sleep(0.1)
    return "open", "", parts
