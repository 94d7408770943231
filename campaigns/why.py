"""Why a calling campaign does or does not dial at this moment: the limit that binds, all others with their numbers,
when people become callable, and the last decisions. `flask calling why` and the panel of the campaign show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.places import zones
from callcenter.queueing import entry_reasons
from callcenter.queueing.dial_decisions import DialDecision
from callcenter.queueing.person_waits import Wait
from callcenter.queueing.queue_outlook import Group, Outlook
from campaigns.calling import CallCampaign
from campaigns.telephoning import why_facts, why_limits
from campaigns.telephoning.why_facts import Facts, LastChange
from campaigns.telephoning.why_limits import ASPECT_OF, OPEN, SLOWS, STOPS, Limit

# What is behind a list of which nobody may be called, in this order.
_BEHIND_THE_LIST = ("quota", "phase", "hours")
_SILENCE = ("dialer_away", "dialer_silent", "dialer_fault")
_DECISION = (
    "mode", "falls_back", "idle", "wrapping", "talking", "ringing", "waiting", "lines_free", "attempts", "answered",
    "abandoned", "given_up", "risk", "place", "planned", "hang_up", "broken_off", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Why:
    """`binding`: what keeps it from dialling now; None while it dials. `code` and `sentence`: the dialer's own word or,
    where it has none, the limit's. `limits`: one of each aspect."""

    campaign_id: int
    name: str
    state: str
    binding: Limit | None
    sentence: str
    limits: tuple[Limit, ...]
    outlook: Outlook
    decisions: tuple[DialDecision, ...]
    changed: LastChange | None
    as_of: datetime

    @property
    def others(self) -> list[Limit]:
        """What would stop it, too, if the binding limit were lifted."""
        return [one for one in self.limits if one.state == STOPS and one != self.binding]


def of_campaign(session: Session, campaign: CallCampaign, *, everybody: bool = False, decisions: int = 10) -> Why:
    """The answer for one campaign. `everybody`: count a long list whole instead of estimating it."""
    facts = why_facts.read(session, campaign.queue, everybody=everybody, decisions=decisions)
    limits = why_limits.all_limits(facts)
    binding = bind(facts, limits)
    return Why(
        campaign.id, campaign.name, facts.state, binding, sentence(facts, binding), tuple(limits), facts.outlook,
        tuple(facts.decisions), facts.changed, facts.as_of,
    )  # fmt: skip


def bind(facts: Facts, limits: list[Limit]) -> Limit | None:
    """The limit that binds: what keeps the dialer from deciding at all, else its own last word; pure."""
    by_aspect = {one.aspect: one for one in limits}
    for aspect in ("campaign", "dialer"):
        if by_aspect[aspect].state == STOPS:
            return by_aspect[aspect]
    if facts.why_idle is None:
        return None
    aspect = ASPECT_OF.get(facts.why_idle, "dialer")
    if aspect == "list":
        behind = (by_aspect[one] for one in _BEHIND_THE_LIST)
        return next((one for one in behind if one.state == STOPS), by_aspect["list"])
    return by_aspect[aspect]


def sentence(facts: Facts, binding: Limit | None) -> str:
    """The one line that says it."""
    if binding is None:
        return str(_("It dials: nothing keeps it."))
    told = facts.why_idle
    if told is not None and ASPECT_OF.get(told, "dialer") == binding.aspect and binding.code not in _SILENCE:
        return queues.why_sentence(told) or binding.sentence
    return binding.sentence


def as_json(why: Why) -> dict[str, Any]:
    """For `flask calling why --json`: codes and numbers, with the sentences beside them."""
    return {
        "campaign": why.campaign_id, "name": why.name, "state": why.state, "dials": why.binding is None,
        "sentence": why.sentence, "as_of": why.as_of.isoformat(),
        "binding": _limit(why.binding) if why.binding else None, "limits": [_limit(one) for one in why.limits],
        "changed": {"by": why.changed.who, "at": why.changed.at.isoformat()} if why.changed else None,
        "hours": _outlook(why.outlook), "decisions": [_decision(one) for one in why.decisions],
    }  # fmt: skip


def wait_as_json(wait: Wait) -> dict[str, Any]:
    """One person's answer."""
    return {
        "queue": wait.queue_id, "name": wait.queue, "code": wait.code, "sentence": str(wait.sentence),
        "reason": wait.reason, "detail": wait.detail, "until": wait.until.isoformat() if wait.until else None,
        "lifted_by": wait.lifted_by, "attempts": wait.attempts,
    }  # fmt: skip


def zone_names(group: Group) -> str:
    """The zones of a group, as people call them."""
    return " + ".join(str(zones.NAMES.get(key, key)) for key in group.zones)


def rest_label(reason: str) -> str:
    """Why people rest, in words."""
    return entry_reasons.sentence(reason) or str(_("Their time has not come yet."))


def _limit(limit: Limit) -> dict[str, Any]:
    return {"aspect": limit.aspect, "state": limit.state, "code": limit.code, "sentence": limit.sentence,
            "counts": dict(limit.counts)}  # fmt: skip


def _outlook(outlook: Outlook) -> dict[str, Any]:
    return {
        "now": outlook.now, "later": outlook.later, "resting": outlook.resting, "is_estimate": outlook.is_estimate,
        "looked_at": outlook.looked_at, "waiting": outlook.waiting,
        "next_at": outlook.next_at.isoformat() if outlook.next_at else None,
        "zones": [
            {"zones": list(one.zones), "people": one.people, "opens_at": _iso(one.opens_at),
             "closes_at": _iso(one.closes_at)}
            for one in outlook.groups
        ],
        "left_out": outlook.refused,
        "rests": [{"reason": one.reason, "people": one.people, "first_at": _iso(one.first_at)}
                  for one in outlook.rests],
    }  # fmt: skip


def _decision(decision: DialDecision) -> dict[str, Any]:
    return {"at": decision.at.isoformat()} | {name: getattr(decision, name) for name in _DECISION}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


__all__ = ["OPEN", "SLOWS", "STOPS", "Limit", "Why", "as_json", "bind", "of_campaign", "rest_label", "sentence",
           "wait_as_json",
           "zone_names"]  # fmt: skip
