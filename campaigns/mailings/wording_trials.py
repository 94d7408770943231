"""Which of two wordings is better? A test that may be looked at as often as one likes. Pure.

Whoever looks at an ordinary test after every message, and stops when it shines, finds a winner between two equal texts
sooner or later. This one is sequential: a mixture likelihood ratio for the difference of two shares (Robbins 1970; for
two proportions Johari, Pekelis and Walsh 2015, "Always valid inference"). Its p-value stays below `alpha` by chance in
at most `alpha` of all trials, over the whole life of a trial, and its interval holds at every moment at once.

Three things are compared: clicks, replies and opt-outs, each at a third of `alpha` (Bonferroni). The goal decides; but
a wording that makes more people opt out never wins."""

import math
from dataclasses import dataclass

ALPHA = 0.05
LEAST_DELIVERED, LEAST_EVENTS = 100, 10  # of each wording, of both together: below, the normal law says nothing
SPREAD = 0.02  # how large differences between two wordings usually are, as a share of the people: the mixture's width
KINDS = ("clicks", "replies", "opt_outs")
FEWER_IS_BETTER = frozenset({"opt_outs"})


@dataclass(frozen=True)
class Arm:
    """What became of one wording: people who got it, and of these who clicked, answered, opted out."""

    letter: str
    delivered: int
    clicks: int = 0
    replies: int = 0
    opt_outs: int = 0

    def share(self, kind: str) -> float:
        """Of the people who got it; 0 before the first."""
        return int(getattr(self, kind)) / self.delivered if self.delivered else 0.0


@dataclass(frozen=True)
class Difference:
    """The second wording's share less the first's. `low` to `high` holds it with the wanted certainty, however often
    one looks. `better`: the letter of the better wording where that is sure, else None."""

    kind: str
    first: float
    second: float
    low: float
    high: float
    p_value: float
    better: str | None

    @property
    def value(self) -> float:
        return self.second - self.first


@dataclass(frozen=True)
class Verdict:
    """`winner`: the letter to go on with, or None. `reason`: too_few | better | harmless | worse | open.

    better: it wins at the goal, and nothing speaks against it. harmless: the goal is open, but fewer people opt out.
    worse: what wins at the goal makes more people opt out, so a person must weigh it. `more`: about how many more
    people of both wordings an answer needs, were the shares what they seem; None where none is in sight."""

    winner: str | None
    reason: str
    differences: tuple[Difference, ...]
    more: int | None = None


def verdict(first: Arm, second: Arm, goal: str, alpha: float = ALPHA) -> Verdict:
    """What the trial says now. `goal`: one of KINDS. Raises ValueError for another."""
    if goal not in KINDS:
        raise ValueError(f"{goal} is no goal; the goals are {', '.join(KINDS)}")
    found = {kind: compare(first, second, kind, alpha / len(KINDS)) for kind in KINDS}
    differences = tuple(found.values())
    if min(first.delivered, second.delivered) < LEAST_DELIVERED:
        return Verdict(None, "too_few", differences)
    best, safest = found[goal].better, found["opt_outs"].better
    if best is not None and safest in (None, best):
        return Verdict(best, "better", differences)
    if best is not None:
        return Verdict(None, "worse", differences)
    if safest is not None:
        return Verdict(safest, "harmless", differences)
    return Verdict(None, "open", differences, _more(first, second, found[goal], alpha / len(KINDS)))


def compare(first: Arm, second: Arm, kind: str, alpha: float) -> Difference:
    """One kind of answer of both wordings, always valid at `alpha`."""
    value, variance = _difference(first, second, kind)
    events = int(getattr(first, kind)) + int(getattr(second, kind))
    shares = first.share(kind), second.share(kind)
    if events < LEAST_EVENTS or min(first.delivered, second.delivered) < LEAST_DELIVERED:
        return Difference(kind, *shares, -1.0, 1.0, 1.0, None)
    tau = SPREAD * SPREAD
    p_value = min(1.0, math.exp(-_log_ratio(value, variance, tau)))
    room = math.sqrt(2 * variance * (variance + tau) / tau * (math.log(1 / alpha) + _half_log(variance, tau)))
    low, high = value - room, value + room
    return Difference(kind, *shares, max(low, -1.0), min(high, 1.0), p_value, _better(first, second, kind, low, high))


def _difference(first: Arm, second: Arm, kind: str) -> tuple[float, float]:
    """(difference of the shares, its variance), each share pulled a little towards the middle (Agresti and Caffo 2000),
    so that nobody's silence counts as certainty."""
    means, variance = [], 0.0
    for arm in (first, second):
        people = arm.delivered + 2
        share = (int(getattr(arm, kind)) + 1) / people
        means.append(share)
        variance += share * (1 - share) / people
    return means[1] - means[0], variance


def _log_ratio(value: float, variance: float, tau: float) -> float:
    """How much likelier a difference of the usual size is than none, as a logarithm."""
    return -_half_log(variance, tau) + tau * value * value / (2 * variance * (variance + tau))


def _half_log(variance: float, tau: float) -> float:
    return 0.5 * math.log((variance + tau) / variance)


def _better(first: Arm, second: Arm, kind: str, low: float, high: float) -> str | None:
    if low <= 0 <= high:
        return None
    second_has_more = low > 0
    return second.letter if second_has_more != (kind in FEWER_IS_BETTER) else first.letter


def _more(first: Arm, second: Arm, seen: Difference, alpha: float) -> int | None:
    """People of both wordings until the difference that is seen now would be sure; None beyond a hundred times."""
    value, variance = _difference(first, second, seen.kind)
    people, tau = first.delivered + second.delivered, SPREAD * SPREAD
    for times in (1.25**step for step in range(1, 21)):
        if math.exp(-_log_ratio(value, variance / times, tau)) < alpha:
            return round(people * (times - 1))
    return None
