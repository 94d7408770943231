"""What a browser would send of a page: for tests that press its buttons one after the other."""

from html.parser import HTMLParser
from typing import Any


def form_on(page: str, form_id: str = "rule") -> dict[str, Any]:
    """Every input, checked box and chosen option of the form."""
    reader = _Reader(form_id)
    reader.feed(page)
    form: dict[str, Any] = {}
    for name, value in reader.found:
        form.setdefault(name, []).append(value)
    return form


class _Reader(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.found: list[tuple[str, str]] = []
        self.is_inside = self.is_first = False
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.is_inside = self.is_inside or said.get("id") == self.form_id
        if not self.is_inside:
            return
        name = said.get("name") or ""
        if tag == "input" and name and (said.get("type") != "checkbox" or "checked" in said):
            self.found.append((name, said.get("value") or ""))
        elif tag == "select":
            self.select, self.is_first = name, True
        elif tag == "option" and self.select:
            self._option(said)

    def _option(self, said: dict[str, str | None]) -> None:
        """The first option is sent unless a later one is selected."""
        if "selected" in said and not self.is_first:
            self.found.pop()
        if "selected" in said or self.is_first:
            self.found.append((self.select, said.get("value") or ""))
        self.is_first = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = ""
