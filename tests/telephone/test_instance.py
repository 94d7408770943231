"""Our Asterisk: starts clean, keeps what must last, and leaves others alone."""

import stat
from pathlib import Path

import pytest

from scripts import asterisk
from scripts.asterisk import installation, ports
from tests.telephone.manager import entered, open_trunk, until


def test_it_starts_without_a_warning(switch: asterisk.Instance) -> None:
    with entered(switch, "worker") as worker:
        assert worker.ask("CoreSettings")["AsteriskVersion"].startswith(switch.version)
    boot = [line for line in switch.log.read_text().splitlines() if " built by " not in line]
    until_calls = [line for line in boot if "WARNING" in line or "ERROR" in line]
    assert [line for line in until_calls if "loader.c" in line or "config" in line.split(":")[0]] == []


def test_a_fresh_one_has_nothing_to_complain_about(telephone_folder: Path) -> None:
    with asterisk.running(telephone_folder / "clean") as instance:
        log = instance.log
    assert [line for line in log.read_text().splitlines() if "WARNING" in line or "ERROR" in line] == []


def test_it_keeps_ports_secrets_accounts_and_trunks_from_start_to_start(telephone_folder: Path) -> None:
    folder = telephone_folder / "again"
    with asterisk.running(folder) as first, entered(first, "worker") as worker:
        open_trunk(worker, "trunk-9", 5099)
    with asterisk.running(folder) as second, entered(second, "worker") as worker:
        assert (second.ports, second.secrets) == (first.ports, first.secrets)
        found = worker.ask("GetConfig", Filename="pjsip_trunks.conf", Category="trunk-9")
        worker.ask("PJSIPShowEndpoint", Endpoint="trunk-9")
        worker.event("EndpointDetail", ObjectName="trunk-9")
    assert found["Response"] == "Success"
    assert (folder / "etc" / "pjsip_trunks.conf").read_text().count("[trunk-wiz](!)") == 1


def test_two_run_side_by_side(switch: asterisk.Instance, telephone_folder: Path) -> None:
    with asterisk.running(telephone_folder / "other") as other:
        assert other.ports.first != switch.ports.first
        with entered(other, "worker") as one, entered(switch, "worker") as two:
            assert one.ask("Ping")["Ping"] == two.ask("Ping")["Ping"] == "Pong"


def test_a_folder_too_deep_for_a_socket_does_not_matter(telephone_folder: Path) -> None:
    with asterisk.running(telephone_folder / ("deep" * 30)) as instance, entered(instance, "worker") as worker:
        assert worker.ask("Ping")["Response"] == "Success"


def test_it_runs_with_no_right_of_root(switch: asterisk.Instance) -> None:
    pid = int((switch.folder / "run" / "asterisk.pid").read_text())
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    assert int(status["CapEff"], 16) & ~(1 << 2) == 0  # at most to read through closed folders (service_user)
    assert status["Uid"].split()[0] != "0"


def test_nothing_of_it_is_open_to_other_users(switch: asterisk.Instance) -> None:
    assert stat.S_IMODE(switch.folder.stat().st_mode) == 0o700
    secret = [switch.folder / "instance.json", *(switch.folder / "etc").iterdir()]
    assert [path for path in secret if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_it_listens_to_this_machine_only(switch: asterisk.Instance) -> None:
    pid = int((switch.folder / "run" / "asterisk.pid").read_text())
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    listening = {}
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07")):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            cells = line.split()
            address, port = cells[1].split(":")
            if cells[9] in inodes and cells[3] == state:
                listening[kind, int(port, 16)] = address
    calls = {key for key in listening if key[0] == "udp" and key[1] >= switch.ports.first_rtp}  # sound, and DNS
    found = {key: address for key, address in listening.items() if key not in calls}
    assert set(found.values()) == {"0100007F"}
    assert ("udp", switch.ports.sip) in found


def test_without_asterisk_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONVOCA_ASTERISK", str(tmp_path))
    monkeypatch.setattr(installation, "_on_path", lambda: None)
    installation.find.cache_clear()
    try:
        with pytest.raises(asterisk.NotInstalled, match=r"setup\.sh telephone"):
            asterisk.find()
    finally:
        installation.find.cache_clear()


def test_a_block_of_ports_is_claimed_until_it_is_released() -> None:
    first = ports.claim()
    second = ports.claim(first.ports.first)
    try:
        assert second.ports.first != first.ports.first
        first.release()
        third = ports.claim(first.ports.first)
        assert third.ports == first.ports
        third.release()
    finally:
        first.release()
        second.release()


def test_a_stop_ends_every_process_of_it(telephone_folder: Path) -> None:
    with asterisk.running(telephone_folder / "short") as instance:
        pid = int((instance.folder / "run" / "asterisk.pid").read_text())
    until(lambda: not Path(f"/proc/{pid}").exists())
