"""Every message of one life of the carrier in columns: 1.5 million of them take some hundred megabytes.

What lies here is what really happened, whatever was said of it: a phone received a message when its status is
`delivered` or `read`. The texts lie in a file without a name, which vanishes with the process."""

import hashlib
import os
import re
import secrets
import tempfile
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path

from scripts.simulated_carrier.texts import WHATSAPP, Text

STATUSES = (
    "queued", "accepted", "sending", "sent", "delivered", "undelivered", "failed", "read", "received",
)  # fmt: skip
RECEIVED = (STATUSES.index("delivered"), STATUSES.index("read"))
_STATUS = {name: number for number, name in enumerate(STATUSES)}
ON_WHATSAPP, IS_NAME = 1 << 62, 1 << 63  # of a key; the digits of a phone are far below
INBOUND = 128  # of the column `media`
_PHONE = re.compile(r"\+[1-9][0-9]{1,15}")
_BUCKETS = 1 << 20
_BUFFER = 1 << 20


class Ledger:
    """`close()` lets the file go at once; else it goes with the ledger."""

    def __init__(self, account_sid: str) -> None:
        self.account_sid = account_sid
        self.person, self.text_hash = array("Q"), array("q")
        self.ours, self.service, self.error = array("H"), array("H"), array("H")
        self.status, self.media, self.parts = array("B"), array("B"), array("B")
        self.created, self.sent, self.updated = array("d"), array("d"), array("d")
        self.names: list[str] = [""]  # senders and services; 0 is none
        self._name_numbers: dict[str, int] = {"": 0}
        self.strangers: list[str] = []  # people whom their channel names by something else than a phone
        self.phones: dict[str, str] = {}  # the phones behind some of them
        self._stranger_numbers: dict[str, int] = {}
        self._older, self._newest = array("I"), array("I", [0]) * _BUCKETS  # by person; 0 is none
        self._start, self._length = array("Q"), array("H")
        self._file, name = tempfile.mkstemp(prefix="convoca-carrier-")
        Path(name).unlink()
        self.close = weakref.finalize(self, os.close, self._file)
        self._written, self._buffer = 0, bytearray()
        self._life = secrets.token_bytes(16)

    def __len__(self) -> int:
        return len(self.status)

    def add(self, text: Text) -> None:
        """Write it down; it gets its number and its SID."""
        text.account_sid, text.number = self.account_sid, len(self.status)
        text.sid = self._sid(text.number, "MM" if text.media_count else "SM")
        key = self.key(text.person)
        self.person.append(key)
        self.ours.append(self._name(text.ours))
        self.service.append(self._name(text.service_sid or ""))
        self.error.append(int(text.error_code or 0))
        self.status.append(_STATUS[text.status])
        self.media.append(text.media_count | (INBOUND if text.is_inbound else 0))
        self.parts.append(text.parts)
        self.created.append(text.created_at)
        self.updated.append(text.updated_at)
        self.sent.append(text.sent_at)
        bucket = hash(key) % _BUCKETS
        self._older.append(self._newest[bucket])
        self._newest[bucket] = text.number + 1
        self._keep_body(text.body)

    def move(self, text: Text) -> None:
        """Its status, error and times are other ones now."""
        number = text.number
        self.status[number], self.error[number] = _STATUS[text.status], int(text.error_code or 0)
        self.sent[number], self.updated[number] = text.sent_at, text.updated_at

    def find(self, sid: str) -> Text | None:
        try:
            number = int(sid[2:10], 16)
        except ValueError:
            return None
        if number >= len(self.status) or sid != self._sid(number, sid[:2]):
            return None
        return self.read(number)

    def read(self, number: int) -> Text:
        is_inbound, error = bool(self.media[number] & INBOUND), self.error[number]
        person, ours = self.address(self.person[number]), self.names[self.ours[number]]
        media = self.media[number] & ~INBOUND
        return Text(
            to=ours if is_inbound else person, sender=person if is_inbound else ours, body=self.body(number),
            status=STATUSES[self.status[number]], is_inbound=is_inbound, account_sid=self.account_sid, number=number,
            service_sid=self.names[self.service[number]] or None, error_code=str(error) if error else None,
            sid=self._sid(number, "MM" if media else "SM"), created_at=self.created[number],
            updated_at=self.updated[number], sent_at=self.sent[number], media_count=media,
        )  # fmt: skip

    def of(self, address: str) -> Iterator[Text]:
        """The messages to and from a citizen's address, newest first."""
        key = self.key(address)
        number = self._newest[hash(key) % _BUCKETS]
        while number:
            if self.person[number - 1] == key:
                yield self.read(number - 1)
            number = self._older[number - 1]

    def all(self) -> Iterator[Text]:
        """Newest first."""
        return (self.read(number) for number in range(len(self) - 1, -1, -1))

    def body(self, number: int) -> str:
        start, length = self._start[number], self._length[number]
        if start + length > self._written:
            self._flush()
        return os.pread(self._file, length, start).decode(errors="replace")

    def key(self, address: str) -> int:
        """A number for a citizen's address; `address` leads back."""
        channel = ON_WHATSAPP if address.startswith(WHATSAPP) else 0
        bare = address[len(WHATSAPP) :] if channel else address
        if _PHONE.fullmatch(bare):
            return int(bare) | channel
        number = self._stranger_numbers.setdefault(bare, len(self.strangers))
        if number == len(self.strangers):
            self.strangers.append(bare)
        return number | channel | IS_NAME

    def address(self, key: int) -> str:
        prefix, digits = WHATSAPP if key & ON_WHATSAPP else "", key & ~(ON_WHATSAPP | IS_NAME)
        return prefix + (self.strangers[digits] if key & IS_NAME else f"+{digits}")

    def _name(self, name: str) -> int:
        number = self._name_numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number

    def _keep_body(self, body: str) -> None:
        stored = body.encode()[:65_535]
        self.text_hash.append(hash(body))
        self._start.append(self._written + len(self._buffer))
        self._length.append(len(stored))
        self._buffer += stored
        if len(self._buffer) > _BUFFER:
            self._flush()

    def _flush(self) -> None:
        while self._buffer:
            taken = os.write(self._file, self._buffer)
            self._written += taken
            del self._buffer[:taken]

    def _sid(self, number: int, prefix: str) -> str:
        # The number lies in the SID, so that it is found without an index; the rest cannot be guessed.
        rest = hashlib.blake2b(number.to_bytes(8), key=self._life, digest_size=12).hexdigest()
        return f"{prefix}{number:08x}{rest}"
