"""What a message must say by rule: who writes, and how to get no more of it. Pure, but for `require`."""

import re
import unicodedata
from collections.abc import Iterable

from callcenter.base.errors import Refused
from campaigns import labels, wording
from campaigns.texts import link_addresses
from campaigns.wording import PLACEHOLDER, Fault

# Purposes that answer a person who asked: they know whom they wrote to, and their right to it does not end with a BAJA.
ANSWERS = frozenset({"privacy_request"})
# What a person may answer to get no more (correspondence.replies understands it), and words that tell of a page for it.
_ANSWER_WORDS = re.compile(r"\b(?:baja|alto|stop|cancelar|salir)\b")
_PAGE = re.compile(r"/(?:baja|privacidad|u/)", re.IGNORECASE)
_OWN_NAME = re.compile(r"[,;(/]|\s[-–—]\s")  # «Encuestas del Sur, A.C.» is «Encuestas del Sur»
_LEGAL_FORMS = re.compile(r"\b(?:a ?c|s ?a|s ?c|de c ?v|de r ?l|i ?a ?p|s ?a ?p ?i)\b")
_SHORT_WORDS = frozenset(("de", "del", "la", "las", "los", "el", "y", "en", "para", "por", "a", "the", "of", "and"))


def faults(
    text: str, on_behalf_of: str, *, purpose: str, is_alphanumeric: bool = False, has_own_way_out: bool = False
) -> list[Fault]:
    """Everything that keeps a wording from being sent. `is_alphanumeric`: to such a sender nobody can answer.
    `has_own_way_out`: the channel brings one itself (e-mail's header, a template's button)."""
    found = [*wording.check(text, more=(wording.SURVEY_LINK,)), *link_addresses.faults([text])]
    if any(fault.code == "empty" for fault in found) or purpose in ANSWERS:
        return found
    if not names(text, on_behalf_of):
        found.append(Fault("no_sender_name", on_behalf_of.strip()))
    if not has_own_way_out and not has_way_out(text, is_alphanumeric=is_alphanumeric):
        found.append(Fault("way_out_needs_link" if is_alphanumeric else "no_way_out"))
    return found


def names(text: str, on_behalf_of: str) -> bool:
    """Does the text say who writes: the whole name, its first part, or its initials? Case and accents are the same."""
    wanted = _folded(on_behalf_of)
    if not wanted:
        return True  # the form asks for a name; where none was asked for, there is none to say
    said = f" {_folded(PLACEHOLDER.sub(' ', text))} "
    first = _folded(_OWN_NAME.split(on_behalf_of.strip(), maxsplit=1)[0])
    ways = {wanted, first, " ".join(_LEGAL_FORMS.sub(" ", wanted).split()), _initials(first)}
    return any(f" {way} " in said for way in ways if len(way) > 1)


def has_way_out(text: str, *, is_alphanumeric: bool = False) -> bool:
    """Does the text say how to get no more: a word to answer with, or a page? An alphanumeric sender needs a page."""
    bare = PLACEHOLDER.sub(" ", text)
    page = any(_PAGE.search(address) for address in link_addresses.addresses(text)) or bool(_PAGE.search(bare))
    return page or "{opt_out}" in text or (not is_alphanumeric and bool(_ANSWER_WORDS.search(_folded(bare))))


def require(texts: Iterable[str], on_behalf_of: str, *, purpose: str, is_alphanumeric: bool = False,
            has_own_way_out: bool = False) -> None:  # fmt: skip
    """Raises Refused with the code of the first fault, and what to do."""
    for text in texts:
        found = faults(text, on_behalf_of, purpose=purpose, is_alphanumeric=is_alphanumeric,
                       has_own_way_out=has_own_way_out)  # fmt: skip
        if found:
            raise Refused(found[0].code, labels.fault(found[0]))


def _folded(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


def _initials(name: str) -> str:
    """«Instituto de Encuestas del Sur» is «ies»; of one word, nothing."""
    words = [word for word in name.split() if word not in _SHORT_WORDS]
    return "".join(word[0] for word in words) if len(words) > 2 else ""
