"""The floor as a supervisor works it: figures, filters, notes, alarms, the wall, pauses, attendance, corrections."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PageAs
from tests.browser.test_pages import _overflow, _serious, _watch

SECONDS = 1000
BUSY = 45 * SECONDS  # simulated operators sign in, and a machine may be slow
LIST = '<div id="alarm-list" hidden>'
PAUSE = """() => fetch("/console/pause", {method: "POST", body: JSON.stringify({reason: "break"}), headers: {
    "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content, "Content-Type": "application/json"}})"""
# Counts the notes that the page plays.
EAR = """window.notes = 0;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.notes += 1; return make.call(this); };"""


@pytest.fixture
def floor(page_as: PageAs) -> Iterator[Page]:
    """The floor with simulated operators at work, in English; they leave afterwards."""
    page = page_as("supervisor", language="en")
    page.add_init_script(EAR)
    page.goto("/floor/?state=")
    page.locator("#simulated[aria-pressed=false]").click()
    expect(page.locator("#simulated[aria-pressed=true]")).to_be_visible()
    expect(page.locator(".operator-table tbody tr").nth(2)).to_be_visible(timeout=BUSY)
    yield page
    page.goto("/floor/?state=")
    page.locator("#simulated[aria-pressed=true]").click()
    expect(page.locator("#simulated[aria-pressed=false]")).to_be_visible()


def test_a_supervisor_works_the_floor(floor: Page, page_as: PageAs) -> None:
    faults = _watch(floor)
    assert floor.locator(".floor-cards .stat-card").count() == 6
    expect(floor.locator(".as-of")).to_contain_text("Data as of")
    expect(floor.locator("#board")).to_contain_text("limit 1.0%")
    before = floor.locator(".as-of").inner_text()
    expect(floor.locator(".as-of")).not_to_have_text(before, timeout=20 * SECONDS)  # it updates by itself
    assert _serious(floor) == []

    the_filter_is_kept(floor)
    a_new_alarm_is_said_once_and_without_sound(floor)
    the_sound_is_off_until_somebody_wants_it(floor)
    a_note_reaches_the_console(floor, page_as("operator", language="en"))
    the_wall_shows_it_all(page_as)
    assert faults == []


def the_filter_is_kept(page: Page) -> None:
    page.select_option("#filter-state", "paused")
    page.wait_for_url("**/floor/?state=paused**")
    expect(page.locator("#operators-title")).to_contain_text("of")
    page.goto("/floor/")
    assert page.input_value("#filter-state") == "paused"
    page.goto("/floor/?state=")
    expect(page.locator(".operator-table tbody tr").first).to_be_visible()


def a_new_alarm_is_said_once_and_without_sound(page: Page) -> None:
    def with_trouble(route: Route) -> None:
        answer = route.fetch()
        alarm = f'{LIST}<span data-alarm="hall">Trouble in the hall</span>'
        route.fulfill(response=answer, body=answer.text().replace(LIST, alarm))

    page.route("**/floor/board**", with_trouble)
    expect(page.locator(".toast-line", has_text="Trouble in the hall")).to_be_visible(timeout=25 * SECONDS)
    drawn = page.locator(".as-of").inner_text()
    expect(page.locator(".as-of")).not_to_have_text(drawn, timeout=25 * SECONDS)  # the same trouble, drawn again
    assert page.locator(".toast-line", has_text="Trouble in the hall").count() <= 1
    assert page.evaluate("window.notes") == 0
    page.unroute("**/floor/board**")


def the_sound_is_off_until_somebody_wants_it(page: Page) -> None:
    button = page.locator("#alarm-sound")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("window.notes === 2")  # how it will sound
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_contain_text("on")
    button.click()


def a_note_reaches_the_console(floor: Page, console: Page) -> None:
    console.goto("/console/")
    console.click("[data-act=connect]")
    expect(console.locator("#console[data-phase=paused]")).to_be_attached(timeout=10 * SECONDS)
    floor.click("#write-to-all")
    floor.fill("#note-text", "Drink water; the fair begins at five.")
    floor.click("#write-note button[value=yes]")
    expect(floor.locator(".note-list")).to_contain_text("Drink water")
    note = console.locator(".floor-note")
    expect(note).to_contain_text("the fair begins at five", timeout=10 * SECONDS)
    assert _serious(console) == []
    console.keyboard.press("v")
    expect(note).to_have_count(0)
    expect(floor.locator(".note-list")).to_contain_text("seen by 1", timeout=10 * SECONDS)
    floor.locator(".note-list button").first.click()
    expect(floor.locator(".note-list")).to_have_count(0)

    console.click("[data-act=leave]:visible")
    expect(console.locator("#console[data-phase=offline]")).to_be_attached(timeout=10 * SECONDS)


def the_wall_shows_it_all(page_as: PageAs) -> None:
    for scheme, language in (("light", "es"), ("dark", "en")):
        wall = page_as("supervisor", width=1920, scheme=scheme, language=language)
        faults = _watch(wall)
        wall.goto("/floor/tv")
        expect(wall.locator(".tv-operator").nth(1)).to_be_visible(timeout=BUSY)
        expect(wall.locator("#menu")).to_be_hidden()
        assert wall.locator("#board button").count() == 0
        assert _serious(wall) == []
        wall.set_viewport_size({"width": 360, "height": 740})
        assert _overflow(wall) <= 0
        assert faults == []


def test_a_pause_shows_its_limit_and_the_day_is_in_the_attendance(page_as: PageAs) -> None:
    console = page_as("operator", language="en")
    console.goto("/console/")
    console.click("[data-act=connect]")
    expect(console.locator("#console[data-phase=paused]")).to_be_attached(timeout=10 * SECONDS)
    expect(console.locator("#pause-dialog")).to_contain_text("15 minutes at most")
    console.evaluate(PAUSE)  # as the dialog posts it; who becomes available first may have a call instead
    limit = console.locator("#pause-limit")
    expect(limit).to_have_attribute("data-level", "calm", timeout=10 * SECONDS)
    expect(limit).to_contain_text("14:")
    console.goto("/floor/attendance/my-day")
    expect(console.locator("main")).to_contain_text("Paused: Short break")
    assert _serious(console) == []
    console.goto("/console/")
    console.click("[data-act=leave]:visible")

    report = page_as("supervisor", language="en", scheme="dark")
    report.goto("/floor/attendance/")
    expect(report.locator("table")).to_contain_text("Olga Medina Demo")
    assert _serious(report) == []
    report.set_viewport_size({"width": 360, "height": 740})
    assert _overflow(report) <= 0
    with report.expect_download() as download:
        report.click("a[href*='attendance.csv']")
    assert download.value.suggested_filename.startswith("attendance-")


def test_an_administrator_sets_a_limit_and_a_mistake_is_said_beside_its_field(page_as: PageAs) -> None:
    page = page_as("administrator", language="en")
    page.goto("/floor/pause-reasons/")
    page.fill("#new-word", "Water")
    page.fill("#new-minutes", "ten")
    page.locator("form:has(#new-word) button").click()
    expect(page.locator("#new-minutes-fault")).to_be_visible()
    assert page.input_value("#new-word") == "Water"
    assert _serious(page) == []
    page.fill("#break-minutes", "15")
    page.locator("form:has(#break-minutes) button").click()
    expect(page.locator(".alert-success")).to_be_visible()


def test_a_supervisor_corrects_an_outcome_of_the_demonstration(page_as: PageAs) -> None:
    page = page_as("supervisor", language="en")
    page.goto("/floor/calls/?outcome=refused")
    page.locator("tbody a").first.click()
    page.select_option("#code", "not_available")
    page.locator("form:has(#code) button").click()
    expect(page.locator("#reason-fault")).to_be_visible()
    assert page.input_value("#code") == "not_available"
    assert _serious(page) == []
    page.fill("#reason", "Another person of the house answered")
    page.locator("form:has(#code) button").click()
    expect(page.locator("ol")).to_contain_text("Another person of the house answered")
    assert _serious(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert _overflow(page) <= 0
