"""Telegram's Bot API: who started the bot is written to, and nobody else."""

from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.telegram import TOKEN
from tests.scripts.simulated_carrier.line import Line, running
from tests.scripts.simulated_carrier.test_texts import MOBILE, PHONES


def ask(line: Line, method: str, token: str = TOKEN, **arguments: Any) -> Any:
    return requests.post(f"{line.url}/bot{token}/{method}", json=arguments, timeout=5).json()


def start(line: Line, **order: Any) -> int:
    return int(line.post("/control/telegram", {"phone": MOBILE, "does": "start", **order})["chat_id"])


def do(line: Line, **order: Any) -> None:
    line.post("/control/telegram", {"phone": MOBILE, **order})


def refused(answer: Any) -> tuple[int, str]:
    assert answer["ok"] is False
    return answer["error_code"], answer["description"]


@pytest.fixture
def bot(line: Line) -> Line:
    line.settings(telegram_per_chat=0)
    assert ask(line, "setWebhook", url=line.product.url + "/telegram", secret_token="s3cret") == {
        "ok": True,
        "result": True,
    }
    return line


def updates(line: Line) -> list[Any]:
    return [update for _, update in line.product.updates]


def test_the_bot_is_known_by_its_token_alone(line: Line) -> None:
    assert ask(line, "getMe")["result"]["username"] == "convoca_bot"
    assert refused(ask(line, "getMe", token="777000:wrong")) == (401, "Unauthorized")
    assert refused(ask(line, "sing"))[0] == 404
    line.settings(credentials="revoked")
    assert refused(ask(line, "getMe"))[0] == 401


def test_a_person_who_starts_the_bot_is_told_with_the_secret_and_can_be_written_to(bot: Line) -> None:
    chat = start(bot, payload="abc123")
    bot.until(lambda: bot.product.updates, "the start is told")
    (secret, update), *_ = bot.product.updates
    assert secret == "s3cret"
    assert (update["message"]["text"], update["message"]["chat"]["id"]) == ("/start abc123", chat)
    sent = ask(bot, "sendMessage", chat_id=chat, text="Hola")
    assert (sent["ok"], sent["result"]["text"], sent["result"]["chat"]["id"]) == (True, "Hola", chat)
    (known,) = bot.get("/control/telegram")
    assert (known["phone"], known["count"], known["received"][0]["text"]) == (MOBILE, 1, "Hola")


def test_nobody_is_written_to_who_did_not_start_the_bot_or_has_blocked_it(bot: Line) -> None:
    assert refused(ask(bot, "sendMessage", chat_id=1, text="Hola")) == (400, "Bad Request: chat not found")
    chat = start(bot)
    do(bot, does="block")
    assert refused(ask(bot, "sendMessage", chat_id=chat, text="Hola"))[0] == 403
    bot.until(lambda: any("my_chat_member" in update for update in updates(bot)), "the block is told")
    do(bot, does="unblock")
    assert ask(bot, "sendMessage", chat_id=chat, text="Hola")["ok"]


def test_a_shared_phone_and_words_reach_the_bot_in_order(bot: Line) -> None:
    chat = start(bot)
    do(bot, does="share_phone")
    do(bot, does="write", text="BAJA")
    bot.until(lambda: len(bot.product.updates) == 3, "three updates")
    assert [update["update_id"] for update in updates(bot)] == sorted(update["update_id"] for update in updates(bot))
    contact = updates(bot)[1]["message"]["contact"]
    assert (contact["phone_number"], contact["user_id"]) == (MOBILE.removeprefix("+"), chat)
    assert updates(bot)[2]["message"]["text"] == "BAJA"


def test_an_update_is_told_again_until_it_is_taken(bot: Line) -> None:
    ask(bot, "setWebhook", url="http://127.0.0.1:9/nobody")
    start(bot)
    bot.until(lambda: "last_error_message" in ask(bot, "getWebhookInfo")["result"], "it fails")
    ask(bot, "setWebhook", url=bot.product.url + "/telegram")
    bot.until(lambda: bot.product.updates, "it is told after all")


def test_a_bot_in_a_hurry_is_stopped_as_a_whole(bot: Line) -> None:
    chat = start(bot)
    bot.settings(telegram_per_second=5)
    answers = [ask(bot, "sendMessage", chat_id=chat, text=str(number)) for number in range(12)]
    stopped = [answer for answer in answers if not answer["ok"]]
    assert stopped[0]["error_code"] == 429
    assert 1 <= stopped[0]["parameters"]["retry_after"] <= 3
    assert refused(ask(bot, "sendMessage", chat_id=chat, text="otra vez"))[0] == 429


def test_one_person_gets_one_message_a_second(bot: Line) -> None:
    chat = start(bot)
    bot.settings(telegram_per_chat=1)
    assert ask(bot, "sendMessage", chat_id=chat, text="uno")["ok"]
    assert refused(ask(bot, "sendMessage", chat_id=chat, text="dos"))[0] == 429


def test_pictures_and_films_are_fetched_or_sent_along(bot: Line) -> None:
    chat = start(bot)
    bot.product.files = {"/a.png": (b"png", "image/png"), "/a.mp4": (b"mp4", "video/mp4")}
    photo = ask(bot, "sendPhoto", chat_id=chat, photo=bot.product.url + "/a.png", caption="Mire")
    assert photo["result"]["caption"] == "Mire"
    assert ask(bot, "sendVideo", chat_id=chat, video=bot.product.url + "/a.mp4")["ok"]
    assert refused(ask(bot, "sendPhoto", chat_id=chat, photo=bot.product.url + "/a.mp4"))[0] == 400
    assert refused(ask(bot, "sendPhoto", chat_id=chat))[0] == 400
    along = requests.post(
        f"{bot.url}/bot{TOKEN}/sendPhoto", data={"chat_id": chat}, files={"photo": ("a.png", b"png")}, timeout=5
    )
    assert along.json()["ok"]


def test_some_people_answer(bot: Line) -> None:
    bot.settings(telegram_per_second=0)
    text = "¿Podemos contar con usted?"
    phone = next(p for p in PHONES if citizen(p, 1).replies(text))
    chat = bot.post("/control/telegram", {"phone": phone, "does": "start"})["chat_id"]
    assert ask(bot, "sendMessage", chat_id=chat, text=text)["ok"]
    bot.until(
        lambda: updates(bot) and updates(bot)[-1]["message"]["text"] == citizen(phone, 1).replies(text), "the answer"
    )


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("sendMessage", {"text": ""}),
        ("sendMessage", {"text": "x" * 4097}),
        ("sendMessage", {"text": "Hola", "chat_id": "nobody"}),
        ("setWebhook", {"url": "http://example.test/"}),
    ],
)
def test_what_telegram_refuses_is_refused(bot: Line, method: str, arguments: dict[str, Any]) -> None:
    assert refused(ask(bot, method, **{"chat_id": start(bot), **arguments}))[0] == 400


def test_a_restarted_carrier_remembers_the_webhook_and_who_started_the_bot(journal_path: Path) -> None:
    with running(journal_path) as first:
        ask(first, "setWebhook", url=first.product.url + "/telegram", secret_token="s3cret")
        chat = start(first)
        first.until(lambda: first.product.updates, "the start is told")
    with running(journal_path) as second:
        assert ask(second, "sendMessage", chat_id=chat, text="Hola")["ok"]
        assert ask(second, "getWebhookInfo")["result"]["url"].endswith("/telegram")
        assert ask(second, "deleteWebhook")["ok"]
        assert ask(second, "getWebhookInfo")["result"]["url"] == ""
