"""The menu of who rings us: who had called them and why, and a key for a person, for never again, for a message. Pure.

The steps are said by scripts.ivr at an Asterisk of ours, and by Twilio as surveys.faces.twiml writes them.
"""

from callcenter.ledger.inbound import Menu
from surveys.faces.sentences import sentence, spoken_address, tongue, why_called
from surveys.faces.turns import Heard, Say, Step

TRIES = 2
REMINDED = 10  # who waits hears every so many looks that they are not forgotten
OF_THE_HOUSE = "0"  # not spoken: an operator who works by telephone gives their code (callcenter.seats.dial_in)
RECORD = Step("record")  # what they say, after a tone
STRANGER = Menu("", "", "es", "", has_called=False, is_open=False, is_withheld=True)  # of whom nothing is known


def keys(menu: Menu) -> dict[str, str]:
    """Which key chooses what, a code of inbound.CHOICES. 9 is never again, too, as in our surveys."""
    opt_out = {} if menu.is_withheld else {"2": "opt_out", "9": "opt_out"}
    return ({"1": "operator"} if menu.is_open else {}) | opt_out | {"3": "message"}


def language(menu: Menu) -> str:
    """`es` or `en`: theirs, where the house speaks it."""
    return tongue(menu.language) or "es"


def ask(menu: Menu) -> Step:
    """Say who called and why, and read one key."""
    sponsor = menu.on_behalf_of or sentence("nameless", language(menu))
    why = why_called(menu.purpose, language(menu))
    told = [_say(menu, "who_called" if menu.has_called else "our_number", sponsor=sponsor, why=why)]
    if menu.privacy_notice_url:
        told.append(_say(menu, "notice", notice=spoken_address(menu.privacy_notice_url, language(menu))))
    told.append(_say(menu, "press_operator" if menu.is_open else "closed"))
    told.append(_say(menu, "hidden_number" if menu.is_withheld else "press_opt_out"))
    return Step("ask", (*told, _say(menu, "press_message")))


def choice(menu: Menu, heard: Heard, tries: int) -> str | None:
    """What the citizen chose, a code of inbound.CHOICES; None to ask once more. `tries`: asked so often."""
    if heard.kind == "gone":
        return "none"
    return keys(menu).get(heard.keys) or ("none" if tries >= TRIES else None)


def wait(menu: Menu, looks: int) -> Step:
    """For who waits for an operator, between two looks; `looks`: how many there were."""
    if looks % REMINDED:
        return Step("wait")
    return Step("listen", (_say(menu, "stay" if looks else "wait"),), keys="".join(keys(menu)))


def meanwhile(menu: Menu, heard: Heard) -> str:
    """What who waits wants: still an operator, or something else after all."""
    return keys(menu).get(heard.keys, "operator")


def nobody(menu: Menu, says: str) -> Step:
    """Nobody was free in time: whether we call back (`says` is callback), and whether they want to leave a message."""
    return Step("ask", (_say(menu, "call_back" if says == "callback" else "nobody"), _say(menu, "press_message")))


def after_nobody(menu: Menu, heard: Heard) -> str:
    """What they choose when nobody was free."""
    chosen = keys(menu).get(heard.keys, "none")
    return "none" if chosen == "operator" else chosen


def invite(menu: Menu) -> Step:
    """Before they speak: that it is recorded, who hears it, and how it ends."""
    return Step("listen", (_say(menu, "leave_message"),))


def goodbye(menu: Menu, chosen: str) -> Step:
    """The last words. `chosen`: what they had chosen; `silent` when no message was heard, `in_call` and `no_campaign`
    for who had nothing to choose (callcenter.ledger.inbound.why_not)."""
    codes = {"opt_out": "opted_out", "message": "message_left", "silent": "no_message",
             "in_call": "other_call", "no_campaign": "no_campaign"}  # fmt: skip
    return Step("end", (_say(menu, codes.get(chosen, "thanks")),))


def _say(menu: Menu, code: str, **values: str) -> Say:
    return Say(f"reception/{code}", sentence(code, language(menu), **values))
