"""Which numbers of ours a campaign may show to the people it calls."""

from sqlalchemy.orm import Session

from callcenter.base.settings import web_settings
from callcenter.telephony import account_checks
from callcenter.telephony.trunk_book import caller_ids
from callcenter.telephony.trunk_health import CARRIER
from callcenter.telephony.trunk_numbers import LOCAL


def offered(session: Session) -> list[str]:
    """With Asterisk what its trunks allow, and each person's local number; else the account's own: the one of the
    settings first, then what its carrier last said that it owns."""
    if web_settings().carrier != CARRIER:
        number = web_settings().twilio.voice_number
        listed = account_checks.latest(session, web_settings().carrier).get("numbers")
        known = account_checks.owned(listed) if listed is not None else []
        return list(dict.fromkeys([*([number] if number else []), *known]))
    numbers = caller_ids(session)
    return [*numbers, LOCAL] if len(numbers) > 1 else numbers
