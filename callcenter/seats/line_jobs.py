"""Work on operators' telephones for a worker."""

import logging
from typing import Protocol, cast

from callcenter import carriers
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.seats import operator_lines

log = logging.getLogger(__name__)


class _Rings(Protocol):
    """What a carrier can that has the word `phone_leg` (carriers.can)."""

    def ring_to_check(self, operator_id: int, phone: str) -> str: ...


def ring_to_check(operator_id: int) -> None:
    """Ring a telephone whose owner is to press the code of their screen. One that cannot be rung is not rung again by
    itself: the operator sees that nothing comes, and asks once more."""
    with open_session() as session:
        line = operator_lines.of(session, operator_id)
        phone = line.phone if line.check_hash is not None else None
        session.commit()
    if phone is None:
        return
    try:
        cast(_Rings, carriers.the_carrier()).ring_to_check(operator_id, phone)
    except ProviderError as error:
        log.warning("telephone of operator %s: %s %s", operator_id, error, error.code)
