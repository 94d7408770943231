"""The map as people use it: by keyboard, and with a file that comes in."""

from pathlib import Path

from tests.browser.conftest import PageAs
from tests.callcenter.territory_files import WEEKLY


def test_an_area_of_the_map_is_reached_by_keyboard_and_says_its_figure(page_as: PageAs) -> None:
    tab = page_as("strategist")
    tab.goto("/territory/")
    area = tab.locator(".territory-map a").first
    area.focus()
    assert "2301: " in (area.get_attribute("aria-label") or "")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/territory/sections/30/2301")
    assert tab.locator("h1").inner_text().endswith("2301")


def test_a_nominal_list_comes_in_and_its_bad_row_is_told(page_as: PageAs, tmp_path: Path) -> None:
    path = tmp_path / "semanal.csv"
    path.write_text(WEEKLY, encoding="cp1252")
    tab = page_as("administrator")
    tab.goto("/territory/imports/")
    tab.set_input_files("#file", path)
    tab.click("main form button.btn-primary")
    tab.wait_for_selector("#as_of")
    assert tab.locator("section[aria-labelledby=faults-title] td.number").inner_text() == "8"
    tab.fill("#as_of", "2026-11-13")
    tab.click("form[action$=start] button")
    tab.wait_for_selector("form[action$=undo]")
    tab.goto("/territory/sections/30/2301")
    assert "2,006" in tab.locator("main").inner_text()
