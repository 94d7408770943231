"""What the simulated carrier can take: a bare loop of Twilio's asynchronous client, without callbacks.

The send bench prints it beside its own figure: the carrier's limit must not be taken for the product's. Not a part."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from scripts.bench import Figure
from scripts.bench.product import ROOT, free_port
from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.options import ACCOUNT_SID, AUTH_TOKEN, NUMBERS

TARGET = 2_500.0  # messages a second
MESSAGES, IN_FLIGHT = 20_000, 40
BODY = "Hola {name}, el domingo 6 de junio son las elecciones. Su casilla abre a las 8. Responda BAJA para salir."


def capacity(messages: int = MESSAGES, in_flight: int = IN_FLIGHT) -> Figure:
    """carrier_per_s: messages that a carrier of its own accepts each second, with a journal and with no limit."""
    with bare_carrier() as url:
        rate = bare_rate(url, messages=messages, in_flight=in_flight)
    return Figure("carrier_per_s", round(rate), "messages/s", TARGET)


def bare_rate(
    url: str,
    account_sid: str = ACCOUNT_SID,
    auth_token: str = AUTH_TOKEN,
    *,
    sender: str = NUMBERS[-1],
    messages: int = MESSAGES,
    in_flight: int = IN_FLIGHT,
) -> float:
    """Messages a second from the first request to the last answer, sent to mobiles of nobody's, each once."""
    return asyncio.run(_loop(url, account_sid, auth_token, sender, list(_mobiles(messages)), in_flight))


@contextmanager
def bare_carrier() -> Iterator[str]:
    """The address of a carrier of its own: nothing limits it, nobody writes back."""
    with tempfile.TemporaryDirectory(prefix="convoca-carrier-") as folder:
        url = f"http://127.0.0.1:{(port := free_port())}"
        command = [
            sys.executable, "-m", "scripts.simulated_carrier", "--port", str(port), "--parts-per-second", "0",
            "--journal", str(Path(folder) / "journal.jsonl"), "--set", "citizens_reply=0",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_answer(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def _await_answer(url: str, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < give_up:
        try:
            requests.get(f"{url}/healthz", timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the simulated carrier did not start")


def _mobiles(count: int) -> Iterator[str]:
    number = 0
    while count:
        phone = f"+52922{5_000_000 + number}"
        number += 1
        if citizen(phone, 1).is_mobile:
            count -= 1
            yield phone


async def _loop(url: str, account: str, token: str, sender: str, phones: list[str], in_flight: int) -> float:
    http = AsyncTwilioHttpClient(max_retries=None)
    client = Client(account, token, http_client=http)
    client.api.base_url = url
    messages, waiting = client.api.v2010.accounts(account).messages, iter(enumerate(phones))

    async def send_on() -> None:
        for number, phone in waiting:
            await messages.create_async(to=phone, from_=sender, body=BODY.format(name=f"vecina {number}"))

    begun = time.perf_counter()
    try:
        await asyncio.gather(*[send_on() for _ in range(in_flight)])
    finally:
        await http.close()
    return len(phones) / (time.perf_counter() - begun)
