"""A ballot with pictures, and picture files made by hand."""

import io
import struct
import zipfile
import zlib

from tests.surveys.survey_forms import workbook

SURVEY = [
    ["type", "name", "label::Español (es)", "label::English (en)", "media::image::Español (es)", "media::video",
     "required"],
    ["select_one yn", "consent", "¿Desea participar?", "Do you want to take part?", "", "", "yes"],
    ["select_one party", "vote", "Marque su boleta", "Mark your ballot", "Boletas/Boleta.PNG", "", "yes"],
    ["select_multiple party", "liked", "¿Quiénes le agradan?", "Whom do you like?", "", "spot.mp4", "no"],
    ["text", "why", "¿Por qué?", "Why?", "", "", "no"],
]  # fmt: skip
CHOICES = [
    ["list_name", "name", "label::Español (es)", "label::English (en)", "media::image", "role"],
    ["yn", "yes", "Sí", "Yes", "", ""],
    ["yn", "no", "No", "No", "", ""],
    ["party", "azul", "Partido Azul", "Blue Party", "azul.png", "candidate"],
    ["party", "verde", "Partido Verde Inventado", "Green Party", "verde.jpg", "candidate"],
    ["party", "rojo", "Partido Rojo", "Red Party", "rojo.webp", "candidate"],
    ["party", "null", "Anularía", "Would spoil it", "", "void"],
    ["party", "dk", "No sabe", "Does not know", "", "dk"],
]
NAMES = ["boleta.png", "azul.png", "verde.jpg", "rojo.webp"]


def ballot() -> bytes:
    """The XLSForm."""
    return workbook(SURVEY, CHOICES)


def png(width: int = 40, height: int = 30, colour: tuple[int, int, int] = (30, 90, 200)) -> bytes:
    """A picture of one colour that browsers draw."""
    lines = (b"\0" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pieces = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    packed = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
              for kind, body in pieces)  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def jpeg(width: int = 40, height: int = 30) -> bytes:
    """The parts of a JPEG that say what it is: marks of a camera, the size, the beginning of the picture, its end."""
    exif = b"\xff\xe1" + struct.pack(">H", 8) + b"Exif\0\0"
    size = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, height, width, 0)
    return b"\xff\xd8" + exif + size + b"\xff\xda\x00\x02" + b"picture" + b"\xff\xd9"


def webp(width: int = 40, height: int = 30) -> bytes:
    """A WebP without losses, as far as its header."""
    body = b"WEBPVP8L" + struct.pack("<I", 5) + b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, inside in files:
            archive.writestr(name, inside)
    return content.getvalue()


def whole_ballot() -> list[tuple[str, bytes]]:
    """A file for each name that the form writes."""
    return [("boleta.png", png(60, 40)), ("azul.png", png()), ("verde.jpg", jpeg()), ("rojo.webp", webp())]
