"""What a list survives: a worker killed, a database restarted, two lists at once, somebody who cancels."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from callcenter import (
    import_helper,
    import_jobs,
    import_merge,
    import_reading,
    import_staging,
    imports,
    suppressions,
    table_blocks,
)
from callcenter.base import db
from callcenter.base.errors import InvalidInput
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from tests.callcenter.test_imports import EXPECTED, SAMPLE

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'convoca' AND pid <> :own"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 4_000)
    suppressions.configure(b"suppression-of-the-tests")


def start(sessions: db.Sessions) -> int:
    with sessions() as session:
        batch = imports.create(session, SAMPLE, source="lista", file_name="lista.csv")
        batch.state = "running"
        session.commit()
        return batch.id


def look(sessions: db.Sessions, import_id: int) -> tuple[str, dict[str, Any], int]:
    with sessions() as session:
        batch = imports.get(session, import_id)
        return batch.state, batch.counts, session.scalar(select(func.count()).select_from(Contact)) or 0


def once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, deed: Callable[[], None], at_call: int = 1) -> None:
    """Let `deed` happen just before the function's call of that number."""
    true, calls = getattr(module, name), [0]

    def disturbed(*args: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == at_call:
            deed()
        return true(*args, **named)

    monkeypatch.setattr(module, name, disturbed)


def is_as_expected(counts: dict[str, Any]) -> bool:
    return bool({key: counts[key] for key in EXPECTED} == EXPECTED)


def restart_connections(sessions: db.Sessions) -> None:
    with sessions() as session:
        own = session.scalar(text("SELECT pg_backend_pid()"))
        session.execute(text(KILL), {"own": own})


def test_connections_lost_in_mid_stage_and_in_mid_merge_do_not_end_a_list(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(monkeypatch, import_staging, "copy_refused", lambda: restart_connections(committed), 3)
    once(monkeypatch, import_merge._Work, "find_changes", lambda: restart_connections(committed))
    import_id = start(committed)
    import_jobs.run_import(import_id)
    state, counts, people = look(committed, import_id)
    assert (state, is_as_expected(counts), people) == ("done", True, EXPECTED["created"])


def test_the_next_worker_goes_on_after_what_a_killed_one_staged(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def kill() -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        once(patched, import_staging, "copy_refused", kill, 4)
        import_id = start(committed)
        with pytest.raises(KilledError):
            import_jobs.run_import(import_id)
    read: list[int] = []

    def noted(*args: Any, **at: Any) -> Any:
        read.append(at["row"])
        return table_blocks.read_blocks(*args, **at)

    monkeypatch.setattr(import_reading, "read_blocks", noted)
    import_jobs.run_import(import_id)
    state, counts, people = look(committed, import_id)
    assert (state, is_as_expected(counts), people) == ("done", True, EXPECTED["created"])
    assert read[0] > 50


def test_what_an_unlogged_table_lost_in_a_crash_is_staged_again(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = start(committed)
    with committed() as session:
        for _done in imports.stage(session, import_id):
            session.commit()
        session.execute(text(f"TRUNCATE import_stage_{import_id}, import_phones_{import_id}"))
        session.commit()
    import_jobs.run_import(import_id)
    assert is_as_expected(look(committed, import_id)[1])


def test_a_list_that_ends_its_worker_three_times_is_refused_with_a_reason(committed: db.Sessions) -> None:
    import_id = start(committed)
    with committed() as session:
        imports.get(session, import_id).attempts = imports.MAX_ATTEMPTS
        session.commit()
    import_jobs.run_import(import_id)
    state, _counts, people = look(committed, import_id)
    assert (state, people) == ("failed", 0)
    with committed() as session:
        imports.get(session, import_id).attempts = imports.MAX_ATTEMPTS
        with pytest.raises(InvalidInput, match="3 times"):
            imports.count_attempt(session, import_id)


def test_somebody_may_cancel_in_the_middle_of_a_merge(committed: db.Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = start(committed)

    def cancel() -> None:
        with committed() as session:
            imports.cancel(session, import_id, None)
            session.commit()

    monkeypatch.setattr(import_jobs, "BEAT_SECONDS", -1.0)
    once(monkeypatch, import_merge._Work, "find_changes", cancel)
    import_jobs.run_import(import_id)
    state, _counts, people = look(committed, import_id)
    assert (state, people) == ("cancelled", 0)


def test_of_two_imports_of_one_list_at_once_everybody_is_made_once(committed: db.Sessions) -> None:
    ids = [start(committed), start(committed)]
    threads = [threading.Thread(target=_run_as, args=(import_id,)) for import_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    outcomes = [look(committed, import_id) for import_id in ids]
    assert [state for state, _counts, _people in outcomes] == ["done", "done"]
    assert sorted(counts["created"] for _state, counts, _people in outcomes) == [0, EXPECTED["created"]]
    assert {counts["created"] + counts["unchanged"] for _state, counts, _people in outcomes} == {EXPECTED["created"]}
    assert outcomes[0][2] == EXPECTED["created"]


def _run_as(import_id: int) -> None:
    import_jobs.run_import(import_id)


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_merge, "HELPED_FROM", 10)
    monkeypatch.setattr(import_merge, "ROWS_AT_ONCE", 20)


def tables(sessions: db.Sessions) -> list[int]:
    with sessions() as session:
        return [
            session.scalar(select(func.count()).select_from(model)) or 0 for model in (Contact, ContactPhone, Consent)
        ]


def test_two_connections_write_what_one_writes(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch, helped: None
) -> None:
    started: list[bool] = []
    once(monkeypatch, import_helper.Helper, "start", lambda: started.append(True))
    import_id = start(committed)
    import_jobs.run_import(import_id)
    state, counts, people = look(committed, import_id)
    assert (started, state, is_as_expected(counts), people) == ([True], "done", True, EXPECTED["created"])
    written = tables(committed)
    with committed() as session:
        assert len(imports.get(session, import_id).change_ids) == 2
        names = session.scalars(
            text("SELECT relname FROM pg_class WHERE relname LIKE 'import\\_%\\_' || :id"), {"id": import_id}
        )
        assert names.all() == []
        imports.undo(session, import_id, None)
        session.commit()
    import_jobs.undo_import(import_id)
    assert tables(committed) == [0, 0, 0]
    monkeypatch.setattr(import_merge, "HELPED_FROM", 10**9)
    import_jobs.run_import(alone := start(committed))
    assert (is_as_expected(look(committed, alone)[1]), tables(committed)) == (True, written)


@pytest.mark.parametrize("is_decided", [True, False], ids=["after", "before"])
def test_a_half_whose_worker_died_while_committing_follows_its_batch(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch, helped: None, is_decided: bool
) -> None:
    class KilledError(BaseException):
        pass

    def die(session: Session) -> None:
        if is_decided:
            session.commit()
        raise KilledError

    def commit_with(self: import_helper.Helper, session: Session) -> None:
        assert self._session is not None
        self._session.execute(text(f"PREPARE TRANSACTION '{self._name}'"))
        self.forget()
        die(session)

    with monkeypatch.context() as patched:
        patched.setattr(import_helper.Helper, "commit_with", commit_with)
        import_id = start(committed)
        with pytest.raises(KilledError):
            import_jobs.run_import(import_id)
    with committed() as session:
        session.execute(text("UPDATE leases SET expires_at = clock_timestamp() - interval '1 hour'"))
        session.commit()
        assert import_helper.settle(db.engine()) == 1
    assert look(committed, import_id)[2] == (EXPECTED["created"] if is_decided else 0)
    import_jobs.run_import(import_id)
    state, counts, people = look(committed, import_id)
    assert (state, is_as_expected(counts), people) == ("done", True, EXPECTED["created"])


def test_the_file_of_a_command_stays(committed: db.Sessions) -> None:
    import_jobs.run_import(start(committed))
    assert Path(SAMPLE).exists()
