"""The two places where sound lies: a folder for us alone, a bucket whose every request is signed."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from callcenter.base.errors import ProviderError
from callcenter.base.settings import BadSettings, Recordings, Settings, read_settings
from callcenter.sound import recording_files
from tests.callcenter import bucket as buckets
from tests.callcenter.bucket import Bucket

SOUND = bytes(range(256)) * 700


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """This process keeps recordings below `tmp_path`."""
    own = replace(settings, var=tmp_path / "var")
    recording_files.configure(own)
    yield own
    recording_files.configure(settings)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with buckets.running() as found:
        yield found


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, here: Settings, bucket: Bucket) -> recording_files.Storage:
    """Each storage in turn."""
    wanted = Recordings(
        s3_url=bucket.url, s3_bucket="convoca", s3_region="mx-central-1", s3_key_id="key", s3_secret="s"
    )
    if request.param == "bucket":
        recording_files.configure(replace(here, recordings=wanted))
    assert recording_files.kind() == request.param
    return recording_files.storage(request.param)


def work(recording_id: UUID, sound: bytes = SOUND) -> Path:
    file = recording_files.work_file(recording_id)
    file.write_bytes(sound)
    return file


def test_what_is_kept_is_read_back_in_any_part_and_goes(place: recording_files.Storage) -> None:
    recording_id = uuid4()
    file = work(recording_id)
    place.keep(recording_id, file)
    assert not file.exists(), "no second copy stays"
    for first, length in ((0, len(SOUND)), (0, 1), (70_000, 66_000), (len(SOUND) - 3, 3)):
        assert b"".join(place.read(recording_id, first, length)) == SOUND[first : first + length]
    place.remove(recording_id)
    place.remove(recording_id)
    with pytest.raises(ProviderError):
        place.read(recording_id, 0, 10)


def test_keeping_twice_is_keeping_once(place: recording_files.Storage) -> None:
    recording_id = uuid4()
    place.keep(recording_id, work(recording_id, b"first"))
    place.keep(recording_id, work(recording_id, b"second"))
    assert b"".join(place.read(recording_id, 0, 6)) == b"second"


def test_the_folder_is_ours_alone_and_names_nobody(here: Settings) -> None:
    recording_id = uuid4()
    file = work(recording_id)
    file.chmod(0o644)
    recording_files.storage("folder").keep(recording_id, file)
    found = [path for path in (here.var / "recordings").rglob("*") if path.is_file()]
    assert [path.name for path in found] == [f"{recording_id}.flac"]
    assert found[0].parent.name == str(recording_id)[:2]
    assert stat.S_IMODE(found[0].stat().st_mode) == 0o600
    folders = [path for path in (here.var / "recordings").rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_objects_of_the_bucket_are_named_by_their_id(here: Settings, bucket: Bucket) -> None:
    wanted = Recordings(
        s3_url=bucket.url, s3_bucket="convoca", s3_region="mx-central-1", s3_key_id="key", s3_secret="s"
    )
    recording_files.configure(replace(here, recordings=wanted))
    recording_id = uuid4()
    recording_files.storage("bucket").keep(recording_id, work(recording_id))
    assert list(bucket.objects) == [f"/convoca/recordings/{str(recording_id)[:2]}/{recording_id}.flac"]


@pytest.mark.parametrize(("status", "permanent"), [(403, True), (404, True), (500, False), (503, False), (301, False)])
def test_a_bucket_that_refuses_is_a_providers_error(
    here: Settings, bucket: Bucket, status: int, permanent: bool
) -> None:
    wanted = Recordings(
        s3_url=bucket.url, s3_bucket="convoca", s3_region="mx-central-1", s3_key_id="key", s3_secret="s"
    )
    recording_files.configure(replace(here, recordings=wanted))
    recording_id = uuid4()
    file = work(recording_id)
    bucket.answers = [status]
    with pytest.raises(ProviderError) as fault:
        recording_files.storage("bucket").keep(recording_id, file)
    assert (fault.value.permanent, fault.value.code) == (permanent, "storage")
    assert file.exists(), "it may be tried again"


def test_a_bucket_that_is_away_is_a_providers_error_without_its_secret(here: Settings) -> None:
    wanted = Recordings(s3_url="http://127.0.0.1:9", s3_bucket="convoca", s3_key_id="key", s3_secret="very-secret")
    recording_files.configure(replace(here, recordings=wanted))
    with pytest.raises(ProviderError) as fault:
        recording_files.storage("bucket").remove(uuid4())
    assert not fault.value.permanent
    assert "secret" not in str(fault.value)
    assert "very-secret" not in repr(wanted)


def test_a_full_disk_is_told_from_other_faults(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = uuid4()
    file = work(recording_id)

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProviderError) as fault:
        recording_files.storage("folder").keep(recording_id, file)
    assert fault.value.code == "no_space"


def test_a_storage_that_this_installation_no_longer_has_is_said(here: Settings) -> None:
    with pytest.raises(ProviderError) as fault:
        recording_files.storage("bucket")
    assert fault.value.permanent


def test_space_is_short_below_the_limit_here_or_where_the_switch_writes(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    free = {"here": 100, "there": 100}
    monkeypatch.setattr(
        shutil, "disk_usage",
        lambda path: SimpleNamespace(free=free["there" if Path(path) == spool else "here"]),
    )  # fmt: skip
    recording_files.configure(replace(here, recordings=Recordings(disk_left=50)))
    assert not recording_files.is_short(str(spool))
    free["there"] = 49
    assert recording_files.is_short(str(spool))
    assert not recording_files.is_short(str(tmp_path / "elsewhere")), "a folder of another host tells nothing"
    free.update(here=49, there=100)
    assert recording_files.is_short()
    assert recording_files.space() == recording_files.Space(49, 50)


def test_the_secret_of_the_bucket_may_stand_in_a_file(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x", "CONVOCA_SECRET_KEY": "x",
           "CONVOCA_SUPPRESSION_KEY": "x", "CONVOCA_S3_URL": "https://s3.example.org", "CONVOCA_S3_BUCKET": "b",
           "CONVOCA_S3_KEY_ID": "k", "CONVOCA_S3_SECRET_FILE": str(tmp_path / "secret")}  # fmt: skip
    with pytest.raises(BadSettings) as faults:
        read_settings(env)
    assert "CONVOCA_S3_SECRET_FILE" in str(faults.value)
    (tmp_path / "secret").write_text("hush\n")
    assert read_settings(env).recordings.s3_secret == "hush"


def test_every_fault_of_the_settings_of_recordings_is_said_at_once() -> None:
    env = {"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x", "CONVOCA_SECRET_KEY": "x",
           "CONVOCA_SUPPRESSION_KEY": "x", "CONVOCA_S3_URL": "ftp://x", "CONVOCA_RECORDINGS_DISK_LEFT": "much",
           "CONVOCA_S3_BUCKET": "b"}  # fmt: skip
    with pytest.raises(BadSettings) as faults:
        read_settings(env)
    said = str(faults.value)
    for name in ("CONVOCA_S3_URL", "CONVOCA_S3_KEY_ID", "CONVOCA_S3_SECRET", "CONVOCA_RECORDINGS_DISK_LEFT"):
        assert name in said
    fine = read_settings(env | {"CONVOCA_S3_URL": "https://s3.example.org/", "CONVOCA_RECORDINGS_DISK_LEFT": "7",
                                "CONVOCA_S3_KEY_ID": "k", "CONVOCA_S3_SECRET": "s"})  # fmt: skip
    assert (fine.recordings.s3_url, fine.recordings.disk_left) == ("https://s3.example.org", 7 * 2**20)
