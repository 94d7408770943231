"""The job that asks providers about silent messages. It carries nothing, and one that runs twice does no harm."""

from itertools import groupby
from operator import itemgetter
from time import monotonic

from callcenter.base.db import open_session
from campaigns.channels import carrier, channel
from campaigns.dispatch import message_look_ups as look_ups
from campaigns.sending import look_up_all

AT_ONCE = 500  # claimed together; what a worker that dies leaves of them is asked again after a minute or two
TURN = 3.0  # seconds; then calls and other jobs have their turn. The sweep enqueues this one again every five


def ask_provider() -> None:
    """Ask about messages that nobody has heard of for a while, those of longest silence first."""
    ends = monotonic() + TURN
    while monotonic() < ends and _ask_once():
        pass


def _ask_once() -> bool:
    """One lot; False when nobody is left to be asked about."""
    with open_session() as session:
        asked = sorted(look_ups.silent(session, AT_ONCE, carrier()), key=itemgetter(0))
        session.commit()
        for name, group in groupby(asked, key=itemgetter(0)):
            answers = look_up_all(channel(name), [message for _, message in group])
            look_ups.record_look_ups(session, answers)
            session.commit()
    return len(asked) == AT_ONCE
