"""An operator takes a call and the next one, a strategist sees it run, a pollster's chart fills."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAs

SECONDS = 1000
RINGS = 60 * SECONDS  # citizens ring, are busy or do not answer before one picks up


def test_an_operator_works_a_call_while_a_strategist_watches_and_a_chart_fills(page_as: PageAs) -> None:
    results = page_as("pollster")
    results.goto("/surveys/1/results")
    before = interviews(results)

    console = page_as("operator")
    console.goto("/console/")
    console.click("[data-act=connect]")
    expect(console.locator("#console[data-phase=paused]")).to_be_attached(timeout=10 * SECONDS)
    console.click("[data-act=available]")
    expect(console.locator("#console[data-phase=in_call]")).to_be_attached(timeout=RINGS)
    person = console.locator("h2[data-field='contact.name']").inner_text()
    assert person in console.locator("#greeting").inner_text()

    answer_until(console, "¿Cuántos años cumplidos tiene?")
    console.reload()
    expect(console.locator("#question-text")).to_contain_text("¿Cuántos años cumplidos tiene?")
    assert console.locator("h2[data-field='contact.name']").inner_text() == person

    answer_until(console, None)
    choose(console, "completed")
    expect(console.locator("[data-undo-label]")).to_be_visible(timeout=5 * SECONDS)
    expect(console.locator("#console[data-phase=in_call]")).to_be_attached(timeout=RINGS)
    assert console.locator("h2[data-field='contact.name']").inner_text() != person

    choose(console, "callback")
    console.fill("#callback-text", "mañana 6 pm")
    expect(console.locator("#callback-save")).to_be_enabled(timeout=5 * SECONDS)
    console.click("#callback-save")
    expect(console.locator("#console:not([data-phase=in_call])")).to_be_attached(timeout=10 * SECONDS)
    leave(console)

    until = time.monotonic() + 15
    while interviews(results) <= before and time.monotonic() < until:
        results.wait_for_timeout(500)
        results.reload()
    assert interviews(results) == before + 1
    expect(results.locator("img.chart-light").first).to_be_visible()

    strategist_sees_the_campaigns(page_as("strategist"))


def strategist_sees_the_campaigns(page: Page) -> None:
    page.goto("/segments/")
    assert page.locator("table tbody tr").count() >= 1
    page.goto("/campaigns/")
    expect(page.locator("main")).to_contain_text("En marcha")
    expect(page.locator("a[href*='/campaigns/calls/']").first).to_be_visible()
    expect(page.locator("a[href*='/campaigns/messages/']").first).to_be_visible()


def interviews(page: Page) -> int:
    """The n of the headline."""
    found = re.search(r"n\s*=\s*([\d,]+)", page.locator("#results").inner_text())
    assert found, "the results name no n"
    return int(found[1].replace(",", ""))


def answer_until(page: Page, wanted: str | None) -> None:
    """Answer each question with something it takes, until `wanted` is asked (None: until the last)."""
    for _turn in range(40):
        expect(page.locator("#question-text")).to_be_visible()
        asked = page.locator("#question-text").inner_text()
        if (wanted and wanted in asked) or page.locator("#script form").count() == 0:
            return
        value = page.locator("#script #value")
        if value.count():
            value.fill("8" if "0 al 10" in asked else "40")
        shown = page.locator("#script [name=item]").input_value()
        page.locator("#script .option").first.click()
        if page.locator("#script input[type=checkbox]").count():
            page.locator("#script button[data-key=Enter]").click()
        expect(page.locator(f"#script [name=item][value='{shown}']")).to_have_count(0)
    raise AssertionError(f"{wanted or 'the end'} was never reached")


def choose(page: Page, outcome: str) -> None:
    button = page.locator(f"[data-outcome={outcome}]")
    if not button.is_visible():
        page.click("#arm")
    button.click()


def leave(page: Page) -> None:
    """End the shift, so that the simulated citizens are not kept waiting for this operator."""
    page.goto("/console/")
    page.locator("[data-act=leave]:visible").first.click()
