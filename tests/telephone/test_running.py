"""`make run CARRIER=asterisk`: the parts, the switch's row, and what is said when it cannot start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.asterisk.configuration import kept_sections
from scripts.bench import product
from scripts.bench.floor import database, rows
from tests.telephone.manager import until

ASTERISK = {"CONVOCA_CARRIER": "asterisk", "CONVOCA_SIP_ADDRESS": "127.0.0.1"}


@pytest.fixture(scope="module")
def running() -> Iterator[product.Product]:
    with product.running(env=ASTERISK) as found:
        yield found


def _refusal(folder: Path, **env: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.run", "--port", str(product.free_port())],
        cwd=product.ROOT, env={**product.environment(folder / "var", ASTERISK), **env}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 2, ran.stdout[-2000:]
    return ran.stderr


def test_asterisk_and_its_listeners_run_and_the_simulated_carrier_does_not(running: product.Product) -> None:
    assert {"asterisk", "switch", "ivr", "web", "dialer"} <= set(running.pids())
    assert not {"carrier", "operators"} & set(running.pids())


def test_it_says_how_the_first_administrator_is_made(running: product.Product) -> None:
    until(lambda: any("flask users create" in line and "administrator" in line for line in running.lines()))


def test_its_switch_is_written_down_and_heard(running: product.Product) -> None:
    note = json.loads((running.var / "asterisk" / "instance.json").read_text())
    with database(running) as engine:
        (row,) = rows(engine, "SELECT * FROM switches")
        assert (row.name, row.ami_port, row.folder) == (
            "local", note["first_port"], str(running.var / "asterisk" / "spool"),
        )  # fmt: skip
        assert row.ws_url == f"ws://127.0.0.1:{note['first_port'] + 1}/ws"
        assert note["secrets"]["worker"] not in row.secrets_sealed
        until(lambda: rows(engine, "SELECT seen_at FROM switches WHERE seen_at IS NOT NULL"), seconds=30)


def test_no_secret_of_it_is_in_the_log(running: product.Product) -> None:
    note = json.loads((running.var / "asterisk" / "instance.json").read_text())
    said = "\n".join(running.lines())
    assert [user for user, secret in note["secrets"].items() if secret in said] == []


def test_killed_it_comes_back_at_the_same_ports(running: product.Product) -> None:
    before = json.loads((running.var / "asterisk" / "instance.json").read_text())
    pid = running.pids()["asterisk"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: running.pids().get("asterisk", pid) != pid, seconds=30)
    with database(running) as engine:
        (was,) = rows(engine, "SELECT now() AS now")
        until(lambda: rows(engine, "SELECT 1 FROM switches WHERE seen_at > :now", now=was.now), seconds=30)
    assert json.loads((running.var / "asterisk" / "instance.json").read_text()) == before


def test_without_an_asterisk_the_start_is_refused_in_a_sentence(telephone_folder: Path) -> None:
    folder = telephone_folder / "none"
    folder.mkdir(mode=0o711)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if not _has_asterisk(part))
    said = _refusal(folder, CONVOCA_ASTERISK=str(folder / "nothing"), PATH=path)
    assert "There is no Asterisk 20 or newer on this machine: run “sudo sh scripts/setup.sh telephone”." in said


def _has_asterisk(folder: str) -> bool:
    return (Path(folder) / "asterisk").exists()


def test_an_address_that_is_none_is_refused_by_name(telephone_folder: Path) -> None:
    folder = telephone_folder / "nowhere"
    folder.mkdir(mode=0o711)
    assert "CONVOCA_SIP_ADDRESS is 'mi servidor'" in _refusal(folder, CONVOCA_SIP_ADDRESS="mi servidor")


def test_what_ami_wrote_survives_a_new_template() -> None:
    written = (
        ";!\n;! Automatically generated\n;!\n; Old words.\n[trunk-wiz](!)\ntype = wizard\n\n"
        "[trunk-1](trunk-wiz)\nremote_hosts = 127.0.0.1:5090\n\n[trunk-2](trunk-wiz)\n; a note\nsends_auth = yes\n"
    )
    kept = kept_sections(written)
    assert kept.startswith("\n[trunk-1](trunk-wiz)\n")
    assert "sends_auth = yes" in kept
    assert "Old words" not in kept
    assert "[trunk-wiz]" not in kept
    assert kept_sections("; nothing yet\n[trunk-wiz](!)\ntype = wizard\n") == ""
