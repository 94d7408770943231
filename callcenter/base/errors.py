"""The few errors of the house, named by cause. Each message is a sentence for a person: what, where, what to do."""

from collections.abc import Mapping


class InvalidInput(Exception):
    """What a person gave cannot be used. `faults` maps a field (or '') to a sentence. Becomes a form error or a 422."""

    def __init__(self, faults: Mapping[str, str] | str) -> None:
        self.faults: dict[str, str] = {"": faults} if isinstance(faults, str) else dict(faults)
        super().__init__(" ".join(self.faults.values()))


class NotFound(Exception):
    """There is no such thing, or the person may not know of it. Becomes a 404."""


class Refused(Exception):
    """A rule of the house forbids the act now. `code` names the rule. Becomes a 409."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


class ProviderError(Exception):
    """A carrier or channel did not do what was asked.

    `permanent`: asking again gives the same answer. `unknown`: the provider may have done it, so never ask again
    blindly. Neither: safe to try again later, after `wait_seconds` where the provider named a time. `code` is the
    provider's own.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        permanent: bool = False,
        unknown: bool = False,
        wait_seconds: float | None = None,
    ) -> None:
        self.code, self.permanent, self.unknown, self.wait_seconds = code, permanent, unknown, wait_seconds
        super().__init__(sentence)
