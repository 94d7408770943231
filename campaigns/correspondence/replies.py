"""What a reply means: an opt-out, a doubtful one that a person must read, or anything else. Pure.

A wrong opt-out costs us one person, a missed one breaks a promise: so a short text that begins like an opt-out is one,
also with a slip of the thumb, and a longer text that mentions it is shown to a person instead of being guessed.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache


class Meaning(StrEnum):
    OPT_OUT = "opt_out"
    DOUBTFUL = "doubtful"
    OTHER = "other"


# Alone, these words are an opt-out. English ones: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
_OPT_OUT_WORDS = """
    baja alto stop cancelar cancela cancelen cancele parar pare paren basta fin salir eliminar borrar borrenme quitar
    desuscribir desuscribirme desuscribirse unsubscribe end quit stopall revoke optout cancel bajenme bajeme
    baha vaja bajja bajas stp estop estap altoo
"""
_POLITE_WORDS = """
    por favor porfavor porfa pf plis gracias please ya me mi su sus numero quiero solicito pido la el los de esta lista
    mensaje mensajes sms ok hola buenas buenos dias tardes noches a
"""
# One slip away from a word above, and yet words of their own. «Alta» asks for the contrary of «baja».
_WORDS_OF_THEIR_OWN = """
    bajo bajos bala balas bata batas base caja cajas faja paja raja maja vaca baje bajan bajar bajaron rebaja
    alta altas altos salto auto asalto algo acto apto soto harto alma ajo
    hasta pasta gasta casta vasto santa bastan basto rasta bastante
    shop step stoy esta estos
    pagar pasar parir parra tarar para parara pares padre pera pues pase pone pide sabe sale
    subir salid sabia salio saldra salimos fan sin fino fines fila fue fui via
    borras borrador quizas quita quito cancer cancelo cancelado canales
"""
_WORDS, _POLITE = frozenset(_OPT_OUT_WORDS.split()), frozenset(_POLITE_WORDS.split())
_OWN = frozenset(_WORDS_OF_THEIR_OWN.split())
_LONG_ENOUGH = 4  # letters: of a shorter word, one slip makes any other
_SIGNS_OF_STOP = frozenset("🛑⛔🚫🙅")  # alone, they say it
_SIGNS_OF_ANGER = frozenset("✋🤚🖕👎😡🤬😠")
_LAUGHS = re.compile(r"(?:j[aeio]|ha)+j?")
_PHRASES = re.compile(
    r"\b(?:"
    r"(?:ya )?no (?:me |nos )?(?:vuelvan? a )?(?:esten? )?(?:mand(?:e|en|es|ar|arme|ando|andome)"
    r"|envi(?:e|en|es|ar|arme|ando|andome)"
    r"|escrib(?:a|an|as|ir|irme|iendo)|molest(?:e|en|es|ar|ando)|llam(?:e|en|es|ar|ando)|busquen)(?: mas| nada)?"
    r"|no (?:quiero|deseo|me interesan?)(?: mas| recibir| que me)?(?: (?:mas|sus|estos|recibir|mensajes|informacion))*"
    r"|no (?:autorizo|autorice|di permiso)|(?:ni un|no|nada de) (?:mas )?mensajes?(?: mas)?"
    r"|(?:ya )?dej(?:e|en|a) de (?:mandar|enviar|escribir|molestar|llamar|estar)(?:me|nos)?"
    r"|dej(?:en|e|a)(?:me|nos) (?:en paz|tranquil[oa]s?|de \w+)"
    r"|(?:me den?|den|dan|dar|darme|dame|denme|deme|me doy|doy de) (?:de )?baja"
    r"|(?:quiten|borren|eliminen|saquen|bajen|quite|borre|elimine|saque|baje|quita|borra|saca)"
    r"(?:me| mi (?:numero|telefono|celular))"
    r"|(?:quitar|borrar|eliminar|sacar) mi (?:numero|telefono|celular)|no molestar"
    r"|(?:los|las|te|voy a) (?:\w+ )?(?:bloque\w+|report\w+|denunci\w+)"
    r")\b"
)
_HINT = re.compile(
    r"\b(?:baja|alto|stop|cancelar|unsubscribe|optout|bloque\w+|denunci\w+|profeco|acoso|spam|no gracias"
    r"|quien (?:le|les|te) dio mi (?:numero|telefono|celular))\b"
)
# Another person is meant, a question is asked, or the word means something else: a person must read it.
_SOMEBODY_ELSE = re.compile(
    r"\b(?:otra persona|otro numero|mi (?:mama|papa|hij[oa]|espos[oa]|herman[oa]|vecin[oa]|abuel[oa])"
    r"|como|cuando|donde|que pasa si|quien)\b"
)
_NOT_ABOUT_MESSAGES = re.compile(r"\bno (?:cancel|pare|me den? de baja|quiero (?:que me )?(?:dar|den?)|me quiten)")
_SHORT = 9  # words; longer texts are only looked at for a hint
# Words of the phrases above that are often mistyped.
_MENDED = """
    manden mande mandes mandar envien enviar escriban escribir molesten molestar llamen mensajes mensaje quiero deseo
    recibir dejen quiten borren eliminen saquen bloquear
