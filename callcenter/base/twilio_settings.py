"""The settings of Twilio: which account speaks, from where, and how much it may do at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PREFIX = "CONVOCA_TWILIO_"
# Twilio lets an account begin one call a second until it is asked for more, and queues the rest for a day:
# https://support.twilio.com/hc/en-us/articles/223180028
CALLS_PER_SECOND, CONCURRENT_CALLS = 1, 250


@dataclass(frozen=True)
class Twilio:
    """Where Twilio's REST interface is spoken to, and as whom. `base_url` is None for Twilio itself.

    `account_sid` may be a subaccount's, with its own `auth_token`, which also signs webhooks. `api_key` and
    `api_secret` ask instead of the token where they are given. `region` and `edge`: where requests are worked on.
    `calls_per_second` may begin, `concurrent_calls` go on at once, operators' own legs included. The test account is
    the one whose calls ring nobody (https://www.twilio.com/docs/iam/test-credentials)."""

    account_sid: str
    auth_token: str = field(repr=False)
    base_url: str | None = None
    voice_number: str = ""
    sms_sender: str = ""
    whatsapp_sender: str = ""
    api_key: str = ""
    api_secret: str = field(default="", repr=False)
    region: str = ""
    edge: str = ""
    calls_per_second: int = CALLS_PER_SECOND
    concurrent_calls: int = CONCURRENT_CALLS
    test_account_sid: str = ""
    test_auth_token: str = field(default="", repr=False)
    old_auth_token: str = field(default="", repr=False)  # during a rotation: signs webhooks until the new one does


def simulated(env: Mapping[str, str]) -> Twilio:
    """The simulated carrier's account, which is invented. Its token signs webhooks, which write into the same database
    as everything else: the supervisor makes one at each start, so that nobody on the network knows it."""
    return Twilio(
        "AC" + "5" * 32, env.get("CONVOCA_SIMULATED_TOKEN") or "simulated-auth-token",
        env.get("CONVOCA_SIMULATED_URL"), "+525512340000", "+525512340001", "+525512340001",
        calls_per_second=30, test_account_sid="AC" + "7" * 32,
        test_auth_token="simulated-test-token",  # noqa: S106  # as public as the account
    )  # fmt: skip


def read(env: Mapping[str, str], *, is_used: bool, secret: Callable[[str], str], faults: list[str]) -> Twilio:
    """Read and check the environment; a sentence for each fault goes into `faults`. `is_used`: calls are to go through
    this account. `secret(name)` reads a secret from the environment or the file that NAME_FILE names."""

    def said(name: str) -> str:
        return env.get(PREFIX + name, "")

    found = Twilio(
        said("ACCOUNT_SID"), secret("TWILIO_AUTH_TOKEN"), env.get(PREFIX + "URL"),
        said("VOICE_NUMBER"), said("SMS_SENDER"), said("WHATSAPP_SENDER"),
        api_key=said("API_KEY"), api_secret=secret("TWILIO_API_SECRET"), region=said("REGION"), edge=said("EDGE"),
        calls_per_second=_count(env, "CALLS_PER_SECOND", CALLS_PER_SECOND, 100, faults),
        concurrent_calls=_count(env, "CONCURRENT_CALLS", CONCURRENT_CALLS, 10_000, faults),
        test_account_sid=said("TEST_ACCOUNT_SID"), test_auth_token=secret("TWILIO_TEST_AUTH_TOKEN"),
        old_auth_token=secret("TWILIO_AUTH_TOKEN_OLD"),
    )  # fmt: skip
    faults += _faults(found, is_used=is_used)
    return found


def _faults(found: Twilio, *, is_used: bool) -> list[str]:
    faults = []
    if is_used and not (found.account_sid.startswith("AC") and len(found.account_sid) == 34):
        faults.append(f"{PREFIX}ACCOUNT_SID must be the 34 characters that begin with AC in Twilio's console.")
    if is_used and not found.auth_token:
        faults.append(f"{PREFIX}AUTH_TOKEN is not set; it stands beside the account SID in Twilio's console.")
    if bool(found.api_key) != bool(found.api_secret):
        faults.append(f"{PREFIX}API_KEY and {PREFIX}API_SECRET belong together: set both, or neither.")
    if found.api_key and not found.api_key.startswith("SK"):
        faults.append(f"{PREFIX}API_KEY must begin with SK; it stands under API keys in Twilio's console.")
    # https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
    if found.region and not found.edge:
        faults.append(f"{PREFIX}EDGE is not set; a {PREFIX}REGION needs one, such as dublin for ie1.")
    return faults


def _count(env: Mapping[str, str], name: str, default: int, most: int, faults: list[str]) -> int:
    value = env.get(PREFIX + name) or str(default)
    if value.isascii() and value.isdigit() and 1 <= int(value) <= most:
        return int(value)
    faults.append(f"{PREFIX}{name} is {value!r}; it must be a number from 1 to {most}.")
    return default
