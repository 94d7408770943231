"""Why a campaign is not dialling, as a supervisor follows it: nobody there, somebody comes, a pause, one person."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import PageAs

SECONDS = 1000
SOON = 25 * SECONDS  # news, a decision of the dialer, and the page's own next look
GONE = 150 * SECONDS  # until an operator whom another test left behind is logged off


def test_a_supervisor_sees_at_any_second_why_it_does_or_does_not_dial(page_as: PageAs) -> None:
    panel = page_as("supervisor")
    panel.goto("/campaigns/")
    panel.locator("tr", has_text="En marcha").locator("a[href*='/campaigns/calls/']").first.click()
    panel.locator("a[href$='/why']").click()
    expect(panel.locator("li[data-aspect]")).to_have_count(13)
    expect(panel.locator("li[data-aspect=team][data-code=no_operators]")).to_be_attached(timeout=GONE)
    expect(panel.locator("#zones-title ~ .table-responsive tbody tr").first).to_be_visible()

    console = page_as("operator")
    console.goto("/console/")
    console.click("[data-act=connect]")
    expect(console.locator("#console[data-phase=paused]")).to_be_attached(timeout=10 * SECONDS)
    console.click("[data-act=available]")
    busy = panel.locator("li[data-aspect=team]:is([data-code=some_free], [data-code=operators_busy])")
    expect(busy).to_be_attached(timeout=SOON)
    expect(panel.locator("#decisions li").first).to_be_visible(timeout=SOON)
    console.goto("/console/")
    console.locator("[data-act=leave]:visible").first.click()


def test_a_pause_names_who_paused_it_and_the_page_follows(page_as: PageAs) -> None:
    panel, campaign = page_as("supervisor"), page_as("strategist")
    campaign.goto("/campaigns/")
    campaign.locator("tr", has_text="En marcha").locator("a[href*='/campaigns/calls/']").first.click()
    panel.goto(campaign.url.rstrip("/") + "/why")
    expect(panel.locator("li[data-aspect=campaign][data-code=running]")).to_be_attached()
    campaign.locator("form[action$='/pause'] button").first.click()
    paused = panel.locator("li[data-aspect=campaign][data-code=paused]")
    expect(paused).to_be_attached(timeout=SOON)
    expect(panel.locator("#why .alert-danger")).to_contain_text("En pausa por")
    campaign.locator("form[action$='/resume'] button").first.click()
    expect(panel.locator("li[data-aspect=campaign][data-code=running]")).to_be_attached(timeout=SOON)


def test_one_person_is_looked_up_and_their_own_page_says_the_same(page_as: PageAs) -> None:
    panel = page_as("supervisor", width=360)
    panel.goto("/campaigns/calls/1/why")
    panel.fill("#person", "maria")
    panel.press("#person", "Enter")
    first = panel.locator("#found li").first
    expect(first).to_be_visible()
    expect(first.locator("[data-wait]")).not_to_be_empty()
    assert panel.evaluate("document.documentElement.scrollWidth") <= 360
    first.locator("a").click()
    expect(panel).to_have_url(re.compile(r"/contacts/\d+$"))
    expect(panel.locator("#verdict tr[data-wait]").first).to_be_visible(timeout=SOON)
