"""Tokens with which a page registers at Twilio as one name, and may only be rung there.

https://www.twilio.com/docs/iam/access-tokens#step-3-generate-token
"""

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio

SECONDS = 3600  # the page asks for a new one at half of it, between calls


def mint(account: Twilio, identity: str) -> str:
    """A token for `identity`, good for SECONDS. Raises ProviderError without an API key: the auth token signs none."""
    if not account.api_key or not account.api_secret:
        raise ProviderError("Tokens are signed by an API key, and none is set.", code="no_api_key", permanent=True)
    token = AccessToken(
        account.account_sid, account.api_key, account.api_secret, identity=identity, ttl=SECONDS,
        region=account.region or None, grants=[VoiceGrant(incoming_allow=True)],
    )  # fmt: skip
    return str(token.to_jwt())


def origins(account: Twilio) -> list[str]:
    """What Twilio's library in a page speaks to: its measurements, and signalling.

    https://www.twilio.com/docs/voice/sdks/javascript/best-practices"""
    region = f".{account.region}" if account.region else ""
    return [f"https://eventgw{region}.twilio.com", f"wss://voice-js.{account.edge or 'roaming'}.twilio.com"]
