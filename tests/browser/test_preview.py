"""Looking before calling, as an operator does it with the keyboard: look, skip with a reason, call; and picking whom
they call from a list that is dialled by hand."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAs
from tests.browser.test_pages import _overflow, _serious, _watch

SECONDS = 1000
NEXT = 20 * SECONDS  # until the dialer shows the next person; the machine may be busy
RING = 45 * SECONDS  # the longest that an invented phone rings
PACE = "#pace [name=mode][value=%s]"
PHASES = "#console[data-phase=%s]"
LEAVE = """() => fetch("/console/leave", {method: "POST", body: "{}", headers: {
    "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content, "Content-Type": "application/json"}})"""


@pytest.fixture
def strategist(page_as: PageAs) -> Iterator[Page]:
    """The page of the demonstration's calling campaign; afterwards it dials as it did before."""
    page = page_as("strategist", language="en")
    page.goto("/campaigns/calls/1")
    before = page.locator("#pace [name=mode]:checked").get_attribute("value")
    yield page
    assert before is not None
    dial(page, before)


@pytest.fixture
def console(page_as: PageAs) -> Iterator[Page]:
    """An operator's console, connected and paused; the operator leaves afterwards, whatever they were doing."""
    page = page_as("operator", language="en")
    page.goto("/console/")
    go_home(page)
    page.click("[data-act=connect]")
    expect(page.locator(PHASES % "paused")).to_be_attached(timeout=NEXT)
    yield page
    go_home(page)


def test_an_operator_looks_skips_with_a_reason_and_calls(strategist: Page, console: Page) -> None:
    faults = _watch(console)
    dial(strategist, "preview")
    console.keyboard.press("Space")  # available
    first = looked_at(console)
    assert first
    expect(console.locator("#preview [data-field='preview.contact.phone']")).to_contain_text("•")
    expect(console.locator("#preview-left")).to_be_visible()
    assert _serious(console) == []
    console.set_viewport_size({"width": 768, "height": 900})
    assert _overflow(console) <= 0
    console.set_viewport_size({"width": 1280, "height": 900})

    console.keyboard.press("1")  # not a good time for this person
    expect(console.locator("#preview-name")).not_to_have_text(first, timeout=NEXT)
    second = looked_at(console)
    assert second != first

    console.keyboard.press("Space")  # call now
    expect(console.locator("#preview[data-step=ring]")).to_be_attached(timeout=NEXT)
    expect(console.locator("#preview [data-act=preview-stop]")).to_be_visible()
    console.wait_for_function(
        """name => !document.querySelector("#console[data-phase=preview]")
           || document.querySelector("#preview-name").textContent !== name""",
        arg=second,
        timeout=RING,
    )  # somebody talks, or nobody answered and the next person is there
    assert faults == []


def test_an_operator_picks_whom_to_call_and_hangs_up(strategist: Page, console: Page) -> None:
    dial(strategist, "manual")
    console.keyboard.press("Space")
    expect(console.locator(PHASES % "available")).to_be_attached(timeout=NEXT)
    console.keyboard.press("l")
    rows = console.locator("#people-dialog .people-list li")
    expect(rows.nth(1)).to_be_visible(timeout=NEXT)
    assert _serious(console) == []
    console.locator("#people-search").fill("zzzz nobody")
    expect(console.locator("#people")).to_contain_text("Nobody of your lists is called so")
    console.locator("#people-search").fill("")
    expect(rows.nth(1)).to_be_visible(timeout=NEXT)
    wanted = rows.first.locator("strong").inner_text()
    rows.first.locator("[data-take]").click()
    assert looked_at(console) == wanted
    console.keyboard.press("Space")
    expect(console.locator("#preview[data-step=ring]")).to_be_attached(timeout=NEXT)
    console.keyboard.press("h")
    expect(console.locator("#preview[data-step=ring]")).to_be_hidden(timeout=RING)


def looked_at(page: Page) -> str:
    """Who is before the operator."""
    expect(page.locator(PHASES % "preview")).to_be_attached(timeout=NEXT)
    expect(page.locator("#preview [data-act=preview-call]")).to_be_visible(timeout=NEXT)
    return page.locator("#preview-name").inner_text()


def dial(page: Page, mode: str) -> None:
    page.goto("/campaigns/calls/1")
    page.locator("#pace summary").click()
    page.locator(PACE % mode).check()
    page.locator("form[action$='/pace'] button").click()
    expect(page.locator(".alert-success")).to_be_visible()


def go_home(page: Page) -> None:
    """End whatever the operator is in the middle of, and their shift."""
    for _ in range(60):
        phase = page.locator("#console").get_attribute("data-phase")
        if phase == "offline":
            return
        page.evaluate(LEAVE)  # at once, or after the call that is under way
        for act in ("[data-act=preview-stop]", "[data-act=hang-up]", "#outcomes button"):
            button = page.locator(f"{act}:visible").first
            if button.count():
                button.dispatch_event("click")  # it may be gone in the next moment
        page.wait_for_timeout(500)
    pytest.fail(f"the operator cannot leave: {phase}")
