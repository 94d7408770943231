"""What the simulated carrier is told: at its start by arguments, while it runs by the control page."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite

# The same invented account as the product's setting `carrier = simulated`. Whoever runs both names another token to
# both (CONVOCA_SIMULATED_TOKEN), because it signs webhooks.
ACCOUNT_SID = "AC" + "5" * 32
AUTH_TOKEN = "simulated-auth-token"  # noqa: S105 - public on purpose
# Twilio's test credentials: nobody is called (https://www.twilio.com/docs/iam/test-credentials).
TEST_SID, TEST_TOKEN = "AC" + "7" * 32, "simulated-test-token"
NUMBERS = ("+525512340000", "+525512340001")
STATUSES_TOLD = ("queued", "sent", "delivered", "undelivered", "failed", "read")
# Those settings that are words, each with what may be said.
WORDS = {"credentials": ("good", "revoked", "suspended"), "opt_outs": ("advanced", "default", "off")}
VOICE_EVENTS = ("initiated", "ringing", "answered", "completed", "amd", "recording", "conference")
# Those settings that are several words; None: any two letters of a country.
LISTS: dict[str, tuple[str, ...] | None] = {"told": STATUSES_TOLD, "lost_events": VOICE_EVENTS, "countries_off": None}


@dataclass
class Options:
    """Shares are between 0 and 1. `speed` 2 makes people ring, talk and lose patience twice as fast."""

    seed: int = 1
    speed: float = 1.0
    # Calls. What is over `calls_per_second` waits in a queue of so many seconds; 0 is no limit, here and below.
    calls_per_second: float = 30.0
    call_queue_seconds: float = 86_400.0  # a longer queue is refused: 429 / 20429
    concurrent_calls: float = 0.0  # more at once are refused: 429 / 10004
    balance: float = 100.0  # USD; at 0 or below calls are refused: 401 / 20005
    countries_off: str = ""  # ISO codes without dialling permission, such as "MX": 21215
    price_per_minute: float = 0.0405  # USD a begun minute to Mexico
    price_seconds: float = 5.0  # from the end of a call until its price is known
    amd_unknown_share: float = 0.02  # machine detection finds out nothing
    amd_wrong_share: float = 0.0  # takes people for machines, and machines for people
    recording_seconds: float = 2.0  # from the end of a recording until it can be fetched
    recording_lost_share: float = 0.0  # never gets ready, and nothing tells of it
    recording_absent_share: float = 0.0
    recording_failed_share: float = 0.0
    refetched_share: float = 0.0  # TwiML that is asked for twice, the first answer being lost on its way
    lost_events: str = ""  # callbacks of calls that never come, such as "completed amd"
    # Requests that are refused: nothing was accepted.
    credentials: str = "good"  # revoked: 401 / 20003; suspended: 401 / 20005
    requests_per_second: float = 0.0  # more are answered 429 / 20429; 0 is no limit
    refused_share: float = 0.0  # 429 / 20429
    failed_share: float = 0.0  # 500
    unavailable_share: float = 0.0  # 503
    # Requests that are accepted, and whose answer does not say so.
    answer_seconds: float = 0.0  # how long each answer takes
    unknown_share: float = 0.0  # answered 500
    hang_share: float = 0.0  # not answered for `hang_seconds`, then cut
    hang_seconds: float = 60.0
    cut_share: float = 0.0  # the connection is closed instead
    early_share: float = 0.0  # answered only after the receipts were told
    # Callbacks.
    told: str = " ".join(STATUSES_TOLD)  # which statuses of a message
    lost_share: float = 0.0
    late_share: float = 0.0  # up to `late_seconds` late, hence out of order
    late_seconds: float = 3.0
    double_share: float = 0.0
    reordered_share: float = 0.0  # `delivered` before `sent`
    gap_seconds: float = 0.0  # from `sent` to `delivered`; 0: 0.3 to 2, as it comes
    callback_connections: float = 48.0
    # Senders: each carries so many parts a second, and keeps a queue of so many seconds.
    parts_per_second: float = 50.0  # 0 is no limit
    queue_seconds: float = 36_000.0
    # Opt-outs: `advanced` also understands Spanish, `default` is Twilio's English words, `off` leaves all to us.
    opt_outs: str = "advanced"
    late_opt_out_share: float = 0.0  # 21610 told by callback instead of in the answer
    citizens_reply: float = 1.0  # 0: nobody writes back
    # WhatsApp.
    window_seconds: float = 86_400.0
    people_a_day: float = 100_000.0  # written to with a template by one sender
    bsuid_share: float = 0.0  # people whose phone we are not told
    plus_521_share: float = 1.0  # people who come as +521
    # Telegram and mail.
    telegram_per_second: float = 30.0
    telegram_per_chat: float = 1.0
    mail_refused_share: float = 0.0
    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN

    def change(self, values: Mapping[str, object]) -> None:
        """Set options by name; raises ValueError that names an unknown one and the known ones, or a bad value."""
        known = [field.name for field in fields(self) if field.name not in ("account_sid", "auth_token", "seed")]
        changed: dict[str, float | str] = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; the settings are {', '.join(known)}")
            changed[name] = _words(name, value) if isinstance(getattr(self, name), str) else _number(name, value)
        for name, checked in changed.items():
            setattr(self, name, checked)

    def change_by_words(self, assignments: list[str]) -> None:
        """`NAME=VALUE` of the command line; raises ValueError."""
        for assignment in assignments:
            name, _, value = assignment.partition("=")
            is_word = isinstance(getattr(self, name, None), str)
            try:
                self.change({name: value if is_word else float(value)})
            except ValueError as error:
                raise ValueError(f"{assignment}: {error}") from None


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number, not {value!r}")
    is_known = isfinite(value) and (value >= 0 or name == "balance")
    if not is_known or (name.endswith("_share") and value > 1) or (name == "speed" and value == 0):
        raise ValueError(f"{name} cannot be {value!r}")
    return float(value)


def _words(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {value!r}")
    allowed = LISTS[name] if name in LISTS else WORDS[name]
    said = value.split() if name in LISTS else [value]
    if allowed is None:
        if not all(len(word) == 2 and word.isalpha() for word in said):
            raise ValueError(f"{name} cannot be {value!r}; it may be countries, such as MX US")
    elif any(word not in allowed for word in said):
        raise ValueError(f"{name} cannot be {value!r}; it may be {', '.join(allowed)}")
    return value
