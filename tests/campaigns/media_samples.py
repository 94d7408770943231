"""Small images and videos, made byte by byte: what they hold is invented, and known."""

import struct
import zlib


def png(width: int = 3, height: int = 2, *, text: bytes = b"") -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + b"\xff\0\0" * width) * height if width * height < 10_000 else b""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    told = chunk(b"tEXt", b"Author\0" + text) if text else b""
    return b"\x89PNG\r\n\x1a\n" + head + told + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int = 3, height: int = 2, *, exif: bytes = b"", turned: int = 1) -> bytes:
    """`exif`: words in a block that says where and when; `turned`: which way up it is held (1 to 8)."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, turned, 0)
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4) + exif
    traces = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block if exif or turned != 1 else b""
    comment = b"\xff\xfe" + struct.pack(">H", len(exif) + 2) + exif if exif else b""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\0\0\x3f\0" + b"\x12\x34\x56"
    return b"\xff\xd8" + traces + comment + frame + scan + b"\xff\xd9"


def mp4(*codecs: bytes) -> bytes:
    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", len(content) + 8, name) + content

    tracks = b""
    for codec in codecs or (b"avc1", b"mp4a"):
        stsd = box(b"stsd", bytes(4) + struct.pack(">I", 1) + box(codec, bytes(20)))
        tracks += box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd))))
    return box(b"ftyp", b"isom" + bytes(4)) + box(b"mdat", b"pictures") + box(b"moov", tracks)
