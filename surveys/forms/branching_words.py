"""Conditions of a questionnaire in words, for readers who do not read XPath: «the answer to “…” is “Sí”». Pure."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from surveys.forms import expressions
from surveys.forms.instance import by_name, choice_labels, wording
from surveys.forms.items import Items

SHORT = 60  # characters of a question's words
SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


class Speaker:
    """Says the conditions of one questionnaire in one language of its own."""

    def __init__(self, items: Items, language: str = "") -> None:
        self._items, self._language, self._own = items, language, ""
        self._named = by_name(items)
        self._labels: Mapping[tuple[str, str], str] = choice_labels(items, language)

    def words(self, expression: str, own: str = "") -> str:
        """The condition as a part of a sentence; the expression itself where it says more than we have words for.

        `own`: the item whose answer `.` means."""
        self._own = own
        try:
            said = self._say(expressions.parse(expression))
        except expressions.ExpressionError:
            return expression
        return expression if said is None else said

    def _say(self, token: Any) -> str | None:
        # None: there are no words for it.
        if token.symbol == "(" and len(token) == 1:
            return self._say(token[0])
        if token.symbol in ("and", "or"):
            return self._both(token)
        if token.symbol in SWAPPED:
            return self._compared(token)
        if token.symbol == "selected" and len(token) == 2:
            return self._selected(token)
        if token.symbol == "not" and len(token) == 1:
            said = self._say(token[0])
            return None if said is None else str(_("not (%(condition)s)", condition=said))
        return None

    def _both(self, token: Any) -> str | None:
        left, right = self._side(token, token[0]), self._side(token, token[1])
        if left is None or right is None:
            return None
        if token.symbol == "and":
            return str(_("%(one)s and %(other)s", one=left, other=right))
        return str(_("%(one)s or %(other)s", one=left, other=right))

    def _side(self, token: Any, side: Any) -> str | None:
        said = self._say(side)
        inner = side[0] if side.symbol == "(" and len(side) == 1 else side
        mixed = inner.symbol in ("and", "or") and inner.symbol != token.symbol
        return f"({said})" if said is not None and mixed else said

    def _compared(self, token: Any) -> str | None:
        left, right, symbol = token[0], token[1], token.symbol
        if self._item(right) is not None and self._item(left) is None:
            left, right, symbol = right, left, SWAPPED[symbol]
        item, value = self._item(left), _literal(right)
        if value is None:
            return None
        if left.symbol == "count-selected" and len(left) == 1:
            return self._counted(self._item(left[0]), symbol, value)
        if item is None:
            return None
        return self._about(item, symbol, value)

    def _about(self, item: str, symbol: str, value: str) -> str:
        question = self._question(item)
        if symbol in ("=", "!=") and not value:
            if symbol == "=":
                return str(_("“%(question)s” has no answer", question=question))
            return str(_("“%(question)s” has an answer", question=question))
        answer = self._labels.get((item, value), value)
        sentences = {
            "=": _("the answer to “%(question)s” is “%(answer)s”", question=question, answer=answer),
            "!=": _("the answer to “%(question)s” is not “%(answer)s”", question=question, answer=answer),
            "<": _("“%(question)s” is less than %(answer)s", question=question, answer=answer),
            "<=": _("“%(question)s” is %(answer)s or less", question=question, answer=answer),
            ">": _("“%(question)s” is more than %(answer)s", question=question, answer=answer),
            ">=": _("“%(question)s” is %(answer)s or more", question=question, answer=answer),
        }
        return str(sentences[symbol])

    def _counted(self, item: str | None, symbol: str, value: str) -> str | None:
        if item is None:
            return None
        return str(
            _(
                "the number of answers to “%(question)s” is %(symbol)s %(number)s",
                question=self._question(item),
                symbol=symbol,
                number=value,
            )
        )

    def _selected(self, token: Any) -> str | None:
        item, code = self._item(token[0]), _literal(token[1])
        if item is not None and code is not None:
            answer = self._labels.get((item, code), code)
            if self._named[item]["type"] == "select_one":
                return self._about(item, "=", code)
            return str(
                _("“%(answer)s” is among the answers to “%(question)s”", answer=answer, question=self._question(item))
            )
        codes, item = _literal(token[0]), self._item(token[1])
        if codes is None or item is None:
            return None
        answers = ", ".join(f"“{self._labels.get((item, one), one)}”" for one in codes.split())
        return str(
            _("the answer to “%(question)s” is one of %(answers)s", question=self._question(item), answers=answers)
        )

    def _item(self, token: Any) -> str | None:
        """The item that a token names: `/data/age`, or `.`."""
        if token.symbol == ".":
            return self._own if self._own in self._named else None
        if token.symbol != "/" or len(token) != 2 or token[0].symbol != "/":
            return None
        name = str(token[1].value)
        return name if name in self._named else None

    def _question(self, item: str) -> str:
        words = " ".join(wording(self._items, self._named[item]["label"], self._language).split()) or item
        return words if len(words) <= SHORT else words[: SHORT - 1].rstrip() + "…"


def _literal(token: Any) -> str | None:
    if token.symbol in ("(string)", "(integer)", "(decimal)", "(float)"):
        return expressions.as_text(token.value)
    if token.symbol == "-" and len(token) == 1:
        said = _literal(token[0])
        return None if said is None else f"-{said}"
    return None
