"""A telephone network that is nobody's: SIP and RTP on loopback, where every number is an invented telephone."""

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator

from scripts.simulated_telephones import sip, sound
from scripts.simulated_telephones.behaviour import ANSWERS, Behaviour, behaviour
from scripts.simulated_telephones.call import Call
from scripts.simulated_telephones.sip import Dialog, Message

Address = tuple[str, int]
REPEAT = 0.5  # seconds after which an unacknowledged answer is said again


class Network(asyncio.DatagramProtocol):
    """The exchange. `calls`: every call, oldest first. `refuse`: a SIP status with which it refuses all calls.
    `password`: what a REGISTER must know; None: nobody needs one. `registered`: contact by account."""

    def __init__(self, host: str = "127.0.0.1", decide: Callable[[str], Behaviour] = behaviour) -> None:
        self.host, self.port = host, 0
        self.calls: list[Call] = []
        self.refuse: int | None = None
        self.password: str | None = None
        self.registered: dict[str, str] = {}
        self.requests: list[Message] = []
        self._decide = decide
        self._by_id: dict[str, Call] = {}
        self._invites: dict[str, tuple[Message, Address, bytes]] = {}  # the last answer to each INVITE
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._tag = secrets.token_hex(4)

    # ---- for other threads
    def last_call(self, number: str | None = None) -> Call | None:
        """The newest call (to a number)."""
        return next((call for call in reversed(self.calls) if number is None or call.number.endswith(number)), None)

    def await_call(self, number: str, seconds: float = 10) -> Call:
        """The newest call to a number, which may still be on its way. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while (call := self.last_call(number)) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"nobody called {number} within {seconds} s")
            time.sleep(0.01)
        return call

    def press(self, call: Call, keys: str) -> None:
        """Press keys on this telephone."""
        self.loop.call_soon_threadsafe(call.press, keys)

    def hang_up(self, call: Call) -> None:
        """This telephone hangs up."""
        self.loop.call_soon_threadsafe(self._hang_up, call)

    def call_in(self, to: Address, number: str, caller: str, says: Behaviour = ANSWERS) -> Call:
        """Somebody calls `number` at the SIP address `to`. Returns at once; look at `state` and `status`."""
        made: list[Call] = []
        done = threading.Event()

        def begin() -> None:
            made.append(self._invite(to, number, caller, says))
            done.set()

        self.loop.call_soon_threadsafe(begin)
        if not done.wait(5):
            raise TimeoutError("the network of invented telephones does not run")
        return made[0]

    # ---- the wire
    async def open(self, port: int = 0) -> None:
        """Listen."""
        self.loop = asyncio.get_running_loop()
        self._transport, _ = await self.loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, port))
        self.port = int(self._transport.get_extra_info("sockname")[1])
        self._speaking = self.loop.create_task(self._speak())

    async def close(self) -> None:
        """Fall silent; calls that live are forgotten, not ended."""
        self._speaking.cancel()
        await asyncio.wait([self._speaking])
        for call in self.calls:
            call.end("us")
        for timer in self._waiting.values():
            timer.cancel()
        self._transport.close()
        await asyncio.sleep(0)  # the transport closes its socket in the next turn

    async def _speak(self) -> None:
        due = time.monotonic()
        while True:
            for call in self.calls:
                if call.state == "up" or (call.state == "ringing" and call.status == 183):
                    call.speak()
            due += sound.FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def datagram_received(self, data: bytes, address: Address) -> None:
        """One SIP message."""
        message = sip.read(data)
        if message is None:
            return
        if message.method is None:
            self._hear_answer(message, address)
            return
        self.requests.append(message)
        act = {"INVITE": self._ring, "ACK": self._acknowledge, "CANCEL": self._cancel, "BYE": self._bye,
               "REGISTER": self._register}.get(message.method, self._fine)  # fmt: skip
        act(message, address)

    def _reply(self, request: Message, status: int, address: Address, *, body: str = "",
               extra: tuple[str, ...] = ()) -> bytes:  # fmt: skip
        contact = f"<sip:{self.host}:{self.port}>" if status < 300 and request.method == "INVITE" else ""
        data = sip.respond(request, status, tag=self._tag, contact=contact, body=body, extra=extra)
        self._transport.sendto(data, address)
        return data

    def _fine(self, request: Message, address: Address) -> None:
        self._reply(request, 200, address)

    # ---- calls to us
    def _ring(self, request: Message, address: Address) -> None:
        name = request.get("call-id")
        known = self._invites.get(name)
        if known is not None and known[0].sequence == request.sequence:
            self._transport.sendto(known[2], address)  # said again: our answer was lost
            return
        if name in self._by_id:
            self._reply(request, 200, address, body=sip.describe(self.host, self._by_id[name].port))
            return
        call = Call(request.number, request.get("from"), self._decide(request.number), self.host)
        self.calls.append(call)
        self._by_id[name] = call
        call.to = sip.media_address(request.body)
        self.loop.add_reader(call.media, call.listen)
        to = request.get("to")
        call.dialog = Dialog(name, f"{to};tag={self._tag}", request.get("from"), sip.uri(request.get("contact")))
        self._answer_ringing(call, request, address)

    def _answer_ringing(self, call: Call, request: Message, address: Address) -> None:
        says, name = call.behaviour, request.get("call-id")
        status = self.refuse or says.status
        wait = says.ring + says.early
        if status == 200 or status is None or wait:
            call.status = 183 if says.early else 180
            body = sip.describe(self.host, call.port) if says.early else ""
            self._invites[name] = (request, address, self._reply(request, call.status, address, body=body))
        if status is not None:
            self._later(name, wait, lambda: self._answer(call, request, status, address))

    def _answer(self, call: Call, request: Message, status: int, address: Address) -> None:
        name = request.get("call-id")
        call.status = status
        body = sip.describe(self.host, call.port) if status == 200 else ""
        self._invites[name] = (request, address, self._reply(request, status, address, body=body))
        if status != 200:
            call.end("us")
            return
        call.state, call.answered_at = "up", time.monotonic()
        call.speak()
        self._later(name, REPEAT, lambda: self._repeat(name))

    def _repeat(self, name: str) -> None:
        _, address, answer = self._invites[name]
        self._transport.sendto(answer, address)
        self._later(name, REPEAT, lambda: self._repeat(name))

    def _acknowledge(self, request: Message, _: Address) -> None:
        name = request.get("call-id")
        call = self._by_id.get(name)
        self._forget_timer(name)
        if call is not None and call.state == "up" and call.behaviour.ends is not None:
            self._later(name, call.behaviour.ends, lambda: self._hang_up(call))

    def _cancel(self, request: Message, address: Address) -> None:
        self._reply(request, 200, address)
        name = request.get("call-id")
        call = self._by_id.get(name)
        self._forget_timer(name)
        if call is not None and call.state == "ringing":
            invite = self._invites[name][0]
            self._invites[name] = (invite, address, self._reply(invite, 487, address))
            call.status = 487
            call.end("them")

    def _bye(self, request: Message, address: Address) -> None:
        call = self._by_id.get(request.get("call-id"))
        self._reply(request, 200 if call is not None else 481, address)
        self._forget_timer(request.get("call-id"))
        if call is not None:
            call.end("them")

    def _register(self, request: Message, address: Address) -> None:
        proof = request.get("authorization")
        if self.refuse is not None:
            self._reply(request, self.refuse, address)
        elif self.password is None or (proof and sip.digest_matches(proof, "REGISTER", self.password)):
            contact = request.get("contact")
            self.registered[sip.uri(request.get("to"))] = contact
            self._reply(request, 200, address, extra=(f"Contact: {contact};expires=60", "Expires: 60"))
        else:
            challenge = f'WWW-Authenticate: Digest realm="invented", nonce="{secrets.token_hex(8)}", algorithm=MD5'
            self._reply(request, 401, address, extra=(challenge,))

    # ---- calls from us
    def _invite(self, to: Address, number: str, caller: str, says: Behaviour) -> Call:
        call = Call(number, caller, says, self.host)
        name = f"{secrets.token_hex(8)}@{self.host}"
        here = f"{self.host}:{self.port}"
        call.dialog = Dialog(
            name, f"<sip:{caller}@{here}>;tag={self._tag}", f"<sip:{number}@{to[0]}:{to[1]}>",
            f"sip:{number}@{to[0]}:{to[1]}",
        )  # fmt: skip
        self.calls.append(call)
        self._by_id[name] = call
        self.loop.add_reader(call.media, call.listen)
        body = sip.describe(self.host, call.port)
        self._transport.sendto(sip.request("INVITE", call.dialog, here, body=body), to)
        return call

    def _hear_answer(self, message: Message, address: Address) -> None:
        call = self._by_id.get(message.get("call-id"))
        if call is None or call.dialog is None or message.sequence[1] != "INVITE" or message.status < 200:
            return
        call.dialog.theirs = message.get("to")
        if message.status == 200:
            call.dialog.target = sip.uri(message.get("contact")) or call.dialog.target
        self._transport.sendto(sip.request("ACK", call.dialog, f"{self.host}:{self.port}"), address)
        if call.state != "ringing":
            return
        call.status = message.status
        if message.status != 200:
            call.end("them")
            return
        call.to = sip.media_address(message.body)
        call.state, call.answered_at = "up", time.monotonic()
        if call.behaviour.ends is not None:
            self._later(call.dialog.call_id, call.behaviour.ends, lambda: self._hang_up(call))

    def _hang_up(self, call: Call) -> None:
        if call.state != "up" or call.dialog is None:
            return
        call.dialog.sequence += 1
        target = call.dialog.target.rpartition("@")[2].split(";")[0]
        host, _, port = target.removeprefix("sip:").partition(":")
        self._transport.sendto(sip.request("BYE", call.dialog, f"{self.host}:{self.port}"), (host, int(port or 5060)))
        call.end("us")

    # ---- timers, one a call
    def _later(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        self._forget_timer(name)
        if seconds <= 0:
            act()
        else:
            self._waiting[name] = self.loop.call_later(seconds, act)

    def _forget_timer(self, name: str) -> None:
        timer = self._waiting.pop(name, None)
        if timer is not None:
            timer.cancel()


@contextlib.contextmanager
def running(port: int = 0, decide: Callable[[str], Behaviour] = behaviour) -> Iterator[Network]:
    """A network of invented telephones in a thread of its own, for the length of a block. Raises OSError."""
    network, loop = Network(decide=decide), asyncio.new_event_loop()
    # Opened in its thread, too: the caller's may have a loop of its own at work (Playwright's, for one).
    thread = threading.Thread(target=loop.run_forever, name="telephones", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(network.open(port), loop).result(5)
        try:
            yield network
        finally:
            asyncio.run_coroutine_threadsafe(network.close(), loop).result(5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
