"""Sound of our calls that a carrier recorded and still holds (Twilio's protocol): brought here, and deleted there.

Both raise ProviderError with a code of recording_ledger.FAULTS; `permanent`: it will never come."""

from datetime import datetime, timedelta
from pathlib import Path

from callcenter import carriers
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.carriers import OF_CALLS, NoCarrier, RemoteSound

BEGUN = timedelta(minutes=2)  # after the call; what the carrier does not know of by then was never begun
ARRIVAL = timedelta(hours=1)  # after the call; what is not finished by then is lost
# https://www.twilio.com/docs/voice/api/recording: the sound can be had, or never will.
DONE, NEVER = "completed", ("absent", "failed", "deleted")


def bring(leg: str, ended_at: datetime | None, target: Path) -> None:
    """Write the recording of this leg to `target` (WAV), whole. Raises OSError, too."""
    sounds = _sounds(leg)
    done = next((sound for sound in sounds if sound.status == DONE), None)
    if done is not None:
        _fetch(done.sid, target)
        return
    age = real_now() - ended_at if ended_at is not None else ARRIVAL
    if not sounds:
        raise _missing("no_file", is_late=age > BEGUN)
    if all(sound.status in NEVER for sound in sounds):
        raise _missing("empty", is_late=True)
    raise _missing("not_arrived", is_late=age > ARRIVAL)


def remove(leg: str) -> None:
    """Let no recording of this leg stay with the carrier."""
    for sound in _sounds(leg):
        if sound.status != "deleted":
            try:
                carriers.the_recorder().remove_sound(sound.sid)
            except ProviderError as error:
                raise ProviderError(str(error), code="carrier_away") from error


def _sounds(leg: str) -> list[RemoteSound]:
    try:
        return carriers.the_recorder().sounds_of(leg, OF_CALLS)
    except NoCarrier as error:
        raise ProviderError(str(error), code="carrier_away") from error
    except ProviderError as error:
        if error.code == "20404":  # the carrier has forgotten the call itself
            return []
        raise ProviderError(str(error), code="carrier_away") from error


def _fetch(sid: str, target: Path) -> None:
    try:
        carriers.the_recorder().fetch_sound(sid, target)
    except ProviderError as error:
        code = {"not_there": "waiting", "gone": "no_file"}.get(error.code or "", "carrier_away")
        raise ProviderError(str(error), code=code, permanent=code == "no_file") from error


def _missing(code: str, *, is_late: bool) -> ProviderError:
    return ProviderError("the carrier has no sound yet", code=code if is_late else "waiting", permanent=is_late)
