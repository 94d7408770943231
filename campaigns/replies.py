"""What a reply means: an opt-out, a doubtful one that a person must read, or anything else. Pure.

A wrong opt-out costs us one person, a missed one breaks a promise: so a short text that begins like an opt-out is one,
and a longer text that mentions it is shown to a person instead of being guessed.
"""

import re
import unicodedata
from enum import StrEnum


class Meaning(StrEnum):
    OPT_OUT = "opt_out"
    DOUBTFUL = "doubtful"
    OTHER = "other"


# Alone, these words are an opt-out. English ones: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
_OPT_OUT_WORDS = """
    baja alto stop cancelar cancela cancelen parar pare paren basta fin salir eliminar borrar borrenme quitar
    desuscribir desuscribirme desuscribirse unsubscribe end quit stopall revoke optout cancel
    baha vaja bajja bajas stp estop altoo
"""
_POLITE_WORDS = """
    por favor porfavor porfa pf gracias please ya me mi su numero quiero solicito pido la el los de esta lista
    mensaje mensajes
"""
_WORDS, _POLITE = frozenset(_OPT_OUT_WORDS.split()), frozenset(_POLITE_WORDS.split())
_PHRASES = re.compile(
    r"\b(?:"
    r"(?:ya )?no (?:me |nos )?(?:vuelvan? a )?(?:mand(?:e|en|es|ar|arme)|envi(?:e|en|es|ar|arme)"
    r"|escrib(?:a|an|as|ir|irme)|molest(?:e|en|es|ar)|llam(?:e|en|es|ar))(?: mas| nada)?"
    r"|no (?:quiero|deseo|me interesa)(?: mas| recibir| que me)?(?: (?:mas|sus|estos|recibir|mensajes|informacion))*"
    r"|dej(?:e|en|a) de (?:mandar|enviar|escribir|molestar|llamar)(?:me|nos)?"
    r"|(?:me )?(?:den?|dar|darme|dame|denme|deme|doy) (?:de )?baja"
    r"|(?:quiten|borren|eliminen|saquen|quite|borre|elimine|saque)(?:me| mi numero)"
    r"|quitar mi numero|borrar mi numero|no molestar"
    r")\b"
)
_HINT = re.compile(r"\b(?:baja|alto|stop|cancelar|unsubscribe|optout)\b")
# Another person is meant, a question is asked, or the word means something else: a person must read it.
_SOMEBODY_ELSE = re.compile(
    r"\b(?:otra persona|otro numero|mi (?:mama|papa|hij[oa]|espos[oa]|herman[oa]|vecin[oa]|abuel[oa])"
    r"|como|cuando|donde|que pasa si|quien)\b"
)
_NOT_ABOUT_MESSAGES = re.compile(r"\bno (?:cancel|pare|me den? de baja|quiero (?:que me )?(?:dar|den?)|me quiten)")
_SHORT = 9  # words; longer texts are only looked at for a hint


def meaning(text: str) -> Meaning:
    """What the reply means for whether we may write again."""
    plain = _plain(text)
    words = plain.split()
    if not words:
        return Meaning.OTHER
    if _says_only_an_opt_out(words):
        return Meaning.DOUBTFUL if "?" in text and len(words) > 1 else Meaning.OPT_OUT
    phrase = _PHRASES.search(plain)
    if not phrase and not _HINT.search(plain):
        return Meaning.OTHER
    unclear = "?" in text or _SOMEBODY_ELSE.search(plain) or _NOT_ABOUT_MESSAGES.search(plain) or len(words) > _SHORT
    return Meaning.OPT_OUT if phrase and not unclear else Meaning.DOUBTFUL


def _says_only_an_opt_out(words: list[str]) -> bool:
    rest = [word for word in words if word not in _POLITE]
    return bool(rest) and len(words) <= 6 and all(word in _WORDS for word in rest)


def _plain(text: str) -> str:
    """Lower case, without accents and punctuation; `B A J A` and `B.A.J.A.` become one word."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    words = letters.split()
    if len(words) > 2 and all(len(word) == 1 for word in words):
        return "".join(words)
    return " ".join(words)
