"""Puts one recording into a running product, as a worker would have stored it, and prints its id.

Run beside the product: `Product.python("tests.browser.recorded_call")`."""

import os
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select

import wsgi
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.ledger.call_ledger import Call
from callcenter.sound import recording_files, recording_sound
from callcenter.sound.recording_ledger import Recording, notice_version
from tests.callcenter.recording_cast import RATE, tones


def main() -> None:
    settings = wsgi.start_process()
    recording_id = uuid4()
    source, target = settings.var / f"{recording_id}.raw", recording_files.work_file(recording_id)
    source.write_bytes(tones(8) + bytes(RATE * 4 * 4) + tones(8))
    sound = recording_sound.convert(source, target)
    recording_files.storage("folder").keep(recording_id, target)
    source.unlink()
    _give_to_the_product(settings.var)
    with open_session() as session:
        recorded = select(Recording.call_id).where(Recording.call_id.is_not(None))
        free = select(Call.id).where(Call.connected_at.is_not(None), Call.id.not_in(recorded)).limit(1)
        session.add(Recording(
            id=recording_id, call_id=session.scalar(free), state="stored", wanted="on", switch="local",
            notice_id=notice_version(session, "Esta llamada será grabada para cuidar su calidad."),
            started_at=real_now(), ended_at=real_now(), stored_at=real_now(), storage="folder",
            duration_ms=sound.duration_ms, size=sound.size, sha256=sound.sha256, peaks=sound.peaks,
        ))  # fmt: skip
        session.commit()
    print(recording_id)


def _give_to_the_product(var: Path) -> None:
    """Its processes may run as another user than we do."""
    owner = var.stat()
    for path in (var / "recordings", *(var / "recordings").rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)


if __name__ == "__main__":
    main()
