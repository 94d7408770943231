import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from campaigns.texts.media_files import Looked, look_at, without_traces
from tests.campaigns.media_samples import jpeg, mp4, png

SAMPLES = {"image/png": png(), "image/jpeg": jpeg(exif=b"Minatitlan"), "video/mp4": mp4()}


def seen(content: bytes) -> str:
    """What the file is, or that it was refused with a sentence."""
    try:
        return look_at(content).content_type
    except InvalidInput as error:
        return "refused" if list(error.faults) == ["file"] else "refused without a sentence"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(3, 2), Looked("image", "image/png", 3, 2)),
        (jpeg(7, 5), Looked("image", "image/jpeg", 7, 5)),
        (jpeg(7, 5, exif=b"somewhere"), Looked("image", "image/jpeg", 7, 5)),
        (mp4(), Looked("video", "video/mp4", None, None)),
        (mp4(b"avc1"), Looked("video", "video/mp4", None, None)),  # without sound
        (mp4(b"avc1", b"mp4a", b"tmcd"), Looked("video", "video/mp4", None, None)),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, expected: Looked) -> None:
    assert look_at(content) == expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no JPEG, PNG or MP4"),
        (b"GIF89a" + bytes(100), "no JPEG, PNG or MP4"),
        (b"<svg onload=alert(1)>", "no JPEG, PNG or MP4"),
        (b"%PDF-1.7", "no JPEG, PNG or MP4"),
        (mp4(b"hvc1", b"mp4a"), "coded as hvc1"),
        (mp4(b"mp4a"), "coded as mp4a"),  # sound alone
        (mp4(b"avc1", b"Opus"), "coded as Opus"),
        (png(9_000, 2_000), "may be 10000"),
        (png(2_100, 100), "twenty times"),
        (jpeg(0, 5), "damaged"),
    ],
)
def test_what_no_channel_takes_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        look_at(content)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_file_that_is_cut_off_is_refused_or_still_whole(kind: str, data: st.DataObject) -> None:
    whole = SAMPLES[kind]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert seen(cut) in ("refused", kind)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(4) + b"ftyp"]))
def test_whatever_bytes_come_there_is_an_answer(content: bytes, head: bytes) -> None:
    assert seen(head + content) in ("refused", *SAMPLES)


def test_where_a_picture_was_taken_is_cut_out_and_the_picture_stays() -> None:
    clean = without_traces(jpeg(7, 5, exif=b"Minatitlan 19.9,-94.5"), "image/jpeg")
    assert b"Minatitlan" not in clean
    assert clean == jpeg(7, 5)
    assert without_traces(png(text=b"Ana Lara"), "image/png") == png()


@pytest.mark.parametrize("turned", [3, 6, 8])
def test_which_way_up_a_picture_is_held_stays(turned: int) -> None:
    clean = without_traces(jpeg(exif=b"Minatitlan", turned=turned), "image/jpeg")
    assert b"Minatitlan" not in clean
    assert look_at(clean) == look_at(jpeg())
    assert without_traces(clean, "image/jpeg") == clean
    assert clean != jpeg()


@given(st.sampled_from(["image/jpeg", "image/png", "video/mp4"]))
def test_cutting_traces_out_twice_changes_nothing_more(kind: str) -> None:
    once = without_traces(SAMPLES[kind], kind)
    assert without_traces(once, kind) == once
