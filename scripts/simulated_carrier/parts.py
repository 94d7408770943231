"""In how many parts a text is billed (https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding). Pure."""

import re

_EXTENDED = "^{}\\[]~|€"  # two septets each, which never lie in two parts
_GSM_7 = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\\[~\]|€]*")
_TWO = re.compile(f"[{re.escape(_EXTENDED)}]")


def parts(body: str) -> int:
    """1 for an empty text, too."""
    if _GSM_7.fullmatch(body):
        septets = len(body) + len(_TWO.findall(body))
        return 1 if septets <= 160 else _filled(body, _EXTENDED, 153)
    units = len(body.encode("utf-16-le")) // 2
    return 1 if units <= 70 else _filled(body, None, 67)


def _filled(body: str, wide: str | None, room: int) -> int:
    """Fill parts letter by letter: what takes two places goes into the next part when only one is left.

    `wide`: the letters of two places; None: those outside the basic plane (UTF-16 pairs)."""
    count, left = 1, room
    for letter in body:
        needs = 2 if (letter in wide if wide is not None else letter > "\uffff") else 1
        if needs > left:
            count, left = count + 1, room
        left -= needs
    return count
