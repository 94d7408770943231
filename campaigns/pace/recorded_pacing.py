"""How many phones a recorded survey rings now. Pure: no operator is needed, only a session that talks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sessions:
    """One recorded survey's room. `limit`: conversations that its campaign allows, None for no limit of its own;
    `held`: those that talk or ring now; `free`: what the switches have left for all of them, None when no program that
    holds conversations runs; `lines_free`: calls the carrier still takes."""

    limit: int | None
    held: int
    free: int | None
    lines_free: int


def decide(room: Sessions) -> tuple[int, str | None]:
    """One phone for each free session, so that nobody picks up to silence; and why none, a code of queues.WHY_IDLE."""
    if room.free is None:
        return 0, "ivr_away"
    own = room.free if room.limit is None else min(room.limit - room.held, room.free)
    if own <= 0:
        return 0, "sessions_busy"
    place = max(0, min(own, room.lines_free))
    return place, None if place else "no_lines"
