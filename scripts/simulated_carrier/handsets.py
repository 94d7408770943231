"""What happens to a message at its phone: as ordered by the control page, else as its invented owner is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.texts import WHATSAPP, Text

HAS_WHATSAPP_SHARE = 0.9
READS_SHARE = 0.7
PRESSES_A_BUTTON_SHARE = 0.15
DELIVERED = "delivered"
# A message asks for its person two or three times within seconds, and making one takes longer than all the rest.
_citizen = lru_cache(maxsize=8192)(citizen)


@dataclass(frozen=True)
class Order:
    """None: as the owner of the phone is. `replies` "" is silence."""

    receives: str | None = None
    replies: str | None = None
    reads: bool | None = None
    has_whatsapp: bool | None = None

    @classmethod
    def read(cls, order: Mapping[str, Any]) -> "Order":
        """Raises ValueError that names what cannot be ordered."""
        wanted = {"receives": str, "replies": str, "reads": bool, "has_whatsapp": bool}
        for name, value in order.items():
            if name not in wanted:
                raise ValueError(f"unknown {name!r}; a handset is told {', '.join(wanted)}")
            if value is not None and not isinstance(value, wanted[name]):
                raise ValueError(f"{name} cannot be {value!r}")
        receives = order.get("receives")
        if receives not in (None, DELIVERED) and not (str(receives).isdigit() and len(str(receives)) == 5):
            raise ValueError("receives is “delivered” or an error code of five digits")
        return cls(**order)


class Handsets:
    """`phone` is everywhere the canonical one (`canonical`), also of people whom WhatsApp only names by an id."""

    def __init__(self, options: Options, phones: dict[str, str]) -> None:
        """`phones`: by WhatsApp's id of a person; what is learned is added."""
        self._options, self._phones = options, phones
        self.orders: dict[str, Order] = {}

    def canonical(self, address: str) -> str:
        """The phone behind an address: WhatsApp's prefix and its 1 after +52 are left out. An id leads to the phone
        once its owner has written to us; before that it is its own name."""
        bare = address.removeprefix(WHATSAPP)
        if bare.startswith("+521") and len(bare) == 14:
            return "+52" + bare[4:]
        return self._phones.get(bare, bare)

    def refusal(self, text: Text) -> str | None:
        """The code with which a message is refused at once: an ordered one, or a landline."""
        phone = self.canonical(text.to)
        ordered = self._order(phone).receives
        if ordered is not None:
            return ordered if ordered.startswith("21") else None
        if not text.is_whatsapp and phone[0] == "+" and not _citizen(phone, self._options.seed).is_mobile:
            return "21614"
        return None

    def outcome(self, text: Text) -> str:
        """`delivered`, or the code of why it does not arrive."""
        phone = self.canonical(text.to)
        order = self._order(phone)
        if text.is_whatsapp and not self._has_whatsapp(phone, order):
            return "63024"
        if order.receives is not None:
            return order.receives
        if phone[0] != "+":
            return DELIVERED
        outcome = _citizen(phone, self._options.seed).receives(text.body)
        return "63024" if text.is_whatsapp and outcome == "30005" else outcome

    def reads(self, text: Text) -> bool:
        order = self._order(self.canonical(text.to))
        if order.reads is not None:
            return order.reads
        return text.is_whatsapp and self._chance(text.to, f"reads/{text.body}") < READS_SHARE

    def reply(self, text: Text) -> tuple[str, tuple[str, str] | None] | None:
        """What they write back, with the text and payload of the quick reply that they pressed, if any."""
        phone = self.canonical(text.to)
        ordered = self._order(phone).replies
        if ordered is not None:
            return (ordered, None) if ordered else None
        if not self._options.citizens_reply or phone[0] != "+":
            return None
        chance = self._chance(phone, f"button/{text.body}") if text.buttons else 1.0
        if chance < PRESSES_A_BUTTON_SHARE:
            button = text.buttons[int(chance / PRESSES_A_BUTTON_SHARE * len(text.buttons))]
            return button[0], button
        written = _citizen(phone, self._options.seed).replies(text.body)
        return None if written is None else (written, None)

    def whatsapp_id(self, phone: str) -> str:
        """WhatsApp's business-scoped id of the person."""
        number = int(self._chance(phone, "bsuid") * 10**17) + 10**17
        return self.learn(f"MX.{number}", phone)

    def learn(self, user_id: str, phone: str) -> str:
        self._phones[user_id] = phone
        return user_id

    def hides_phone(self, phone: str) -> bool:
        return self._chance(phone, "hides") < self._options.bsuid_share

    def says_521(self, phone: str) -> bool:
        return self._chance(phone, "521") < self._options.plus_521_share

    def _order(self, phone: str) -> Order:
        return self.orders.get(phone, _NOTHING_ORDERED)

    def _has_whatsapp(self, phone: str, order: Order) -> bool:
        if order.has_whatsapp is not None or phone[0] != "+":
            return order.has_whatsapp is not False  # who is known by WhatsApp's id alone wrote by WhatsApp
        return self._chance(phone, "whatsapp") < HAS_WHATSAPP_SHARE

    def _chance(self, phone: str, purpose: str) -> float:
        """0–1, the same every time."""
        digest = hashlib.blake2b(f"{self._options.seed}/{phone}/{purpose}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


_NOTHING_ORDERED = Order()
