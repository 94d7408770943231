"""The drill's clock belongs to the drill."""

from datetime import timedelta

from sqlalchemy.orm import Session

from callcenter.base import clock


def test_where_the_carrier_is_real_so_is_the_clock(session: Session) -> None:
    clock.start_drill(session)
    assert clock.campaign_now(session).year == 2027
    clock.configure(is_drill=False)
    assert abs(clock.campaign_now(session) - clock.real_now()) < timedelta(seconds=5)
    clock.keep_furthest(session)
    clock.configure(is_drill=True)
    assert clock.campaign_now(session).year == 2027