"""
_NOT_MENDED = frozenset(("quien", "llama", "escriba", "enviaron", "manda", "mandan", "dejan"))
# Of each letter those beside it on a keyboard, and those that sound like it.
_NEAR = {
    "a": "qwsz", "b": "vghn", "c": "xdfvsz", "d": "serfcx", "e": "wsdr", "f": "drtgvc", "g": "ftyhbvj", "h": "gyujnb",
    "i": "ujko", "j": "huikmng", "k": "jiolm", "l": "kop", "m": "njk", "n": "bhjm", "o": "iklp0", "p": "ol", "q": "wa",
    "r": "edft", "s": "awedxzc", "t": "rfgy", "u": "yhji", "v": "cfgb", "w": "qase", "x": "zsdc", "y": "tghu",
    "z": "asxc",
}  # fmt: skip
_DIGITS = str.maketrans("0134", "oiea")


def meaning(text: str) -> Meaning:
    """What the reply means for whether we may write again."""
    plain = _plain(text)
    words = plain.split()
    if not words:
        return _meaning_of_signs(text)
    if _says_only_an_opt_out(words):
        return Meaning.DOUBTFUL if "?" in text and len(words) > 1 else Meaning.OPT_OUT
    mended = " ".join(_mend(word) for word in words)
    phrase = _PHRASES.search(mended)
    if not phrase and not _HINT.search(mended):
        return Meaning.DOUBTFUL if _SIGNS_OF_ANGER & set(text) else Meaning.OTHER
    unclear = "?" in text or _SOMEBODY_ELSE.search(plain) or _NOT_ABOUT_MESSAGES.search(plain) or len(words) > _SHORT
    return Meaning.OPT_OUT if phrase and not unclear else Meaning.DOUBTFUL


def _meaning_of_signs(text: str) -> Meaning:
    if _SIGNS_OF_STOP & set(text):
        return Meaning.OPT_OUT
    return Meaning.DOUBTFUL if _SIGNS_OF_ANGER & set(text) else Meaning.OTHER


def _says_only_an_opt_out(words: list[str]) -> bool:
    rest = [word for word in words if word not in _POLITE]
    if not rest or len(words) > 6:
        return False
    if all(word in _WORDS for word in rest):
        return True
    # One word that somebody meant to write, beside which nothing stands that could make it another.
    return len(rest) == 1 and _is_slip(_letters(rest[0]))


def _is_slip(word: str) -> bool:
    """Is it one of the words, mistyped by one letter (see `_slips`)?"""
    if word in _WORDS:
        return True
    if len(word) < _LONG_ENOUGH - 1 or word in _OWN or word in _POLITE or _LAUGHS.fullmatch(word):
        return False
    return any(len(meant) >= _LONG_ENOUGH and word in _one_slip_from(meant) for meant in _WORDS)


def _mend(word: str) -> str:
    """The word of our phrases that was meant, or the word as it is."""
    for meant in _MENDED.split():
        if len(word) > _LONG_ENOUGH and word not in _NOT_MENDED and word in _one_slip_from(meant):
            return meant
    return word


def _letters(word: str) -> str:
    """St0p, b4ja; and «bajaaaa», which is louder, not longer."""
    if not word.isdigit():
        word = word.translate(_DIGITS)
    return re.sub(r"(.)\1{2,}", r"\1", word)


@cache
def _one_slip_from(word: str) -> frozenset[str]:
    return frozenset(_slips(word)) - {word}


def _slips(word: str) -> Iterable[str]:
    """One letter less, a letter too many, a key beside the right one, two exchanged."""
    for at in range(len(word)):
        before, letter, after = word[:at], word[at], word[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        for near in _NEAR[letter]:
            yield before + near + after
            yield before + near + letter + after
            yield before + letter + near + after
        if after:
            yield before + after[0] + letter + after[1:]


def _plain(text: str) -> str:
    """Lower case, without accents and punctuation; `B A J A` and `B.A.J.A.` become one word."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    # Marks that nobody sees stand inside words; all others part them.
    seen = (c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    words = "".join(c if c.isalnum() else " " for c in seen).split()
    if len(words) > 2 and all(len(word) == 1 for word in words):
        return "".join(words)
    return " ".join(words)
