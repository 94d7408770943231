"""What uploaded files are by their content, and what is said of those that are no pictures."""

import struct
import zipfile

import pytest

from callcenter.base.errors import InvalidInput
from surveys.pictures import picture_files
from surveys.pictures.picture_files import LARGEST, MOST_FILES, read_upload
from tests.surveys.pictures.picture_cast import jpeg, packed, png, webp


@pytest.mark.parametrize(
    ("content", "kind"), [(png(50, 20), "image/png"), (jpeg(50, 20), "image/jpeg"), (webp(50, 20), "image/webp")]
)
def test_a_picture_is_what_its_content_says(content: bytes, kind: str) -> None:
    found = picture_files.look("boletas/azul.gif", content)
    assert (found.kind, found.width, found.height, found.name) == (kind, 50, 20, "azul.gif")


def test_the_other_two_forms_of_webp_say_their_size() -> None:
    def riff(body: bytes) -> bytes:
        return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body

    extended = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (49).to_bytes(3, "little") + (19).to_bytes(3, "little")
    lossy = b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 50, 20)
    for content in (riff(extended), riff(lossy)):
        found = picture_files.look("a.webp", content)
        assert (found.width, found.height) == (50, 20)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "azul.png is empty"),
        (b"<svg onload='alert(1)'></svg>", "no PNG, JPEG or WebP picture, whatever its name says"),
        (b"GIF89a" + b"\0" * 40, "no PNG, JPEG or WebP picture"),
        (b"RIFF\x04\0\0\0WAVE", "no PNG, JPEG or WebP picture"),
        (png()[:-20], "damaged or not complete"),
        (png().replace(b"IDAT", b"IxAT"), "damaged or not complete"),
        (jpeg()[:12], "damaged or not complete"),
        (jpeg()[:-2], "damaged or not complete"),
        (webp()[:-3], "damaged or not complete"),
        (png(6000, 1), "measures 6000 × 1 pixels; at most 5000"),
        (jpeg(0, 5), "measures 0 × 5 pixels"),
        (png() + b"\0" * LARGEST, "larger than 2 MB. Make it smaller"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said.replace(".", r"\.")) as fault:
        picture_files.look("azul.png", content)
    assert "azul.png" in str(fault.value)


def test_no_beginning_of_a_picture_breaks_the_reader() -> None:
    for whole in (png(), jpeg(), webp()):
        for end in range(len(whole)):
            with pytest.raises(InvalidInput):
                picture_files.look("a", whole[:end])


def test_a_zip_is_read_file_by_file_without_folders_and_litter() -> None:
    content = packed(("boletas/Azul.PNG", png()), ("__MACOSX/._Azul.PNG", b"x"), ("boletas/.DS_Store", b"x"),
                     ("boletas/nota.txt", b"hola"))  # fmt: skip
    upload = read_upload([("todo.zip", content), ("verde.jpg", jpeg())])
    assert [one.name for one in upload.files] == ["Azul.PNG", "verde.jpg"]
    assert [sentence.partition(" is no")[0] for sentence in upload.refused] == ["nota.txt"]


@pytest.mark.parametrize("name", ["../../etc/azul.png", "/etc/azul.png", "C:\\temp\\azul.png", "..\\azul.png"])
def test_of_a_path_only_the_last_part_is_read(name: str) -> None:
    upload = read_upload([("todo.zip", packed((name, png())))])
    assert [one.name for one in upload.files] == ["azul.png"]


def test_a_name_comes_once() -> None:
    upload = read_upload([("a.zip", packed(("x/azul.png", png()), ("y/AZUL.png", jpeg())))])
    assert [one.kind for one in upload.files] == ["image/png"]
    assert upload.refused[0].startswith("AZUL.png comes twice in this upload")


def test_a_bomb_stops_at_its_first_large_file() -> None:
    bomb = packed(("azul.png", png() + b"\0" * (64 << 20)), ("verde.jpg", jpeg()))
    assert len(bomb) < 100_000
    upload = read_upload([("bomba.zip", bomb)])
    assert [one.name for one in upload.files] == ["verde.jpg"]
    assert upload.refused == ["azul.png is larger than 2 MB. Make it smaller: 1,200 pixels wide are enough."]


def test_a_zip_that_lies_about_sizes_is_not_believed() -> None:
    content = packed(("azul.png", png() + b"\0" * (8 << 20)))
    real, said = struct.pack("<I", len(png()) + (8 << 20)), struct.pack("<I", 500)
    upload = read_upload([("mentira.zip", content.replace(real, said))])
    assert upload.files == []
    assert "azul.png" in upload.refused[0]


def test_many_files_that_are_each_small_enough_are_too_much_together() -> None:
    inside = png() + b"\0" * (LARGEST - 1000)
    upload = read_upload([("mucho.zip", packed(*((f"{n}.png", inside) for n in range(30))))])
    assert len(upload.files) == 20
    assert upload.refused == [
        "mucho.zip unpacks to more than 40 MB: the rest was not read. Upload fewer or smaller pictures."
    ]


def test_a_zip_of_very_many_files_is_not_read() -> None:
    upload = read_upload([("mil.zip", packed(*((f"{n}.png", b"") for n in range(MOST_FILES + 1))))])
    assert upload.refused == ["mil.zip holds 201 files; at most 200 are read. Pack only the pictures."]


def test_a_zip_in_a_zip_a_locked_and_a_damaged_one_are_told() -> None:
    locked = bytearray(packed(("azul.png", png()), method=zipfile.ZIP_STORED))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + place] |= 1
    damaged = bytearray(packed(("rojo.png", png()), method=zipfile.ZIP_STORED))
    damaged[damaged.index(b"IDAT")] ^= 1
    upload = read_upload([
        ("a.zip", packed(("dentro.zip", packed(("azul.png", png()))))), ("b.zip", bytes(locked)),
        ("c.zip", bytes(damaged)), ("d.zip", packed(("azul.png", png()))[:-30]),
    ])  # fmt: skip
    assert upload.files == []
    assert [sentence.split(maxsplit=3)[:3] for sentence in upload.refused] == [
        ["dentro.zip", "is", "no"], ["azul.png", "is", "locked"], ["rojo.png", "is", "damaged"],
        ["d.zip", "is", "damaged"],
    ]  # fmt: skip
