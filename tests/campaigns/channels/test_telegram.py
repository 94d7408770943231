"""Telegram: what a request holds, what the Bot API answers, and what an update tells."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput, ProviderError
from callcenter.base.settings import Settings
from campaigns.channels import Channel, Enclosure, Media
from campaigns.channels import telegram as module
from campaigns.channels.telegram_bot import read_start, start_url
from campaigns.channels.telegram_words import Update, read_answer, read_update
from tests.campaigns.channels.contract import ASKS_TO_WAIT, TAKES, Provider, letter
from tests.campaigns.channels.test_contract import on_stage

VIDEO = Media("video", "video/mp4", "https://convoca.test/m/abc.mp4", 1000)
ANA = {"id": 5512345, "first_name": "Ana", "last_name": "Lara"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["update_id", "message", "callback_query", "my_chat_member", "chat", "from", "id", "text",
                         "contact", "photo", "new_chat_member", "status", "type", "data"])  # fmt: skip
updates = st.recursive(json_values, lambda inner: st.dictionaries(NAMES, inner, max_size=5), max_leaves=20)


def to_ana(**values: Any) -> Any:
    return letter(address="5512345", sender="@convoca_bot", **values)


def sent(settings: Settings, message: Any) -> list[dict[str, Any]]:
    provider = Provider()
    on_stage("telegram", provider, settings, lambda channel: channel.send(message))
    return provider.got


def test_a_video_takes_a_short_text_as_its_caption(settings: Settings) -> None:
    [got] = sent(settings, to_ana(enclosed=Enclosure(media=VIDEO)))
    assert (got["method"], got["video"], got["caption"]) == ("sendVideo", VIDEO.url, "Hola Lupita, ¿cómo está?")


def test_a_text_too_long_for_a_caption_follows_its_video(settings: Settings) -> None:
    got = sent(settings, to_ana(enclosed=Enclosure(media=VIDEO), body="a" * 1025))
    assert [one["method"] for one in got] == ["sendVideo", "sendMessage"]


def test_while_telegram_asks_the_bot_to_rest_nobody_else_is_tried(settings: Settings) -> None:
    provider = Provider(ASKS_TO_WAIT)

    async def send_two(channel: Channel) -> list[float | None]:
        waits = []
        for _ in range(2):
            with pytest.raises(ProviderError) as error:
                await channel.send(to_ana())
            waits.append(error.value.wait_seconds)
            provider.does = TAKES
        return waits

    first, second = on_stage("telegram", provider, settings, send_two)
    assert provider.asked == 1
    assert first == 7
    assert 0 < second <= 7


def test_an_installation_without_a_bot_says_so(settings: Settings) -> None:
    from dataclasses import replace

    channel = module.Telegram(replace(settings, telegram=replace(settings.telegram, token="")))

    async def send(_: Channel) -> str:
        async with channel:
            with pytest.raises(ProviderError) as error:
                await channel.send(to_ana())
        return error.value.code

    assert on_stage("telegram", Provider(), settings, send) == "not_set_up"


@pytest.mark.parametrize("said", [None, [], {}, "ok", {"result": 1}])
def test_an_answer_that_is_not_telegrams_leaves_the_message_unknown(said: Any) -> None:
    with pytest.raises(ProviderError) as error:
        read_answer(200, said)
    assert error.value.unknown


def message(**values: Any) -> Update:
    return read_update({"update_id": 7, "message": {"chat": {"id": 5512345, "type": "private"}, "from": ANA, **values}})


def test_a_text_becomes_a_reply_from_the_chat() -> None:
    reply = message(text="Hola\0").reply
    assert reply is not None
    assert (reply.provider_ref, reply.channel, reply.address) == ("telegram-7", "telegram", "5512345")
    assert (reply.phone, reply.text, reply.name) == (None, "Hola", "Ana Lara")


@pytest.mark.parametrize(("text", "start"), [("/start", ""), ("/start abc", "abc"), ("/start@convoca_bot x", "x")])
def test_who_starts_the_bot_brings_what_stood_in_their_link(text: str, start: str) -> None:
    found = message(text=text)
    assert found.start == start
    assert found.reply is not None
    assert found.reply.text == ""


@pytest.mark.parametrize("text", ["/stop", "/baja", "/stop@convoca_bot"])
def test_the_commands_that_end_messages_mean_baja(text: str) -> None:
    reply = message(text=text).reply
    assert reply is not None
    assert reply.text == "BAJA"


def test_a_shared_phone_counts_only_when_it_is_their_own() -> None:
    own = message(contact={"phone_number": "5219221110001", "user_id": 5512345})
    other = message(contact={"phone_number": "529221110002", "user_id": 99})
    assert own.reply is not None
    assert (own.is_shared, own.reply.phone) == (True, "+529221110001")
    assert other.reply is not None
    assert (other.is_shared, other.reply.phone) == (False, None)


def test_a_pressed_button_is_a_reply() -> None:
    reply = read_update({"update_id": 8, "callback_query": {"id": "1", "from": ANA, "data": "yes"}}).reply
    assert reply is not None
    assert (reply.text, reply.button, reply.address) == ("yes", "yes", "5512345")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("kicked", Update(left="5512345")), ("member", Update(returned="5512345")), ("x", Update())],
)
def test_whoever_blocks_the_bot_is_told_of(status: str, expected: Update) -> None:
    change = {"chat": {"id": 5512345, "type": "private"}, "new_chat_member": {"status": status}}
    assert read_update({"update_id": 9, "my_chat_member": change}) == expected


def test_what_is_said_in_a_group_is_nothing_to_us() -> None:
    said = {"update_id": 1, "message": {"chat": {"id": -100, "type": "group"}, "from": ANA, "text": "BAJA"}}
    assert read_update(said) == Update()


@given(updates)
def test_whatever_comes_is_an_update_or_refused(said: Any) -> None:
    if not isinstance(said, dict):
        return
    try:
        assert isinstance(read_update(said), Update)
    except InvalidInput:
        assert not isinstance(said.get("update_id"), int)


@pytest.mark.parametrize("contact_id", [1, 17, 2**40])
def test_a_link_to_the_bot_names_one_person_and_cannot_be_forged(settings: Settings, contact_id: int) -> None:
    address, _, brought = start_url("@convoca_bot", contact_id, settings).partition("?start=")
    assert address == "https://t.me/convoca_bot"
    assert len(brought) <= 64  # what Telegram passes on
    assert read_start(brought, settings) == contact_id
    forged = ("B" if brought[0] != "B" else "C") + brought[1:]
    assert read_start(forged, settings) is None
    assert [read_start(odd, settings) for odd in ("", "é", "a" * 63, brought[:-1])] == [None] * 4
