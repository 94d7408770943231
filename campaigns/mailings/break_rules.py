"""When do results look so bad that a campaign must stop for a person to look? Pure.

Three kinds of trouble are counted in the newest results, of the whole campaign and of each part of it: a prefix of
phones (an area, an operator's block of numbers), a sender, a wording. A part trips when so many in trouble would be all
but impossible even at the most that is tolerated there. That is the exact chance of a binomial draw, so that eight of
twenty are enough when it is plain, and a long list of small accidents never is.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CAMPAIGN, WORDING, SENDER, PREFIX = "campaign", "wording", "sender", "prefix"
ASPECTS = (WORDING, SENDER, PREFIX)  # the sooner named, the sooner somebody can change it
# Shares that no campaign needs a person for. 30007: a carrier's filter. 21610: told the carrier to stop. Undelivered:
# phones that are off or no longer in service; a list of three years has a fifth of them.
TOLERATED: Mapping[str, float] = {"30007": 0.03, "21610": 0.04, "undelivered": 0.25}
TIMES_USUAL = 2.0  # of what the campaign's own earlier results show
TIMES_ACCEPTED = 1.5  # of what a person saw and went on with
CHANCE = 1e-6  # looked at every second, in some hundred parts: less than one false alarm in a year of sending
FEWEST = 20  # results of a part; fewer say nothing that a second more would not say better
NEARLY_ALL, MOST = 0.95, 0.8  # a part that holds nearly all results is the campaign; one with most of the trouble, why


@dataclass(frozen=True)
class Tally:
    """Results that are alike: how many, and in which trouble (None: delivered). `is_recent`: of the newest."""

    trouble: str | None
    wording: str
    sender: str
    phone_prefix: str  # with all the digits that are looked at; shorter prefixes are its beginnings
    number: int
    is_recent: bool = True


@dataclass(frozen=True)
class Verdict:
    """`hits` of `number` results of one part (`aspect`, `value`) are in `trouble`; `usual` is the share before."""

    trouble: str
    aspect: str
    value: str
    number: int
    hits: int
    usual: float


def judge(tallies: Sequence[Tally], prefixes: Iterable[int], accepted: Mapping[str, float]) -> Verdict | None:
    """The part of the newest results that must stop the campaign, or None. `prefixes`: lengths to look at.

    `accepted`: the share of each trouble that a person saw before and went on with."""
    recent = [tally for tally in tallies if tally.is_recent]
    before = [tally for tally in tallies if not tally.is_recent]
    lengths = sorted(prefixes)
    for trouble in TOLERATED:
        usual = _share(before, trouble)
        bearable = max(TOLERATED[trouble], TIMES_USUAL * usual, TIMES_ACCEPTED * accepted.get(trouble, 0.0))
        tripped = [
            (Verdict(trouble, aspect, value, number, hits, usual))
            for (aspect, value), (number, hits) in _parts(recent, trouble, lengths).items()
            if number >= FEWEST and hits > bearable * number and tail(number, hits, bearable) < CHANCE
        ]
        if tripped:
            return _plainest(tripped, recent, trouble)
    return None


def tail(number: int, hits: int, share: float) -> float:
    """The chance that `hits` or more of `number` come by themselves where each has the chance `share`."""
    if hits <= 0 or share >= 1:
        return 1.0
    if share <= 0 or hits > number:
        return 0.0
    most = [_log_of(number, k, share) for k in range(hits, number + 1)]
    top = max(most)
    return min(1.0, math.exp(top) * sum(math.exp(one - top) for one in most))


def _log_of(number: int, hits: int, share: float) -> float:
    ways = math.lgamma(number + 1) - math.lgamma(hits + 1) - math.lgamma(number - hits + 1)
    return ways + hits * math.log(share) + (number - hits) * math.log1p(-share)


def _share(tallies: Sequence[Tally], trouble: str) -> float:
    number = sum(tally.number for tally in tallies)
    return sum(tally.number for tally in tallies if tally.trouble == trouble) / number if number else 0.0


def _parts(recent: Sequence[Tally], trouble: str, lengths: Sequence[int]) -> dict[tuple[str, str], tuple[int, int]]:
    """(aspect, value) → (results, those in trouble)"""
    parts: dict[tuple[str, str], tuple[int, int]] = {}
    for tally in recent:
        keys = [(CAMPAIGN, ""), (WORDING, tally.wording), (SENDER, tally.sender)]
        keys += [(PREFIX, tally.phone_prefix[:length]) for length in lengths if tally.phone_prefix]
        for key in keys:
            number, hits = parts.get(key, (0, 0))
            parts[key] = (number + tally.number, hits + tally.number * (tally.trouble == trouble))
    return parts


def _plainest(tripped: Sequence[Verdict], recent: Sequence[Tally], trouble: str) -> Verdict:
    """Of what tripped, what says most: the smallest part that holds most of the trouble without being everything."""
    number = sum(tally.number for tally in recent)
    hits = sum(tally.number for tally in recent if tally.trouble == trouble)
    telling = [one for one in tripped if one.aspect != CAMPAIGN and one.number < NEARLY_ALL * number]
    causes = [one for one in telling if one.hits >= MOST * hits]
    if causes:
        return min(causes, key=lambda one: (ASPECTS.index(one.aspect), one.number, one.value))
    whole = [one for one in tripped if one.aspect == CAMPAIGN]
    return whole[0] if whole else max(telling or tripped, key=lambda one: (one.hits, one.value))
