"""What an uploaded file is: a picture by its content, or a ZIP of pictures. Pure; run in a process of its own."""

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.forms.form_media import plain

LARGEST = 2 * 1024 * 1024  # bytes of a picture: a telephone loads a ballot of them
MOST_SIDE = 5000  # pixels; more takes a telephone's memory, however few bytes the file has
MOST_FILES = 200
LARGEST_UPLOAD = 40 * 1024 * 1024  # bytes of all files together, packed or not
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_SIZED = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # JPEG's markers that begin with the picture's size
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # those without a length


@dataclass(frozen=True)
class PictureFile:
    """`name`: as it was uploaded, without folders; `kind`: image/png | image/jpeg | image/webp; sides in pixels."""

    name: str
    content: bytes
    kind: str
    width: int
    height: int


@dataclass
class Upload:
    """The pictures of an upload, and of every other file a sentence that says why it was left."""

    files: list[PictureFile] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def read_upload(files: Iterable[tuple[str, bytes]]) -> Upload:
    """Pictures one by one, or packed in ZIPs; (name, content) of each."""
    read, left = Upload(), [LARGEST_UPLOAD]
    for name, content in files:
        try:
            packed = _unpacked(name, content, left) if content.startswith(_ZIP) else [(name, content)]
            for inner, inside in packed:
                _take(read, inner, inside)
        except InvalidInput as fault:
            read.refused.append(str(fault))
    return read


def _take(read: Upload, name: str, content: bytes | InvalidInput) -> None:
    try:
        if isinstance(content, InvalidInput):
            raise content
        picture = look(name, content)
    except InvalidInput as fault:
        read.refused.append(str(fault))
        return
    if len(read.files) >= MOST_FILES:
        read.refused.append(_("%(file)s: only %(most)s pictures are read at once. Upload it afterwards.",
                              file=shown(name), most=MOST_FILES))  # fmt: skip
    elif any(plain(one.name) == plain(name) for one in read.files):
        read.refused.append(_("%(file)s comes twice in this upload: only the first was taken. Give each its own name.",
                              file=shown(name)))  # fmt: skip
    else:
        read.files.append(picture)


def shown(name: str) -> str:
    """The name of a file as a sentence says it: without folders and what does not print."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in bare if sign.isprintable()).strip()[:120] or "—"


def look(name: str, content: bytes) -> PictureFile:
    """The picture in this file, whatever its name says. Raises InvalidInput with a sentence that names the file."""
    if len(content) > LARGEST:
        raise _too_large(name)
    for beginning, kind, sides_of in _KINDS:
        if content.startswith(beginning) and (kind != "image/webp" or content[8:12] == b"WEBP"):
            try:
                width, height = sides_of(content)
            except (struct.error, IndexError, ValueError) as error:
                raise _damaged(name) from error
            if max(width, height) > MOST_SIDE or min(width, height) < 1:
                raise _wrong_sides(name, width, height)
            return PictureFile(shown(name), content, kind, width, height)
    if not content:
        raise InvalidInput(_("%(file)s is empty. Save the picture anew and upload it again.", file=shown(name)))
    raise InvalidInput(_("%(file)s is no PNG, JPEG or WebP picture, whatever its name says. Save it as one of them and"
                         " upload it again.", file=shown(name)))  # fmt: skip


def _png(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR":
        raise ValueError("no header")
    at, seen = 8, set[bytes]()
    while b"IEND" not in seen:
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        at += 12 + length
        if at > len(content):
            raise ValueError("cut off")
        seen.add(kind)
    if b"IDAT" not in seen:
        raise ValueError("no picture")
    width, height = struct.unpack(">II", content[16:24])
    return int(width), int(height)


def _jpeg(content: bytes) -> tuple[int, int]:
    at, sides = 2, None
    while True:
        while content[at] == 0xFF and content[at + 1] == 0xFF:  # any marker may be filled up
            at += 1
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        if marker in _ALONE:
            at += 2
            continue
        if marker == 0xDA:  # the picture itself: it runs to the end
            if sides is None or content.rfind(b"\xff\xd9") < at:
                raise ValueError("cut off")
            return sides
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if length < 2 or marker == 0xD9:
            raise ValueError("cut off")
        if marker in _SIZED:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            sides = int(width), int(height)
        at += 2 + length


def _webp(content: bytes) -> tuple[int, int]:
    (length,) = struct.unpack("<I", content[4:8])
    if len(content) < length + 8:
        raise ValueError("cut off")
    form = content[12:16]
    if form == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if form == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack("<I", content[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture")


_KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png", _png), (b"\xff\xd8\xff", "image/jpeg", _jpeg),
          (b"RIFF", "image/webp", _webp))  # fmt: skip


def _unpacked(name: str, content: bytes, left: list[int]) -> Iterator[tuple[str, bytes | InvalidInput]]:
    """Each file of a ZIP by its name, without folders; in place of its content what is wrong with it.

    `left`: bytes that all files together may still unpack to. What a ZIP states of itself is not believed. Raises
    InvalidInput when nothing more of it is read."""
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged(name) from error
    inside = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
    if len(inside) > MOST_FILES:
        raise InvalidInput(_("%(file)s holds %(n)s files; at most %(most)s are read. Pack only the pictures.",
                             file=shown(name), n=len(inside), most=MOST_FILES))  # fmt: skip
    for info in inside:
        piece = _piece(archive, info)
        if not isinstance(piece, InvalidInput):
            left[0] -= len(piece)
        if left[0] < 0:
            raise InvalidInput(_("%(file)s unpacks to more than %(most)s MB: the rest was not read. Upload fewer or"
                                 " smaller pictures.", file=shown(name), most=LARGEST_UPLOAD >> 20))  # fmt: skip
        yield info.filename, piece


def _piece(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | InvalidInput:
    if info.flag_bits & 1:
        return InvalidInput(_("%(file)s is locked with a password in its ZIP. Pack it without one.",
                              file=shown(info.filename)))  # fmt: skip
    if info.file_size > LARGEST:
        return _too_large(info.filename)
    try:
        with archive.open(info) as file:
            return file.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        return _damaged(info.filename)


def _is_litter(path: str) -> bool:
    """What systems put into a ZIP by themselves."""
    parts = path.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _too_large(name: str) -> InvalidInput:
    return InvalidInput(_("%(file)s is larger than %(most)s MB. Make it smaller: 1,200 pixels wide are enough.",
                          file=shown(name), most=LARGEST >> 20))  # fmt: skip


def _wrong_sides(name: str, width: int, height: int) -> InvalidInput:
    return InvalidInput(_("%(file)s measures %(width)s × %(height)s pixels; at most %(most)s a side are shown. Make it"
                          " smaller: 1,200 pixels wide are enough.", file=shown(name), width=width, height=height,
                          most=MOST_SIDE))  # fmt: skip


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(_("%(file)s is damaged or not complete. Save it anew and upload it again.", file=shown(name)))
