"""Telegram's words, in ours: answers of the Bot API, and updates that its webhook brings. Pure.

https://core.telegram.org/bots/api"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.base.errors import InvalidInput, ProviderError
from campaigns.channels import Receipt, Reply, ReplyMedia
from campaigns.channels.twilio_words import phone_in
from campaigns.dispatch import message_states as states

NAME = "telegram"
START = "/start"
STOPS = ("/stop", "/baja")


@dataclass(frozen=True)
class Update:
    """One piece of news from the bot. `reply`: somebody wrote. `start`: what they brought from the link by which they
    came (`t.me/<bot>?start=<this>`), "" without one, None unless they started the bot. `is_shared`: they gave their
    own phone. `left`: this person (address) blocked the bot, `returned`: let it write again."""

    reply: Reply | None = None
    start: str | None = None
    is_shared: bool = False
    left: str | None = None
    returned: str | None = None


def read_answer(status: int, said: Any) -> Receipt:
    """What the Bot API answered to a message. Raises ProviderError that says whether it may be repeated.

    A message that it took is in the person's chat: there is no later receipt."""
    if not isinstance(said, Mapping) or "ok" not in said:
        if status >= 500:
            raise ProviderError("Telegram failed; the message may have left.", code=f"{NAME}-{status}", unknown=True)
        raise ProviderError("The answer cannot be read.", code="unreadable", unknown=True)
    if said["ok"]:
        result = said.get("result")
        ref = str(result.get("message_id", "")) if isinstance(result, Mapping) else ""
        kept = {"message_id": ref, "source": "api"}
        return Receipt("ok", states.DELIVERED, ref or None, payload=kept)
    raise _refusal(int(said.get("error_code") or status), said)


def _refusal(code: int, said: Mapping[str, Any]) -> ProviderError:
    named = f"{NAME}-{code}"
    if code == 429:  # the whole bot rests: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits
        parameters = said.get("parameters")
        wait = parameters.get("retry_after") if isinstance(parameters, Mapping) else None
        return ProviderError("Telegram asks to wait.", code=named, wait_seconds=float(wait or 1))
    if code >= 500:
        return ProviderError("Telegram failed; the message may have left.", code=named, unknown=True)
    return ProviderError("Telegram refused the message.", code=named, permanent=True)


def read_update(said: Mapping[str, Any], bot: str = "") -> Update:
    """Understand one update; one that is nothing to us is an empty Update. Raises InvalidInput when it is none."""
    number = said.get("update_id")
    if not isinstance(number, int):
        raise InvalidInput("An update of Telegram needs update_id.")
    if pressed := _part(said, "callback_query"):
        return _of_button(number, pressed, bot)
    if changed := _part(said, "my_chat_member"):
        return _of_membership(changed)
    if message := _part(said, "message"):
        return _of_message(number, message, bot)
    return Update()


def _of_message(number: int, message: Mapping[str, Any], bot: str) -> Update:
    chat = _part(message, "chat")
    if chat.get("type", "private") != "private" or not isinstance(chat.get("id"), int):
        return Update()  # in a group nobody speaks to us alone
    text = str(message.get("text") or message.get("caption") or "")
    word, _, brought = text.partition(" ")
    is_start = word.partition("@")[0] == START
    contact = _part(message, "contact")
    # The phone is theirs only when they share themselves: a contact of somebody else has another user_id.
    is_own = contact.get("user_id") is not None and contact.get("user_id") == _part(message, "from").get("id")
    phone = phone_in("+" + str(contact.get("phone_number", "")).lstrip("+")) if is_own else None
    if word.partition("@")[0] in STOPS:
        text = "BAJA"
    reply = _reply(number, chat["id"], "" if is_start else text, message, bot, phone=phone)
    return Update(reply, brought.strip() if is_start else None, is_shared=phone is not None)


def _of_button(number: int, pressed: Mapping[str, Any], bot: str) -> Update:
    person = _part(pressed, "from")
    if not isinstance(person.get("id"), int):
        return Update()
    button = str(pressed.get("data", ""))
    return Update(_reply(number, person["id"], button, {"from": person}, bot, button=button))


def _of_membership(changed: Mapping[str, Any]) -> Update:
    chat, status = _part(changed, "chat"), _part(changed, "new_chat_member").get("status")
    if chat.get("type") != "private" or not isinstance(chat.get("id"), int):
        return Update()
    address = str(chat["id"])
    return Update(left=address) if status == "kicked" else Update(returned=address if status == "member" else None)


def _reply(
    number: int, chat: int, text: str, message: Mapping[str, Any], bot: str, *, phone: str | None = None,
    button: str = "",
) -> Reply:  # fmt: skip
    person = _part(message, "from")
    names = (str(person.get(part) or "") for part in ("first_name", "last_name"))
    return Reply(
        f"{NAME}-{number}", NAME, phone, str(chat), text.replace("\0", ""), {"update_id": number}, sender=bot,
        name=" ".join(filter(None, names)).replace("\0", "")[:200], media=_media(message), button=button,
    )  # fmt: skip


def _media(message: Mapping[str, Any]) -> list[ReplyMedia]:
    """What they sent besides text, by Telegram's own reference."""
    photos = message.get("photo")
    found = [photos[-1]] if isinstance(photos, list) and photos else []  # the largest comes last
    found += [message[kind] for kind in ("video", "voice", "document") if kind in message]
    return [ReplyMedia(f"{NAME}:{one['file_id']}", str(one.get("mime_type", "image/jpeg")))
            for one in found if isinstance(one, Mapping) and "file_id" in one]  # fmt: skip


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, Mapping) else {}
