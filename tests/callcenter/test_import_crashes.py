"""What a list survives: a worker killed, a database restarted, two lists at once, somebody who cancels."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from callcenter import imports, suppressions
from callcenter.base import db
from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact, name_key
from callcenter.imports import RefusedRow
from callcenter.lists import import_direct, import_jobs, import_merge, import_staging
from callcenter.people import contact_search
from callcenter.people.contact_search import Search
from callcenter.tables import table_blocks
from tests.callcenter.test_imports import EXPECTED, SAMPLE

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'convoca' AND pid <> :own"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 4_000)
    suppressions.configure(b"suppression-of-the-tests")


@pytest.fixture(params=[10**9, 0], ids=["staged", "direct"], autouse=True)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_direct, "LONG", request.param)


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


def test_what_a_killed_worker_had_done_is_gone_and_the_next_one_starts_afresh(
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
    with committed() as session:
        assert imports.get(session, import_id).rows_done > 50
        assert session.scalar(select(func.count()).select_from(RefusedRow)) == 0
    assert look(committed, import_id)[2] == 0
    import_jobs.run_import(import_id)
    state, counts, people = look(committed, import_id)
    assert (state, is_as_expected(counts), people) == ("done", True, EXPECTED["created"])


def test_somebody_whom_a_hand_made_while_the_list_was_read_is_known(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_jobs.run_import(first := start(committed))
    with committed() as session:
        last = session.scalars(select(Contact).order_by(Contact.id.desc()).limit(1)).one()
        name, phone = last.name, last.phone
        imports.undo(session, first, None)
        session.commit()
    import_jobs.undo_import(first)

    def make() -> None:
        with committed() as session:
            key = {"name": name, "name_key": name_key(name), "given_names": name, "phone": phone}
            session.add(Contact(**key, source="by hand"))
            session.commit()

    once(monkeypatch, import_staging, "copy_refused", make, 2)
    import_jobs.run_import(import_id := start(committed))
    state, counts, people = look(committed, import_id)
    assert (state, counts["created"], people) == ("done", EXPECTED["created"] - 1, EXPECTED["created"])


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


def test_pages_do_not_look_at_what_a_cancelled_list_left(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    import_id = start(committed)

    def cancel() -> None:
        with committed() as session:
            imports.cancel(session, import_id, None)
            session.commit()

    once(monkeypatch, import_staging, "copy_refused", cancel, 5)
    import_jobs.run_import(import_id)
    assert look(committed, import_id)[0] == "cancelled"
    with committed() as session:
        spans = contact_search._spans(session, Search())
        assert len(spans) == (1 if "staged" in request.node.callspec.id else 2)
        monkeypatch.setattr(contact_search, "CLEANED_AFTER", timedelta())
        assert len(contact_search._spans(session, Search())) == 1


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


def test_who_is_made_by_hand_meanwhile_is_seen_and_nobody_else(
    committed: db.Sessions, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    seen: list[Any] = []

    def look_at_people() -> None:
        with committed() as session:
            session.add(Contact(name="Zoe", name_key="zoe", given_names="Zoe", phone="+525512345678", source="by hand"))
            session.commit()
            batch = imports.get(session, 1)
            people = contact_search.find(session, Search()), contact_search.find(session, Search(name="zo"))
            seen.append([[one.name for one in some] for some in people])
            seen.append((contact_search.count(session, Search()), contact_search.sources(session)))
            is_among_them = (batch.first_id or 0) < people[0][0].id < (batch.last_id or 0)
            seen.append((batch.first_id is not None, is_among_them))

    once(monkeypatch, import_staging, "copy_refused", look_at_people, 5)
    import_jobs.run_import(start(committed))
    is_staged = "staged" in request.node.callspec.id
    assert seen == [[["Zoe"], ["Zoe"]], (1, ["by hand"]), (not is_staged, False)]
    with committed() as session:
        assert contact_search.count(session, Search()) == EXPECTED["created"] + 1


def test_the_file_of_a_command_stays(committed: db.Sessions) -> None:
    import_jobs.run_import(start(committed))
    assert Path(SAMPLE).exists()
