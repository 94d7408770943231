"""Where the sound of recordings lies: a folder of ours, or a bucket of S3-compatible storage. A file is named by the
recording's id alone.

    <var>/recordings/ab/ab12….flac      folders 0700, files 0600
    <url>/<bucket>/recordings/ab/ab12….flac

Every method raises ProviderError (code `no_space` when the disk is full); no transaction is open meanwhile.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import requests

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Recordings, Settings

CHUNK = 64 * 1024
CONNECT, READ = 5, 60  # seconds that the storage gets


class Storage(Protocol):
    """A place for files. `keep` takes the file over; `remove` is harmless when there is none."""

    def keep(self, recording_id: UUID, file: Path) -> None: ...

    def read(self, recording_id: UUID, first: int, length: int) -> Iterator[bytes]:
        """`length` bytes from byte `first` on, in pieces; the file is open when this returns."""

    def remove(self, recording_id: UUID) -> None: ...


@dataclass(frozen=True)
class Space:
    """Bytes: `free` on the disk of the data folder, and how much must be `left` for a new recording."""

    free: int
    left: int

    @property
    def is_short(self) -> bool:
        return self.free < self.left


@dataclass(frozen=True)
class _Place:
    kind: str
    folder: Path
    left: int
    storages: dict[str, Storage]


_place: _Place | None = None


def configure(settings: Settings) -> None:
    """Say where this process keeps recordings. Touches no disk and asks nobody."""
    global _place  # noqa: PLW0603  # one process, one storage
    folder, wanted = settings.var / "recordings", settings.recordings
    storages: dict[str, Storage] = {"folder": Folder(folder)}
    if wanted.s3_url:
        storages["bucket"] = Bucket(wanted)
    _place = _Place("bucket" if wanted.s3_url else "folder", folder, wanted.disk_left, storages)


def _here() -> _Place:
    if _place is None:
        raise RuntimeError("callcenter.sound.recording_files.configure(settings) was not called in this process")
    return _place


def kind() -> str:
    """Where new recordings go: `folder` or `bucket`."""
    return _here().kind


def storage(name: str) -> Storage:
    """The storage of this kind; one that this installation no longer has is a ProviderError."""
    if name not in _here().storages:
        raise ProviderError(f"there is no storage {name!r} on this installation", code="storage", permanent=True)
    return _here().storages[name]


def work_file(recording_id: UUID) -> Path:
    """A new file of our own in which sound is made before it is kept; nobody else may read it."""
    folder = _here().folder / "work"
    make_folder(folder)
    return folder / f"{recording_id}.flac"


def space() -> Space:
    """What is left on the disk of the data folder."""
    folder = _here().folder
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return Space(shutil.disk_usage(there).free, _here().left)


def is_short(spool: str | None = None) -> bool:
    """Is there too little space for another recording, here or in the folder into which the switch writes?"""
    if space().is_short:
        return True
    return spool is not None and Path(spool).is_dir() and shutil.disk_usage(spool).free < _here().left


def raw_files(spool: str, recording_id: UUID) -> tuple[Path, ...]:
    """Where the switch may have left the recording, as this host sees it."""
    return tuple(Path(spool) / "recordings" / f"{recording_id}.{ending}" for ending in ("raw", "wav"))


def make_folder(folder: Path) -> None:
    """For us alone, as are the folders above it that are missing."""
    for each in reversed([folder, *folder.parents]):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def disk_trouble(error: OSError) -> ProviderError:
    """The error of a disk in the words of a storage."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return ProviderError(f"the disk fails: {error.strerror}", code="no_space" if full else "storage")


class Folder:
    """Files beside our other data."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, recording_id: UUID) -> Path:
        return self._root / str(recording_id)[:2] / f"{recording_id}.flac"

    def keep(self, recording_id: UUID, file: Path) -> None:
        try:
            path = self._path(recording_id)
            make_folder(path.parent)
            file.chmod(0o600)
            with file.open("rb") as written:
                os.fsync(written.fileno())
            file.replace(path)
        except OSError as error:
            raise disk_trouble(error) from error

    def read(self, recording_id: UUID, first: int, length: int) -> Iterator[bytes]:
        try:
            file = self._path(recording_id).open("rb")
        except OSError as error:
            raise disk_trouble(error) from error
        file.seek(first)
        return _pieces(file, length)

    def remove(self, recording_id: UUID) -> None:
        try:
            self._path(recording_id).unlink(missing_ok=True)
        except OSError as error:
            raise disk_trouble(error) from error


def _pieces(file: Any, length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (piece := file.read(min(CHUNK, length))):
            length -= len(piece)
            yield piece


class Bucket:
    """S3's four verbs, signed with version 4 of its signature; the bucket stands in the path, so that any host will do.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html"""

    def __init__(self, settings: Recordings) -> None:
        self._settings = settings

    def keep(self, recording_id: UUID, file: Path) -> None:
        with file.open("rb") as sound:
            self._ask("PUT", recording_id, (200,), data=sound, headers={"Content-Type": "audio/flac"}).close()
        file.unlink()

    def read(self, recording_id: UUID, first: int, length: int) -> Iterator[bytes]:
        wanted = {"Range": f"bytes={first}-{first + length - 1}", "Accept-Encoding": "identity"}
        answer = self._ask("GET", recording_id, (200, 206), headers=wanted, stream=True)
        if answer.status_code == 200 and first:
            answer.close()
            raise ProviderError("the storage sends no part of a file", code="storage", permanent=True)
        return _streamed(answer, length)

    def remove(self, recording_id: UUID) -> None:
        self._ask("DELETE", recording_id, (200, 204, 404)).close()

    def _ask(self, verb: str, recording_id: UUID, fine: tuple[int, ...], **more: Any) -> requests.Response:
        from requests_aws4auth import AWS4Auth

        wanted = self._settings
        key = f"recordings/{str(recording_id)[:2]}/{recording_id}.flac"
        auth = AWS4Auth(wanted.s3_key_id, wanted.s3_secret, wanted.s3_region, "s3")
        url = f"{wanted.s3_url}/{wanted.s3_bucket}/{key}"
        try:
            answer = requests.request(verb, url, auth=auth, timeout=(CONNECT, READ), allow_redirects=False, **more)
        except requests.RequestException as error:
            raise ProviderError(f"the storage does not answer ({type(error).__name__})", code="storage") from error
        if answer.status_code not in fine:
            answer.close()
            permanent = answer.status_code in (400, 401, 403, 404)
            raise ProviderError(f"the storage answers {answer.status_code}", code="storage", permanent=permanent)
        return answer


def _streamed(answer: requests.Response, length: int) -> Iterator[bytes]:
    with answer:
        for piece in answer.iter_content(CHUNK):
            yield piece[:length]
            length -= len(piece)
            if length <= 0:
                return
