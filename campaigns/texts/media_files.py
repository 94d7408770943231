"""What a file really is, by its bytes and never by its name: the images and videos that channels take. Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "video/mp4": "mp4"}
MOST_SIDE, MOST_RATIO = 10_000, 20  # Telegram: width and height together at most 10,000, ratio at most 20
PNG = b"\x89PNG\r\n\x1a\n"
# Chunks of a PNG and segments of a JPEG that say where, when and with what it was taken.
PNG_TRACES = frozenset({b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME"})
JPEG_TRACES = frozenset({0xE1, 0xED, 0xFE})  # APP1 (EXIF, XMP), APP13 (IPTC), comments
JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what phones show
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
# https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages: H.264 with AAC (or no sound)
VIDEO_CODECS, SOUND_CODECS = frozenset({b"avc1", b"avc3"}), frozenset({b"mp4a"})
OTHER_TRACKS = frozenset({b"mebx", b"tmcd", b"tx3g", b"text"})  # times, titles, what the camera measured
BOXES_WITHIN = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})

# APP1 of a block with one entry (TIFF 6.0, big-endian), whose entry follows.
_EXIF_HEAD = b"\xff\xe1\x00\x22Exif\0\0MM\x00*\x00\x00\x00\x08\x00\x01"


@dataclass(frozen=True)
class Looked:
    kind: str  # image | video
    content_type: str
    width: int | None
    height: int | None


def look_at(content: bytes) -> Looked:
    """What the file is. Raises InvalidInput with a sentence: what it is instead, and what would do."""
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return _image("image/jpeg", *_jpeg_size(content))
        if content.startswith(PNG):
            return _image("image/png", *_png_size(content))
        if content[4:8] == b"ftyp":
            return _video(content)
    except (struct.error, IndexError, StopIteration):
        raise _refused(_("This file is damaged, or cut off: save it again.")) from None
    raise _refused(_("This is no JPEG, PNG or MP4 file: save it as one of these."))


def without_traces(content: bytes, content_type: str) -> bytes:
    """The same image without what the camera wrote beside it: where it was taken, when, by which phone."""
    if content_type == "image/jpeg":
        return _jpeg_without_traces(content)
    if content_type == "image/png":
        kept = (chunk for name, chunk in _png_chunks(content) if name not in PNG_TRACES)
        return PNG + b"".join(kept)
    return content


def _image(content_type: str, width: int, height: int) -> Looked:
    if not width or not height:
        raise _refused(_("This file is damaged, or cut off: save it again."))
    if width + height > MOST_SIDE or max(width, height) > MOST_RATIO * min(width, height):
        raise _refused(_("The image has %(width)s × %(height)s points: width and height together may be %(most)s, and "
                         "one at most twenty times the other.", width=width, height=height,
                         most=MOST_SIDE))  # fmt: skip
    return Looked("image", content_type, width, height)


def _png_size(content: bytes) -> tuple[int, int]:
    name, _chunk = next(_png_chunks(content))
    if name != b"IHDR":
        raise IndexError("the first chunk is no header")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """name, whole chunk"""
    at = len(PNG)
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        name, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            raise IndexError("a chunk is longer than the file")
        yield name, content[at:end]
        if name == b"IEND":
            return  # what follows is no image
        at = end


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """marker, begin, end of each segment up to the picture itself; its begin is where the rest of the file is"""
    at = 2
    while True:
        if content[at] != 0xFF:
            raise IndexError("no marker where one must be")
        while content[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker = content[at + 1]
        if marker in JPEG_ALONE:
            yield marker, at, at + 2
            at += 2
            continue
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        end = at + 2 + length
        if end > len(content):
            raise IndexError("a segment is longer than the file")
        yield marker, at, end
        if marker == 0xDA:
            return
        at = end


def _jpeg_size(content: bytes) -> tuple[int, int]:
    begin = next(at for marker, at, _end in _jpeg_segments(content) if marker in JPEG_FRAMES)
    height, width = struct.unpack(">HH", content[begin + 5 : begin + 9])
    return width, height


def _jpeg_without_traces(content: bytes) -> bytes:
    """Which way up it is held stays: a phone's picture would lie on its side without it."""
    pieces, rest, turned = [], len(content), 1
    for marker, begin, end in _jpeg_segments(content):
        if marker == 0xDA:
            rest = begin
        elif marker not in JPEG_TRACES:
            pieces.append(content[begin:end])
        elif content[begin + 4 : begin + 10] == b"Exif\0\0":
            turned = _orientation(content[begin + 10 : end])
    upright = b"" if turned == 1 else _EXIF_HEAD + struct.pack(">HHIHH", 0x0112, 3, 1, turned, 0) + bytes(4)
    return b"".join([content[:2], upright, *pieces, content[rest:]])


def _orientation(tiff: bytes) -> int:
    """1 (upright) to 8, of an EXIF block; 1 where it does not say."""
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack(order + "I", tiff[4:8])
        (count,) = struct.unpack(order + "H", tiff[first : first + 2])
        for entry in range(first + 2, first + 2 + 12 * count, 12):
            tag, _kind, _count, value = struct.unpack(order + "HHIH", tiff[entry : entry + 10])
            if tag == 0x0112:
                return value if value in range(1, 9) else 1
    except struct.error:
        pass  # a block cut short says nothing
    return 1


def _video(content: bytes) -> Looked:
    codecs = set(_codecs(content, 0, len(content))) - OTHER_TRACKS
    if not codecs:
        raise _refused(_("This video cannot be read: save it again as MP4."))
    if not codecs & VIDEO_CODECS or codecs - VIDEO_CODECS - SOUND_CODECS:
        names = ", ".join(sorted(codec.decode("latin-1") for codec in codecs))
        raise _refused(_("This video is coded as %(names)s, which phones do not show in a chat: save it as MP4 with "
                         "H.264 and AAC.", names=names))  # fmt: skip
    return Looked("video", "video/mp4", None, None)


def _codecs(content: bytes, at: int, end: int) -> Iterator[bytes]:
    """The sample entries of pictures and sound, wherever in the tree of boxes they stand."""
    while at + 8 <= end:
        size, name = struct.unpack(">I4s", content[at : at + 8])
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", content[at + 8 : at + 16])
            head = 16
        size = size or end - at  # 0: up to the end
        if size < head or at + size > end:
            raise IndexError("a box is longer than what it stands in")
        if name in BOXES_WITHIN:
            yield from _codecs(content, at + head, at + size)
        elif name == b"stsd":
            yield from _entries(content, at + head + 8, at + size)
        at += size


def _entries(content: bytes, at: int, end: int) -> Iterator[bytes]:
    while at + 8 <= end:
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if name in VIDEO_CODECS | SOUND_CODECS or name.isalnum():
            yield name
        if size < 8:
            raise IndexError("an entry without length")
        at += size


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput({"file": sentence})
