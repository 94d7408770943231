"""The whole product, started as `make run` starts it, with an empty database."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.bench import product
from scripts.bench.product import ROOT

EMPTY = {"CONVOCA_DEMO": "no"}


@pytest.fixture(scope="module")
def running() -> Iterator[product.Product]:
    with product.running(env=EMPTY) as started:
        yield started


@pytest.fixture
def folder() -> Iterator[Path]:
    with product.temporary_folder() as folder:
        yield folder


def _environment(var: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "CONVOCA_VAR": str(var), **EMPTY, **more}


def _try_to_run(var: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "scripts.run", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=_environment(var, **env), capture_output=True, text=True, timeout=60, check=False
    )


def _flask(var: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("flask")), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=_environment(var, **env), capture_output=True, text=True, timeout=120, check=False
    )


def _health(url: str) -> tuple[int, dict[str, dict[str, object]]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    parts: dict[str, dict[str, object]] = json.loads(answer.read())["parts"]
    connection.close()
    return answer.status, parts


def test_it_says_its_address_once_and_no_other_before(running: product.Product) -> None:
    lines = running.lines()
    said = [number for number, line in enumerate(lines) if line.startswith("Convoca: ")]
    assert len(said) == 1
    assert re.fullmatch(r"Convoca: http://127\.0\.0\.1:\d+", lines[said[0]])
    assert not [line for line in lines[: said[0]] if "://" in line]


def test_every_part_is_healthy(running: product.Product) -> None:
    status, parts = _health(running.url)
    assert status == 200
    assert {name for name, part in parts.items() if part["ok"]} == set(parts)
    assert set(running.pids()) == {
        "web", "live", "worker", "messages", "bulk", "dialer", "clock", "carrier", "operators", "postgres", "redis",
    }  # fmt: skip


@pytest.mark.parametrize("part", ["postgres", "redis", "web", "worker"])
def test_a_part_killed_outright_comes_back(running: product.Product, part: str) -> None:
    first = running.pids()[part]
    os.kill(first, signal.SIGKILL)
    until = time.monotonic() + 30
    while True:
        assert time.monotonic() < until, f"{part} did not come back: {running.lines()[-20:]}"
        try:
            if running.pids().get(part, first) != first and _health(running.url)[0] == 200:
                break
        except (OSError, http.client.HTTPException, ValueError):
            pass  # that is what being away looks like
        time.sleep(0.05)


def test_a_second_one_on_the_same_data_is_refused_in_words(running: product.Product) -> None:
    second = _try_to_run(running.var)
    assert second.returncode == 2
    assert "already runs on the data folder" in second.stderr
    assert running.url in second.stderr


def test_a_flask_command_beside_it_shares_its_services(running: product.Product) -> None:
    done = _flask(running.var, "users", "list")
    assert done.returncode == 0, done.stderr
    assert _health(running.url)[0] == 200


def test_a_port_that_was_asked_for_and_is_taken_is_an_error_in_words(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = _try_to_run(folder / "var", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 2
    assert refused.stderr.startswith("Convoca is not started: it cannot listen on 127.0.0.1 port")


def test_an_unreachable_database_is_named_without_its_password(folder: Path) -> None:
    url = f"postgresql://ana:secreto@127.0.0.1:{product.free_port()}/convoca"
    for refused in (
        _try_to_run(folder / "var", "--port", str(product.free_port()), DATABASE_URL=url),
        _flask(folder / "var", "users", "list", DATABASE_URL=url),
    ):
        assert refused.returncode == 2
        assert "DATABASE_URL (postgresql://ana:***@127.0.0.1" in refused.stderr
        assert "secreto" not in refused.stderr + refused.stdout


def test_a_lone_flask_command_has_services_for_as_long_as_it_needs_them(folder: Path) -> None:
    done = _flask(folder / "var", "users", "list")
    assert done.returncode == 0, done.stderr
    assert not (folder / "var/services/postgres/postmaster.pid").exists()
    assert _flask(folder / "var", "users", "list", "--no-such-option").returncode == 2


def test_what_a_killed_supervisor_leaves_does_not_stop_the_next_start(folder: Path) -> None:
    with product.start(folder / "var", EMPTY) as first:
        first.process.kill()
        first.process.wait()
        with product.start(folder / "var", EMPTY) as second:
            assert _health(second.url)[0] == 200
            assert second.stop(signal.SIGTERM) < 5
            assert second.process.returncode == 0
