"""Commands about Twilio: `flask twilio try-call`."""

import sys
from dataclasses import replace
from uuid import uuid4

import click
from flask.cli import with_appcontext

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings, web_settings
from callcenter.carriers import Dial
from callcenter.carriers.twilio import errors
from callcenter.ledger.call_states import RING_SECONDS

# https://www.twilio.com/docs/iam/test-credentials#test-incoming-phone-numbers: what test credentials may show and call.
SHOWN, CALLED = "+15005550006", "+525500000000"


@click.group("twilio")
def twilio_group() -> None:
    """Twilio: try what we ask of it."""


@twilio_group.command("try-call")
@with_appcontext
def try_call() -> None:
    """Send the request of a campaign's call with Twilio's test credentials: Twilio checks all of it, and rings nobody.

    Exit status 1 when Twilio refuses it, 2 without test credentials."""
    settings = web_settings()
    if not (settings.twilio.test_account_sid and settings.twilio.test_auth_token):
        names = "CONVOCA_TWILIO_TEST_ACCOUNT_SID and CONVOCA_TWILIO_TEST_AUTH_TOKEN"
        click.echo(f"There are no test credentials: set {names} (Twilio's console, Auth Tokens).", err=True)
        sys.exit(2)
    try:
        ref = place(settings)
    except ProviderError as error:
        click.echo(f"{error} {errors.sentence(error.code)}", err=True)
        sys.exit(1)
    click.echo(f"Twilio takes the request of a call as we send it ({ref}). Nobody was rung.")


def place(settings: Settings) -> str:
    """The reference of a call that rings nobody. Raises ProviderError."""
    from callcenter.carriers.twilio.carrier import TwilioCarrier  # a heavy import, only where calls are made

    account = replace(
        settings.twilio, account_sid=settings.twilio.test_account_sid, auth_token=settings.twilio.test_auth_token,
        api_key="", api_secret="", region="", edge="",
    )  # fmt: skip
    carrier = TwilioCarrier(account, public_url=settings.public_url, simulated=settings.is_drill)
    return carrier.place(Dial(uuid4(), CALLED, SHOWN, RING_SECONDS, machine_detection="on", leaves_message=True))


commands = [twilio_group]
