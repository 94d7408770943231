"""Who may do what on our Asterisk: the three AMI users, and a browser that dials."""

import asyncio
import secrets
from collections.abc import Iterator

import aiohttp
import pytest

from scripts import asterisk
from scripts.simulated_telephones import sip
from tests.telephone.manager import Manager, entered, open_trunk
from tests.telephone.test_calls import call

NOT_ALLOWED = "Permission denied"


@pytest.fixture
def ivr(switch: asterisk.Instance) -> Iterator[Manager]:
    with entered(switch, "ivr") as manager:
        yield manager


@pytest.mark.parametrize("user", ["switch", "ivr", "worker"])
def test_nobody_enters_with_another_secret(user: str, switch: asterisk.Instance) -> None:
    with pytest.raises(PermissionError, match="Authentication failed"):
        Manager(switch, user, "another")


def test_the_switch_hears_what_becomes_of_calls_and_no_more(worker: Manager, listener: Manager, trunk: str) -> None:
    name = call(worker, trunk, "+525512340006")
    listener.event("Hangup", Uniqueid=name)
    heard = [packet["Event"] for packet in listener.packets if packet.get("Uniqueid") == name]
    assert set(heard) <= {
        "Newchannel", "DialBegin", "DialState", "DialEnd", "Newstate", "OriginateResponse", "UserEvent", "Hangup",
        "HangupRequest", "SoftHangupRequest",
    }  # fmt: skip
    assert len(heard) <= 14


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Originate", {"Channel": "Local/s@trunk-test", "Context": "trunk-test", "Exten": "s", "Priority": "1"}),
        ("UpdateConfig", {"SrcFilename": "pjsip_trunks.conf", "DstFilename": "pjsip_trunks.conf"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("Command", {"Command": "core show version"}),
        ("AGI", {"Channel": "x", "Command": "NOOP"}),
        ("ModuleLoad", {"Module": "res_agi.so", "LoadType": "unload"}),
    ],
)
def test_the_switch_may_neither_call_nor_write(action: str, headers: dict[str, str], listener: Manager) -> None:
    assert listener.ask(action, **headers)["Message"] == NOT_ALLOWED


@pytest.mark.parametrize("action", ["Originate", "Status", "Hangup", "Redirect", "GetConfig", "Command", "MixMonitor"])
def test_the_recorded_surveys_may_only_talk_to_their_channels(action: str, ivr: Manager) -> None:
    assert ivr.ask(action, Channel="x", Filename="manager.conf", Command="x")["Message"] == NOT_ALLOWED


def test_the_recorded_surveys_hear_their_own_beginnings_and_ends_only(
    worker: Manager, ivr: Manager, trunk: str
) -> None:
    name = call(worker, trunk, "+525512340099", exten="recording")
    ivr.event("AsyncAGIStart", Uniqueid=name)
    assert ivr.ask("AGI", Channel=name, Command="HANGUP", CommandID="1")["Response"] == "Success"
    ivr.event("AsyncAGIEnd", Uniqueid=name)
    assert set(ivr.names()) <= {"AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd"}


def test_no_program_of_the_machine_can_be_run(worker: Manager, trunk: str, switch: asterisk.Instance) -> None:
    proof = switch.spool / "proof"
    for what in ("System", "TrySystem"):
        worker.ask("Originate", Channel="Local/s@trunk-test", Application=what, Data=f"touch {proof}", Async="false")
    assert worker.ask("ModuleLoad", Module="app_system.so", LoadType="load")["Message"] == "Module not found."
    assert worker.ask("Getvar", Variable=f"SHELL(touch {proof})").get("Value", "") == ""
    assert not proof.exists()


@pytest.mark.parametrize("file", ["extensions.conf", "manager.conf", "modules.conf", "asterisk.conf"])
def test_only_accounts_and_trunks_can_be_written(file: str, worker: Manager, switch: asterisk.Instance) -> None:
    before = (switch.folder / "etc" / file).read_text()
    answer = worker.ask("UpdateConfig", SrcFilename=file, DstFilename=file, Action_000000="NewCat", Cat_000000="evil")
    assert answer["Response"] == "Error"
    assert worker.ask("CreateConfig", Filename="new.conf")["Response"] == "Error"
    assert (switch.folder / "etc" / file).read_text() == before


