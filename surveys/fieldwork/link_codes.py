"""The address of a person's own link to a survey: a number and its signature in sixteen signs. Pure, but for the key.

Nobody can make one, or change one into another's; a forged one is turned away before the database is asked.
"""

import hmac

from callcenter.base.settings import Settings

# Without vowels no code is a word, and without 0 O 1 l I nobody mistakes one; it ends in no sign that a chat cuts off.
ALPHABET = "23456789bcdfghjkmnpqrstvwxyzBCDFGHJKLMNPQRSTVWXYZ"
NUMBER, SIGNATURE = 7, 9  # signs: 680 thousand million links; fifty bits that are guessed over the network
LENGTH = NUMBER + SIGNATURE
_settings: Settings | None = None


def configure(settings: Settings) -> None:
    """Say where links lead to and by which key they are signed. The composition root calls it once a process."""
    global _settings  # noqa: PLW0603  # one process, one address
    _settings = settings


def url(link_id: int) -> str:
    """The address that a person gets."""
    return _address(code(link_id))


def stand_in() -> str:
    """An address as long as every one is, for whoever counts characters before a link is made."""
    return _address("x" * LENGTH)


def code(link_id: int) -> str:
    """The last part of the address."""
    number = _spelled(link_id, NUMBER)
    return number + _signature(number)


def read(written: str) -> int | None:
    """The link's number; None when we did not make the code."""
    if len(written) != LENGTH or not set(written) <= set(ALPHABET):
        return None
    number = written[:NUMBER]
    if not hmac.compare_digest(written[NUMBER:], _signature(number)):
        return None
    value = 0
    for sign in number:
        value = value * len(ALPHABET) + ALPHABET.index(sign)
    return value


def _address(last: str) -> str:
    return f"{_configured().link_url}/e/{last}"


def _signature(number: str) -> str:
    digest = hmac.digest(_configured().secret_key.encode(), b"survey link " + number.encode(), "sha256")
    return _spelled(int.from_bytes(digest[:8], "big") % len(ALPHABET) ** SIGNATURE, SIGNATURE)


def _spelled(value: int, width: int) -> str:
    signs = []
    for _ in range(width):
        value, sign = divmod(value, len(ALPHABET))
        signs.append(ALPHABET[sign])
    if value:
        raise ValueError("a number beyond all links")
    return "".join(reversed(signs))


def _configured() -> Settings:
    if _settings is None:
        raise RuntimeError("surveys.fieldwork.link_codes.configure(settings) was not called in this process")
    return _settings
