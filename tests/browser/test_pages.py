"""Every page of the product, as each kind of person sees it: accessible, without errors, never too wide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response

from scripts.bench.product import Product
from scripts.pages import PageOf, pages
from tests.browser.conftest import PageAs

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FIRST_LOAD_KB = 150
# The first role of a page sees it in both looks, the others in the first.
LOOKS = [("light", "es"), ("dark", "en")]
ALL = pages()


def _cases() -> Iterator[Any]:
    """Each page once as every role that opens it sees the frame; the looks change from role to role."""
    for page in ALL:
        for role in page.roles or (None,):
            yield pytest.param(page, role, id=f"{page.endpoint}-{role or 'everybody'}")


@pytest.mark.parametrize(("page_of", "role"), list(_cases()))
def test_a_page_is_sound(page_of: PageOf, role: str | None, page_as: PageAs, running_product: Product) -> None:
    """In light and dark, in Spanish and English, on a desk and on a telephone."""
    first = (page_of.roles or (None,))[0]
    looks = LOOKS if role == first else LOOKS[:1]
    for scheme, language in looks:
        tab = page_as(role, scheme=scheme, language=language)
        faults = _watch(tab)
        answer = tab.goto(page_of.address, wait_until="load")
        assert answer is not None
        assert answer.status == 200
        assert tab.get_attribute("html", "lang") == language
        assert tab.get_attribute("html", "data-bs-theme") == scheme
        assert _serious(tab) == []
        narrow = 768 if page_of.endpoint.startswith("console.") else 360
        tab.set_viewport_size({"width": narrow, "height": 740})
        assert _overflow(tab) <= 0, f"scrolls sideways at {narrow} px: {_widest(tab, narrow)}"
        assert faults == []


@pytest.mark.parametrize("page_of", [pytest.param(page, id=page.endpoint) for page in ALL])
def test_the_first_load_is_small(page_of: PageOf, page_as: PageAs) -> None:
    tab = page_as((page_of.roles or (None,))[0])
    sizes: list[int] = []
    tab.on("response", lambda response: sizes.append(_size(response)))
    tab.goto(page_of.address, wait_until="load")
    assert sum(sizes) / 1000 <= FIRST_LOAD_KB


def test_a_reader_of_the_keyboard_skips_to_the_content(page_as: PageAs) -> None:
    tab = page_as("administrator")
    tab.goto("/people")
    tab.keyboard.press("Tab")
    assert "skip-link" in (tab.evaluate("document.activeElement.className") or "")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_the_menu_opens_on_a_telephone(page_as: PageAs) -> None:
    tab = page_as("administrator", width=360)
    tab.goto("/people")
    tab.click(".menu-button")
    tab.wait_for_selector("#menu.show")
    assert tab.is_visible("#menu .nav-link.active")


def test_a_chosen_theme_is_there_before_the_first_paint(page_as: PageAs) -> None:
    tab = page_as(None, scheme="light")
    tab.goto("/login")
    tab.click(".top-bar .dropdown > button")
    tab.click("button[name=theme][value=dark]")
    tab.wait_for_load_state("load")
    assert tab.get_attribute("html", "data-bs-theme") == "dark"


def _watch(tab: Page) -> list[str]:
    """What the browser's console and its network say is wrong, while the page is open."""
    faults: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    tab.on("console", said)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    return faults


def _serious(tab: Page) -> list[str]:
    """axe-core's serious and critical faults: rule, and where. Scripts of the test pass the page's own policy."""
    tab.evaluate(AXE.read_text() + "; undefined")
    found = tab.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
    )
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def _overflow(tab: Page) -> int:
    return int(tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def _widest(tab: Page, width: int) -> list[str]:
    """Which elements stand out, for the message."""
    found: list[str] = tab.evaluate(
        """width => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > width + 1)
           .slice(0, 5).map(e => e.outerHTML.slice(0, 120))""",
        width,
    )
    return found


def _size(response: Response) -> int:
    """Bytes over the wire; a stream of news has no end and is no part of the first load."""
    if "text/event-stream" in (response.headers.get("content-type") or ""):
        return 0
    length = response.headers.get("content-length")
    return int(length) if length else len(response.body())