# ---- What a page can dial by itself

ACCOUNT = "op-901"


@pytest.fixture(scope="session")
def account(switch: asterisk.Instance) -> str:
    """A browser's account; returns its secret."""
    secret, file = secrets.token_hex(16), "pjsip_accounts.conf"
    settings = {"inbound_auth/username": ACCOUNT, "inbound_auth/password": secret}
    lines = {"Action_000000": "NewCat", "Cat_000000": ACCOUNT, "Options_000000": 'inherit="browser-wiz"'}
    for number, (name, value) in enumerate(settings.items(), start=1):
        index = f"{number:06}"
        lines |= {f"Action_{index}": "Append", f"Cat_{index}": ACCOUNT, f"Var_{index}": name, f"Value_{index}": value}
    with entered(switch, "worker") as worker:
        assert worker.ask("UpdateConfig", SrcFilename=file, DstFilename=file, Reload="res_pjsip.so", **lines)[
            "Response"
        ] == "Success"  # fmt: skip
    return secret


async def _dial(ws_url: str, number: str, secret: str, method: str = "INVITE", name: str = ACCOUNT) -> int:
    """The last answer to a request over the browsers' WebSocket, of their account or of one who says to be `name`;
    asked for a proof, it gives it."""
    patience = aiohttp.ClientWSTimeout(ws_close=0.1)  # Asterisk does not say good-bye
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(ws_url, protocols=("sip",), timeout=patience) as socket,
    ):
        dialog = sip.Dialog(secrets.token_hex(8), f"<sip:{name}@convoca>;tag=1", f"<sip:{number}@convoca>",
                            f"sip:{number}@convoca")  # fmt: skip
        body = sip.describe("127.0.0.1", 9) if method == "INVITE" else ""
        proof = ""
        while True:
            text = (
                sip.request(method, dialog, "browser.invalid", body=body).decode().replace("SIP/2.0/UDP", "SIP/2.0/WS")
            )
            await socket.send_str(text.replace("Max-Forwards", f"{proof}Max-Forwards"))
            answer = None
            while answer is None or answer.status < 200:
                answer = sip.read(str((await socket.receive(timeout=5)).data).encode())
            asked = answer.get("www-authenticate")
            if answer.status != 401 or proof:
                return answer.status
            proof = f"Authorization: {sip.prove(asked, method, dialog.target, ACCOUNT, secret)}\r\n"
            dialog.sequence += 1


@pytest.mark.parametrize("number", ["5512345678", "wait", "room", "recording", "listen", "s", "link", "amd", "refuse"])
def test_a_page_can_dial_nothing(number: str, switch: asterisk.Instance, account: str) -> None:
    assert asyncio.run(_dial(switch.ws_url, number, account)) == 404


def test_a_page_can_dial_the_echo(switch: asterisk.Instance, account: str) -> None:
    assert asyncio.run(_dial(switch.ws_url, "echo", account)) == 200


def test_a_page_without_the_secret_can_do_nothing(switch: asterisk.Instance, account: str) -> None:
    assert asyncio.run(_dial(switch.ws_url, "echo", "another")) == 401


@pytest.fixture(scope="session")
def far_trunk(switch: asterisk.Instance) -> str:
    """A trunk whose other side is nowhere near."""
    with entered(switch, "worker") as worker:
        open_trunk(worker, "trunk-77", 5060, remote_hosts="192.0.2.77:5060")
    return "trunk-77"


def test_nobody_rings_us_by_saying_that_they_are_a_trunk(
    switch: asterisk.Instance, far_trunk: str, listener: Manager
) -> None:
    """Its address alone says who a trunk is: whoever could use its name could opt other people out, or ring operators,
    from any page of the world."""
    assert asyncio.run(_dial(switch.ws_url, "5555550101", "none", name=far_trunk)) == 401
    listener.read(0.3)
    assert not any(packet.get("What") == "inbound" for packet in listener.packets)
