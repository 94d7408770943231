import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from scripts import embedded
from tests.scripts.folders import open_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    yield from open_folder()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_services_answer_their_own_user_only(services: embedded.Places) -> None:
    assert _mode(services.sockets) == 0o700
    assert _mode(services.sockets / "redis.sock") == 0o700
    assert _mode(services.sockets / ".s.PGSQL.5432") == 0o700
    with Redis.from_url(services.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("save") == {"save": ""}
    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_data_folder_too_deep_for_a_socket_gets_a_private_short_folder(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60) / "var"
    with embedded.running(deep, throwaway=True) as places:
        assert not places.sockets.is_relative_to(deep)
        assert places.sockets.parent == Path("/tmp")
        assert _mode(places.sockets) == 0o700
        with psycopg.connect(places.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert embedded.make_places(deep) == places, "the next start finds the same folder"
    places.sockets.rmdir()


def test_a_short_folder_that_is_not_private_any_more_is_not_used(folder: Path) -> None:
    deep = folder / ("d" * 100) / "var"
    first = embedded.make_places(deep).sockets
    first.chmod(0o755)
    second = embedded.make_places(deep).sockets
    assert second != first
    assert _mode(second) == 0o700
    first.rmdir()
    second.rmdir()


def test_no_folder_outside_the_data_folder_changes_its_mode(folder: Path) -> None:
    outer = folder / "outer"
    outer.mkdir(mode=0o755)
    before = {path: (_mode(path), path.stat().st_uid) for path in (Path("/tmp"), folder, outer)}
    with embedded.running(outer / "var", throwaway=True):
        pass
    assert {path: (_mode(path), path.stat().st_uid) for path in before} == before


def test_data_stay_from_one_start_to_the_next(folder: Path) -> None:
    with (
        embedded.running(folder / "var", throwaway=True, only=("postgres",)) as places,
        psycopg.connect(places.database_url) as connection,
    ):
        connection.execute("CREATE TABLE kept AS SELECT 17 AS number")
    with (
        embedded.running(folder / "var", throwaway=True, only=("postgres",)) as places,
        psycopg.connect(places.database_url) as connection,
    ):
        assert connection.execute("SELECT number FROM kept").fetchone() == (17,)


def test_what_killed_services_left_behind_does_not_stop_the_next_start(folder: Path) -> None:
    places = embedded.make_places(folder / "var")
    embedded.init_postgres(places, throwaway=True)
    # A living process of the same user under the old number, as after a restarted container.
    (places.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{places.cluster}\n1\n5432\n{places.sockets}\n\n")
    (places.sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (places.sockets / "redis.sock").touch()
    embedded.forget_the_dead(places)
    with embedded.running(folder / "var", throwaway=True), psycopg.connect(places.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_services_end_with_a_process_that_is_killed_outright(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from scripts import embedded\n"
        "with embedded.running(Path(sys.argv[1]), throwaway=True) as places:\n"
        "    print((places.cluster / 'postmaster.pid').read_text().split()[0], flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(folder / "var")]
    with subprocess.Popen(command, cwd=embedded.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        postmaster = int(process.stdout.readline())
        process.kill()
    pidfd = _watch(postmaster)
    if pidfd is not None:
        import select

        assert select.select([pidfd], [], [], 10)[0], "PostgreSQL lives on"
        os.close(pidfd)


def _watch(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def test_the_environment_of_a_process_gets_only_what_it_lacks(folder: Path) -> None:
    env = embedded.environment({"DATABASE_URL": "postgresql://db.example/convoca"}, folder / "var")
    assert env["DATABASE_URL"] == "postgresql://db.example/convoca"
    assert env["REDIS_URL"].startswith("unix:///")
    assert embedded.own_services({"REDIS_URL": "redis://cache.example"}) == ("postgres",)


def test_the_newest_migration_is_the_database_s(services: embedded.Places) -> None:
    assert embedded.is_migrated(services.database_url)
    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (
            embedded.newest_migration(),
        )
