import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.pace.recorded_pacing import Sessions, decide


@pytest.mark.parametrize(
    ("room", "decision"),
    [
        (Sessions(limit=5, held=2, free=50, lines_free=9), (3, None)),
        (Sessions(limit=None, held=2, free=50, lines_free=9), (9, None)),
        (Sessions(limit=80, held=2, free=4, lines_free=9), (4, None)),
        (Sessions(limit=5, held=5, free=50, lines_free=9), (0, "sessions_busy")),
        (Sessions(limit=5, held=0, free=0, lines_free=9), (0, "sessions_busy")),
        (Sessions(limit=5, held=0, free=50, lines_free=0), (0, "no_lines")),
        (Sessions(limit=5, held=0, free=None, lines_free=9), (0, "ivr_away")),
    ],
)
def test_as_many_phones_ring_as_sessions_are_free(room: Sessions, decision: tuple[int, str | None]) -> None:
    assert decide(room) == decision


counts = st.integers(-5, 200)


@given(st.builds(Sessions, st.none() | counts, counts, st.none() | counts, counts))
def test_nobody_picks_up_to_silence_and_a_decision_for_nobody_says_why(room: Sessions) -> None:
    place, why = decide(room)
    assert 0 <= place <= max(0, room.lines_free)
    assert (place == 0) == (why is not None)
    if place:
        assert room.free is not None
        assert place <= room.free
        assert room.limit is None or room.held + place <= room.limit
