"""A file that somebody sends: kept under a name of ours, whole or not at all."""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage

from callcenter.base.errors import InvalidInput
from callcenter.tables import uploads


def sent(content: bytes = b"a,b\n", name: str = "../Lista de mayo.csv") -> FileStorage:
    return FileStorage(BytesIO(content), filename=name)


def test_it_lies_there_whole_for_us_alone_under_a_name_that_nobody_chose(tmp_path: Path) -> None:
    file = sent()
    with uploads.kept(file, tmp_path / "uploads") as path:
        assert path.parent == tmp_path / "uploads"
    assert path.read_bytes() == b"a,b\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (uploads.name(file), "mayo" in path.name) == ("Lista de mayo.csv", False)


def test_what_goes_wrong_before_it_is_in_the_books_takes_the_copy_away(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), uploads.kept(sent(), tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_one_byte_too_many_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with uploads.kept(sent(b"12345"), tmp_path, most=5, too_large="too large") as path:
        assert path.stat().st_size == 5
    path.unlink()
    with pytest.raises(InvalidInput) as caught, uploads.kept(sent(b"123456"), tmp_path, most=5, too_large="too large"):
        pass
    assert caught.value.faults == {"file": "too large"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", [None, sent(name=""), sent(name="lista.exe")])
def test_no_file_and_one_of_another_kind_are_said(app: Flask, file: FileStorage | None) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}), pytest.raises(InvalidInput) as caught:
        uploads.chosen(file, (".csv",), "of another kind")
    is_other = file is not None and bool(file.filename)
    assert caught.value.faults == {"file": "of another kind" if is_other else "Choose a file."}
