"""Carriers that drop messages silently: rules by sender, prefix of the phone and words, switched while it runs."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FILTERED = "30007"  # https://www.twilio.com/docs/api/errors/30007


@dataclass(frozen=True)
class Rule:
    """All that is said must fit; what is not said fits everything. `words` is a regular expression."""

    sender: str | None = None
    prefix: str | None = None
    words: str | None = None
    share: float = 1.0
    code: str = FILTERED

    def fits(self, sender: str, phone: str, body: str) -> bool:
        return (
            self.sender in (None, sender)
            and phone.startswith(self.prefix or "")
            and (self.words is None or re.search(self.words, body, re.IGNORECASE) is not None)
        )


class Filters:
    def __init__(self, seed: int) -> None:
        self.rules: list[Rule] = []
        self._dice = random.Random(seed)

    def replace(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Raises ValueError that names the fault; then the old rules stay."""
        new = [_rule(rule) for rule in rules]
        self.rules = new

    def code(self, sender: str, phone: str, body: str) -> str | None:
        """Why this message is dropped; None: it is not."""
        for rule in self.rules:
            if rule.fits(sender, phone, body) and self._dice.random() < rule.share:
                return rule.code
        return None


def _rule(given: Mapping[str, Any]) -> Rule:
    if not isinstance(given, Mapping):
        raise ValueError(f"a rule is an object, not {given!r}")
    unknown = given.keys() - Rule.__dataclass_fields__.keys()
    if unknown:
        raise ValueError(f"unknown {sorted(unknown)}; a rule says {', '.join(Rule.__dataclass_fields__)}")
    rule = Rule(**given)
    if isinstance(rule.share, bool) or not isinstance(rule.share, int | float) or not 0 <= rule.share <= 1:
        raise ValueError(f"share is from 0 to 1, not {rule.share!r}")
    try:
        re.compile(rule.words or "")
    except (re.error, TypeError) as error:
        raise ValueError(f"words {rule.words!r} are no regular expression: {error}") from None
    return rule
