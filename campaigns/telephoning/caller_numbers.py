"""Which numbers of ours a campaign may show to the people it calls."""

from sqlalchemy.orm import Session

from callcenter.base.settings import web_settings
from callcenter.telephony.trunk_book import caller_ids
from callcenter.telephony.trunk_health import CARRIER
from callcenter.telephony.trunk_numbers import LOCAL


def offered(session: Session) -> list[str]:
    """With Asterisk what its trunks allow, and each person's local number; else the carrier's own."""
    if web_settings().carrier != CARRIER:
        number = web_settings().twilio.voice_number
        return [number] if number else []
    numbers = caller_ids(session)
    return [*numbers, LOCAL] if len(numbers) > 1 else numbers
