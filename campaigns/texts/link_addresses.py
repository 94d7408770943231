"""The addresses that a wording names, and the short links that stand for them when it leaves. Pure."""

import re
import secrets
from collections.abc import Iterable, Mapping

from callcenter.base.settings import Settings
from campaigns.wording import PLACEHOLDER, Fault

# Without vowels no code is a word, and without 0 O 1 l I nobody mistakes one.
ALPHABET = "23456789bcdfghjkmnpqrstvwxyzBCDFGHJKLMNPQRSTVWXYZ"
CODE = 8  # characters: of 33 million million codes a campaign uses a million and a half
MOST = 9  # addresses of one campaign
LONGEST = 2_000  # characters of an address
_ADDRESS = re.compile(r"https?://[^\s{}|<>\"«»“”]+", re.IGNORECASE)
_AFTER_AN_ADDRESS = ".,;:!?…)'’"  # what a sentence puts behind it
_WITH_FIELD = re.compile(_ADDRESS.pattern + r"(?=\{)", re.IGNORECASE)
_settings: Settings | None = None


def configure(settings: Settings) -> None:
    """Say where short links lead to. The composition root calls it once."""
    global _settings  # noqa: PLW0603  # one process, one address
    _settings = settings


def addresses(text: str) -> list[str]:
    """The addresses that a wording names, in order, each once. Not those inside a placeholder."""
    return list(dict.fromkeys(address for piece in _outside(text) for address in _found(piece)))


def faults(texts: Iterable[str]) -> list[Fault]:
    """What is wrong with the addresses of a campaign's wordings: `field_in_link`, `link_too_long`, `too_many_links`."""
    texts = list(texts)
    named = list(dict.fromkeys(address for text in texts for address in addresses(text)))
    found = [Fault("field_in_link", match[0]) for text in texts for match in _WITH_FIELD.finditer(text)]
    found += [Fault("link_too_long", str(len(address))) for address in named if len(address) > LONGEST]
    return [*found, *([Fault("too_many_links", str(len(named)))] if len(named) > MOST else [])]


def places(texts: Iterable[str], known: Mapping[str, int] | None = None) -> dict[str, int]:
    """Which place each address has, or will get: those that are known keep theirs."""
    found = dict(known or {})
    for text in texts:
        for address in addresses(text):
            if address not in found:
                found[address] = next(place for place in range(1, 100) if place not in found.values())
    return found


def template(text: str, positions: Mapping[str, int]) -> str:
    """The wording with a placeholder {link_1}… in the place of each address."""
    return _with(text, {address: f"{{link_{place}}}" for address, place in positions.items()})


def stand_in(text: str, positions: Mapping[str, int]) -> str:
    """The wording with short links as long as those that will leave, for whoever counts and shows."""
    return _with(text, {address: short("x" * CODE, place) for address, place in positions.items()})


def short(code: str, position: int) -> str:
    """The short link of a message to the address in that place."""
    if _settings is None:
        raise RuntimeError("campaigns.texts.link_addresses.configure(settings) was not called in this process")
    return f"{_settings.link_url}/l/{code}{_mark(position)}"


def values(code: str, positions: Mapping[str, int]) -> dict[str, str]:
    """What the placeholders of `template` stand for in the message that has this code."""
    return {f"link_{place}": short(code, place) for place in positions.values()}


def read(written: str) -> tuple[str, int] | None:
    """The code and the place of a short link's last part; None when it is none of ours."""
    code, mark = written[:CODE], written[CODE:]
    if len(code) != CODE or len(mark) > 1 or not set(written) <= set(ALPHABET):
        return None
    position = ALPHABET.index(mark) + 1 if mark else 1
    return (code, position) if position <= MOST and mark == _mark(position) else None


def draw() -> str:
    """A new code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE))


def _mark(position: int) -> str:
    return "" if position == 1 else ALPHABET[position - 1]


def _outside(text: str) -> list[str]:
    """The pieces of a wording that are no placeholders."""
    pieces, last = [], 0
    for match in PLACEHOLDER.finditer(text):
        pieces.append(text[last : match.start()])
        last = match.end()
    return [*pieces, text[last:]]


def _found(piece: str) -> list[str]:
    return [match[0].rstrip(_AFTER_AN_ADDRESS) for match in _ADDRESS.finditer(piece)]


def _with(text: str, instead: Mapping[str, str]) -> str:
    """The wording with other words instead of each address outside its placeholders."""

    def write(match: re.Match[str]) -> str:
        address = match[0].rstrip(_AFTER_AN_ADDRESS)
        return instead.get(address, address) + match[0][len(address) :]

    pieces, last = [], 0
    for match in PLACEHOLDER.finditer(text):
        pieces += [_ADDRESS.sub(write, text[last : match.start()]), match[0]]
        last = match.end()
    return "".join([*pieces, _ADDRESS.sub(write, text[last:])])
