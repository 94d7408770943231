"""The job of a rehearsal: everybody in blocks, then the sums. Harmless when it runs twice: nothing is sent."""

from callcenter.base.db import open_session
from campaigns.mailings import message_campaigns as campaigns
from campaigns.rehearsal import rehearsal_findings, rehearsal_walk, rehearsal_wire, rehearsals
from campaigns.rehearsal.rehearsal_findings import Frame
from campaigns.rehearsal.rehearsal_walk import Found


def rehearse(rehearsal_id: int) -> None:
    """Go through the list, unless somebody cancels it meanwhile."""
    with open_session() as session:
        rehearsal = rehearsals.get(session, rehearsal_id)
        campaign_id, is_running = rehearsal.campaign_id, rehearsal.state == rehearsals.RUNNING
    walked = _walk(rehearsal_id, campaign_id) if is_running else None
    if walked is None:
        return
    found, seen, left_out = walked
    tried = rehearsal_wire.try_out(found.sample) if seen.tries_out else None
    with open_session() as session:
        campaign = campaigns.find(session, campaign_id)
        result = rehearsal_findings.result(campaign, left_out, found, seen, tried)
        rehearsals.finish(session, rehearsal_id, result)
        session.commit()


def _walk(rehearsal_id: int, campaign_id: int) -> tuple[Found, Frame, dict[str, int]] | None:
    """Everybody; None when it was cancelled."""
    found = Found()
    with open_session() as reading:
        campaign = campaigns.find(reading, campaign_id)
        seen = rehearsal_findings.frame(reading, campaign)
        reading.commit()  # a sender of its own may just have been entered
        audience = rehearsal_walk.audience(reading, campaign)
        left_out = {code: n for code, n in audience.items() if code}
        if not _goes_on(rehearsal_id, 0, audience[None]):
            return None
        for done in rehearsal_walk.walk(reading, campaign, found):
            if done % 10_000 < rehearsal_walk.BLOCK and not _goes_on(rehearsal_id, done):
                return None
        reading.commit()
    return found, seen, left_out


def _goes_on(rehearsal_id: int, done: int, total: int | None = None) -> bool:
    """Say how far it is, in a transaction of its own: the one that reads stays as it is."""
    with open_session() as session:
        goes_on = rehearsals.go_on(session, rehearsal_id, done, total)
        session.commit()
    return goes_on
