"""A Telegram of our own: the Bot API's words (https://core.telegram.org/bots/api), and people who start the bot.

Nobody can be written to who did not start the bot. Each update is posted to the webhook until it is answered with 2xx,
in order, as Telegram does."""

import asyncio
import hashlib
import logging
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.journal import Journal
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.rates import Allowance

log = logging.getLogger(__name__)
TOKEN = "777000:simulated"  # noqa: S105 - public on purpose
BOT = {
    "id": 777000, "is_bot": True, "first_name": "Convoca", "username": "convoca_bot", "can_join_groups": False,
    "can_read_all_group_messages": False, "supports_inline_queries": False,
}  # fmt: skip
REPLY_AFTER = (2.0, 15.0)
RETRY_AFTER = 3  # seconds for which the whole bot is stopped after it wrote too fast
PAUSES = (0.5, 1, 2, 5, 10, 30)  # seconds between tries of an update


class Refusal(Exception):
    """Telegram's error: its code, its sentence, and what stands in `parameters`."""

    def __init__(self, code: int, sentence: str, **parameters: int) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.parameters = code, sentence, parameters


@dataclass
class Chat:
    """One person. `received` holds their last messages, `count` all of them."""

    id: int
    phone: str
    is_started: bool = False
    has_blocked: bool = False
    written_at: float = 0.0
    count: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)

    def person(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": False, "first_name": "Vecina", "language_code": "es"}

    def show(self) -> dict[str, Any]:
        return {"id": self.id, "first_name": "Vecina", "type": "private"}


class Telegram:
    def __init__(self, options: Options, journal: Journal, past: list[dict[str, Any]]) -> None:
        self._options, self._journal = options, journal
        self.chats: dict[int, Chat] = {}
        self.webhook: dict[str, Any] = {"url": "", "secret": ""}
        self.last_error: str | None = None
        self._allowance = Allowance(lambda: options.telegram_per_second)
        self._stopped_until = 0.0
        self._dice = random.Random(options.seed)
        self._messages = self._updates = int(time.time() * 1000) % 10**9  # never lower than in an earlier life
        self._pending: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._poster: asyncio.Task[None] | None = None
        self._session: ClientSession | None = None
        for entry in past:
            self._remember(entry)

    # What the bot asks

    def check(self, token: str) -> None:
        if token != TOKEN or self._options.credentials != "good":
            raise Refusal(401, "Unauthorized")

    def set_webhook(self, url: str, secret: str) -> None:
        if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self._note({"event": "webhook", "url": url, "secret": secret})

    def webhook_info(self) -> dict[str, Any]:
        info = {
            "url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": self._pending.qsize(),
        }  # fmt: skip
        return info | ({"last_error_message": self.last_error} if self.last_error else {})

    def send(self, chat_id: int, what: Mapping[str, Any], text: str) -> dict[str, Any]:
        """Bring a message to a chat: `what` says what it is made of. Raises Refusal."""
        self._keep_to_the_limits(chat_id)
        chat = self.chats.get(chat_id)
        if chat is None or not chat.is_started:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.has_blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        chat.count += 1
        self._messages += 1
        sent = {
            "message_id": self._messages,
            "from": {name: BOT[name] for name in ("id", "is_bot", "first_name", "username")},
            "chat": chat.show(), "date": int(time.time()), **what,
        }  # fmt: skip
        chat.received = [*chat.received[-19:], {"text": text, **what}]
        self._journal.write("message", sid=f"TG{self._messages}", to=f"telegram:{chat_id}", id=None)
        self._let_answer(chat, text)
        return sent

    def _let_answer(self, chat: Chat, text: str) -> None:
        reply = citizen(chat.phone, self._options.seed).replies(text) if self._options.citizens_reply else None
        if reply is not None:
            seconds = self._dice.uniform(*REPLY_AFTER) / self._options.speed
            asyncio.get_running_loop().call_later(seconds, self.write, chat.phone, reply)

    def _keep_to_the_limits(self, chat_id: int) -> None:
        """https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""
        now, chat = time.monotonic(), self.chats.get(chat_id)
        per_chat = self._options.telegram_per_chat
        is_hasty = chat is not None and per_chat > 0 and now - chat.written_at < 1 / per_chat
        if now >= self._stopped_until and (is_hasty or not self._allowance.take()):
            self._stopped_until = now + RETRY_AFTER
        if now < self._stopped_until:
            seconds = max(int(self._stopped_until - now + 0.999), 1)
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        if chat is not None:
            chat.written_at = now

    # What people do

    def chat_of(self, phone: str) -> Chat:
        digest = hashlib.blake2b(f"{self._options.seed}/{phone}/telegram".encode(), digest_size=4).digest()
        number = 10**9 + int.from_bytes(digest)
        return self.chats.setdefault(number, Chat(number, phone))

    def start(self, phone: str, payload: str = "") -> Chat:
        return self.write(phone, f"/start {payload}".strip())

    def write(self, phone: str, text: str) -> Chat:
        return self._say(phone, {"text": text})

    def share_phone(self, phone: str) -> Chat:
        chat = self.chat_of(phone)
        contact = {"phone_number": phone.removeprefix("+"), "first_name": "Vecina", "user_id": chat.id}
        return self._say(phone, {"contact": contact})

    def block(self, phone: str, *, is_blocked: bool = True) -> Chat:
        chat = self.chat_of(phone)
        self._note({"event": "chat", "phone": phone, "is_started": chat.is_started, "has_blocked": is_blocked})
        old, new = ("member", "kicked") if is_blocked else ("kicked", "member")
        self._tell({"my_chat_member": {
            "chat": chat.show(), "from": chat.person(), "date": int(time.time()),
            "old_chat_member": {"user": BOT, "status": old}, "new_chat_member": {"user": BOT, "status": new},
        }})  # fmt: skip
        return chat

    def _say(self, phone: str, what: dict[str, Any]) -> Chat:
        chat = self.chat_of(phone)
        if not chat.is_started or chat.has_blocked:  # who writes may be written to
            self._note({"event": "chat", "phone": phone, "is_started": True, "has_blocked": False})
        self._messages += 1
        said = {"message_id": self._messages, "from": chat.person(), "chat": chat.show(), "date": int(time.time())}
        self._tell({"message": said | what})
        return chat

    def counts(self) -> Counter[str]:
        return Counter({"chats": len(self.chats), "received": sum(chat.count for chat in self.chats.values())})

    def _tell(self, update: dict[str, Any]) -> None:
        self._updates += 1
        self._pending.put_nowait({"update_id": self._updates, **update})
        if self._poster is None:
            self._poster = asyncio.create_task(self._post_all())

    async def _post_all(self) -> None:
        """One update after the other, each until it was taken."""
        self._session = ClientSession(timeout=ClientTimeout(total=15))
        while True:
            update, tries = await self._pending.get(), 0
            while self.webhook["url"] and not await self._is_taken(self._session, update):
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)] / self._options.speed)
                tries += 1

    async def _is_taken(self, session: ClientSession, update: dict[str, Any]) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret"]} if self.webhook["secret"] else {}
        try:
            async with session.post(self.webhook["url"], json=update, headers=headers) as answer:
                self.last_error = None if answer.status < 300 else f"Wrong response from the webhook: {answer.status}"
        except (ClientError, TimeoutError) as error:
            self.last_error = f"Connection failed: {type(error).__name__}"
        return self.last_error is None

    # What is remembered after a restart

    def _note(self, entry: dict[str, Any]) -> None:
        self._journal.write("telegram", **entry)
        self._remember(entry)

    def _remember(self, entry: Mapping[str, Any]) -> None:
        if entry["event"] == "webhook":
            self.webhook = {"url": entry["url"], "secret": entry["secret"]}
        else:
            chat = self.chat_of(entry["phone"])
            chat.is_started, chat.has_blocked = entry["is_started"], entry["has_blocked"]

    async def close(self) -> None:
        if self._poster is not None:
            self._poster.cancel()
        if self._session is not None:
            await self._session.close()
