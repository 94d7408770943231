"""Twilio's words for messages, in ours: statuses, callbacks, replies. Pure, and light enough for the web process."""

import re
from collections.abc import Mapping
from typing import Any

from callcenter.base.errors import InvalidInput
from campaigns.channels import Receipt, Reply, ReplyMedia
from campaigns.dispatch import message_states as states

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
STATUSES: dict[str, str] = {
    "accepted": states.ACCEPTED, "scheduled": states.ACCEPTED, "queued": states.ACCEPTED, "sending": states.ACCEPTED,
    "sent": states.SENT, "delivered": states.DELIVERED, "read": states.DELIVERED,
    "partially_delivered": states.UNDELIVERED, "undelivered": states.UNDELIVERED,
    "failed": states.FAILED, "canceled": states.FAILED,
}  # fmt: skip
MOST_MEDIA = 10  # https://www.twilio.com/docs/messaging/twiml#request-parameters


def read_receipt(form: Mapping[str, str]) -> Receipt:
    """Understand a status callback. Raises InvalidInput when it names no message."""
    sid = form.get("MessageSid") or form.get("SmsSid")
    status = form.get("MessageStatus") or form.get("SmsStatus")
    if not sid or not status:
        raise InvalidInput("A status callback needs MessageSid and MessageStatus.")
    return receipt(sid, status, form.get("ErrorCode"), "callback", form)


def read_reply(form: Mapping[str, str]) -> Reply:
    """Understand an inbound message. Raises InvalidInput when it is none.

    WhatsApp still says +521 where contacts and SMS say +52: thirteen digits lose the 1, twelve never do. It may also
    name a person without a phone (whatsapp:MX.1349…): then `phone` is None, and an answer goes to `address`."""
    sid, address = form.get("MessageSid") or form.get("SmsMessageSid"), form.get("From", "").strip()
    if not sid or not address:
        raise InvalidInput("An inbound message needs MessageSid and From.")
    # PostgreSQL stores no zero byte, and a BAJA that holds one must not be lost for it.
    kept = {key: value.replace("\0", "") for key, value in form.items()}
    return Reply(
        sid, address.rpartition(":")[0] or "sms", phone_in(address), address.replace("\0", ""), kept.get("Body", ""),
        kept, sender=kept.get("To", ""), name=kept.get("ProfileName", ""), media=_media(kept),
        button=kept.get("ButtonPayload", ""),
    )  # fmt: skip


def phone_in(address: str) -> str | None:
    """The phone that an address stands for (whatsapp:+5219221110001 → +529221110001), None when it stands for none."""
    named = re.sub(r"^\+521(\d{10})$", r"+52\1", address.rpartition(":")[2])
    return named if re.fullmatch(r"\+\d{8,15}", named) else None


def _media(form: Mapping[str, str]) -> list[ReplyMedia]:
    count = form.get("NumMedia", "0")
    places = range(min(int(count), MOST_MEDIA)) if count.isascii() and count.isdigit() else range(0)
    return [ReplyMedia(form[f"MediaUrl{place}"], form.get(f"MediaContentType{place}", ""))
            for place in places if form.get(f"MediaUrl{place}")]  # fmt: skip


def receipt(
    sid: str | None, status: str, error_code: object, source: str, payload: Mapping[str, Any] | None = None
) -> Receipt:
    code = str(error_code) if error_code not in (None, "", "0", 0) else None
    key = f"{status}/{code}" if code else status
    own_words = payload or {"MessageSid": sid, "MessageStatus": status, "ErrorCode": code, "Source": source}
    return Receipt(key, STATUSES.get(status), sid, code, dict(own_words))
