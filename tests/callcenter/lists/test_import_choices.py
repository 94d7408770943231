"""What a person chooses on the mapping page, when two of their requests meet."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from callcenter import imports
from callcenter.base.db import Sessions
from callcenter.base.errors import Refused
from callcenter.imports import ImportBatch
from callcenter.lists import import_choices
from callcenter.lists.import_choices import Choice

SEEN = {"names": ["NOMBRE", "CELULAR"], "dropped": [], "asks_sex": False}
NOBODY: Any = None  # commands act without a user
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def test_a_choice_that_comes_late_does_not_fall_upon_the_list_that_runs(app: Flask, committed: Sessions) -> None:
    with committed() as session:
        batch = ImportBatch(source="x", file_name="x", file="x", file_sha256="", state="mapping", preview=SEEN)
        session.add(batch)
        session.commit()
    chosen, late = Choice({"0": "name", "1": "mobile"}, {}, None), Choice({"0": "attr:x'", "1": "phone"}, {}, None)

    def choose() -> None:
        with app.app_context(), committed() as session:
            import_choices.draft(session, batch.id, late)
            session.commit()

    with committed() as starting, committed() as watching, ThreadPoolExecutor(1) as pool:
        import_choices.start(starting, batch.id, chosen, NOBODY, dry_run=False)
        starting.flush()
        other = pool.submit(choose)
        while not other.done() and not watching.scalar(text(WAITS)):
            watching.rollback()
        starting.commit()
        with pytest.raises(Refused):
            other.result(timeout=30)
        assert imports.get(watching, batch.id).mapping == chosen.mapping
