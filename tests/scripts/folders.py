"""Temporary folders through which the service user, too, may pass: as root, pytest's own are closed to it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path


def open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="convoca-test-", dir="/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)
