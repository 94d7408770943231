"""The contract of channels, over every one of them: whatever the provider does, nobody is written to twice, and who
surely got nothing is said to be so."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from callcenter.base.errors import InvalidInput, ProviderError
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.channels import BY_ADDRESS, BY_EITHER, BY_PHONE, Channel
from campaigns.dispatch import message_states as states
from tests.campaigns.channels.contract import ASKS_TO_WAIT, FAILS, HANGS, REFUSES, STAGES, Provider

# twilio 9.13 builds aiohttp's BasicAuth itself; nothing of ours can change that.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]
every_channel = pytest.mark.parametrize("name", channels.NAMES)
Work = Callable[[Channel], Coroutine[Any, Any, Any]]


def on_stage(name: str, provider: Provider, settings: Settings, work: Work) -> Any:
    """What `work` makes of the channel in front of that provider."""

    async def play() -> Any:
        async with STAGES[name].open(provider, settings) as here:
            channels.configure(here)
            try:
                async with channels.channel(name) as channel:
                    return await work(channel)
            finally:
                channels.configure(settings)

    return asyncio.run(play())


def refused(name: str, provider: Provider, settings: Settings) -> ProviderError:
    """How the channel names what the provider did to one message."""

    async def send(channel: Channel) -> ProviderError:
        with pytest.raises(ProviderError) as error:
            await channel.send(STAGES[name].letter())
        return error.value

    found: ProviderError = on_stage(name, provider, settings, send)
    return found


def test_every_channel_has_a_stage_here() -> None:
    assert set(STAGES) == set(channels.NAMES)


@every_channel
def test_what_a_channel_can_do_fits_together(name: str) -> None:
    facts = channels.facts(name)
    assert facts.name == name
    assert str(facts.label)
    assert facts.reached_by in (BY_PHONE, BY_ADDRESS, BY_EITHER)
    assert facts.most_characters >= 160
    assert facts.has_templates == (facts.window is not None), "outside its window a channel has only templates"
    assert all(most > 0 for most in facts.media.values())


def test_asking_what_channels_can_do_imports_no_providers_client() -> None:
    code = (
        "import sys; from campaigns import channels; [channels.facts(one) for one in channels.NAMES];"
        "print([one for one in ('twilio', 'aiohttp', 'aiosmtpd') if one in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_an_unknown_channel_is_named_beside_the_known_ones() -> None:
    with pytest.raises(KeyError, match="pigeon is not a channel; the channels are sms"):
        channels.facts("pigeon")


@every_channel
def test_a_message_that_is_taken_left_once_to_the_right_person(name: str, settings: Settings) -> None:
    provider, letter = Provider(), STAGES[name].letter()
    receipt = on_stage(name, provider, settings, lambda channel: channel.send(letter))
    assert receipt.state in (states.ACCEPTED, states.SENT, states.DELIVERED)
    assert receipt.provider_ref
    [got] = provider.got
    assert (letter.address or letter.phone) in got["to"]
    assert "Lupita" in got["text"]


@every_channel
def test_many_at_once_leave_once_each(name: str, settings: Settings) -> None:
    provider, letters = Provider(), [STAGES[name].letter() for _ in range(12)]

    async def send(channel: Channel) -> Any:
        return await asyncio.gather(*(channel.send(letter) for letter in letters))

    receipts = on_stage(name, provider, settings, send)
    assert len(provider.got) == len(letters)
    assert len({receipt.provider_ref for receipt in receipts}) == len(letters)


@every_channel
def test_a_refusal_is_final(name: str, settings: Settings) -> None:
    error = refused(name, Provider(REFUSES), settings)
    assert (error.permanent, error.unknown) == (True, False)
    assert error.code


@every_channel
def test_who_is_asked_to_wait_may_try_again(name: str, settings: Settings) -> None:
    provider = Provider(ASKS_TO_WAIT)
    error = refused(name, provider, settings)
    assert (error.permanent, error.unknown) == (False, False)
    assert provider.got == []


@every_channel
def test_a_failure_after_it_may_have_left_is_unknown_and_never_repeated(name: str, settings: Settings) -> None:
    provider = Provider(FAILS)
    error = refused(name, provider, settings)
    assert (error.permanent, error.unknown) == (False, True)
    assert provider.asked == 1


@every_channel
def test_silence_is_unknown_and_never_repeated(name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STAGES[name].deadline, 0.5)
    provider = Provider(HANGS)
    error = refused(name, provider, settings)
    assert (error.permanent, error.unknown) == (False, True)
    assert provider.asked == 1


@every_channel
def test_without_a_connection_nothing_left(name: str, settings: Settings) -> None:
    async def send() -> ProviderError:
        channels.configure(STAGES[name].nowhere(settings))
        try:
            async with channels.channel(name) as channel:
                with pytest.raises(ProviderError) as error:
                    await channel.send(STAGES[name].letter())
                return error.value
        finally:
            channels.configure(settings)

    error = asyncio.run(send())
    assert (error.code, error.permanent, error.unknown) == ("no_connection", False, False)


@every_channel
def test_a_provider_is_asked_about_a_message_only_where_it_can_be(name: str, settings: Settings) -> None:
    async def look_up(channel: Channel) -> Any:
        if channels.facts(name).can_look_up:
            return list(await channel.look_up(STAGES[name].letter()))
        with pytest.raises(ProviderError) as error:
            await channel.look_up(STAGES[name].letter())
        return error.value.code

    expected: Any = [] if channels.facts(name).can_look_up else "no_list"
    assert on_stage(name, Provider(), settings, look_up) == expected


@every_channel
def test_receipts_are_read_where_a_provider_sends_them(name: str, settings: Settings) -> None:
    async def read(channel: Channel) -> Any:
        try:
            return channel.read_receipt({"MessageSid": "SM1", "MessageStatus": "delivered"}).state
        except InvalidInput:
            return None

    assert (on_stage(name, Provider(), settings, read) is not None) == channels.facts(name).has_receipts


@every_channel
def test_the_log_holds_neither_phone_nor_address_nor_text(
    name: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    letter = STAGES[name].letter()

    async def send_and_ask(channel: Channel) -> None:
        await channel.send(letter)
        if channels.facts(name).can_look_up:
            await channel.look_up(letter)

    with caplog.at_level(logging.DEBUG):
        on_stage(name, Provider(), settings, send_and_ask)
    # The test's own server writes its access log in this process, too.
    ours = [one.getMessage() for one in caplog.records if one.name not in ("aiohttp.access", "aiohttp.server")]
    assert not [
        said for said in ours for told in ("9221110001", letter.address or "9221110001", "Lupita") if told in said
    ]


@pytest.mark.parametrize("name", [one for one in channels.NAMES if channels.facts(one).reached_by != BY_PHONE])
def test_who_has_no_address_is_refused_before_anybody_is_asked(name: str, settings: Settings) -> None:
    provider = Provider()

    async def send(channel: Channel) -> str:
        letter = replace(STAGES[name].letter(), address=None, phone="")
        with pytest.raises(ProviderError) as error:
            await channel.send(letter)
        return error.value.code

    assert on_stage(name, provider, settings, send) == "no_address"
    assert provider.asked == 0
