"""A ballot with pictures: a pollster uploads them beside the form, a citizen marks it on a small telephone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_survey_link import SOON, violations
from tests.surveys.pictures.picture_cast import ballot, packed, png

COLOURS = {"azul.png": (30, 90, 200), "verde.jpg": (20, 140, 60), "rojo.webp": (200, 30, 40)}


def files(*named: tuple[str, bytes]) -> list[Any]:
    return [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in named]


@pytest.fixture(scope="module")
def survey_id(running_product: Product, signed_in: Any, browser: Any) -> str:
    """Made in the page: the form with most of its pictures, then a ZIP with the last one."""
    context = browser.new_context(base_url=running_product.url, storage_state=signed_in("pollster"), locale="es-MX")
    page: Page = context.new_page()
    page.goto("/surveys/")
    page.fill("#name", "Boleta simulada")
    page.set_input_files("#file", files(("boleta.xlsx", ballot())))
    emblems = [(name, png(240, 180, colour)) for name, colour in COLOURS.items()]
    page.set_input_files("#pictures", files(*emblems))
    page.locator("form[enctype] button").click()
    expect(page.locator(".alert-warning")).to_contain_text("boleta.png", timeout=SOON)
    number = page.url.rpartition("/")[2]
    page.goto(f"/surveys/{number}/pictures")
    page.set_input_files("#pictures", files(("todo.zip", packed(("boletas/boleta.png", png(900, 200))))))
    page.locator("form[enctype] button").click()
    expect(page.locator(".picture-line img")).to_have_count(4, timeout=SOON)
    context.close()
    return number


@pytest.mark.parametrize(("place", "scheme", "language"), [(0, "light", "es"), (1, "dark", "en")])
def test_a_citizen_marks_a_ballot_with_pictures(
    page_as: PageAs, running_product: Product, survey_id: str, place: int, scheme: str, language: str
) -> None:
    address = running_product.python("scripts.bench.answers", "links", survey_id, "2").split()[place]
    page = page_as(None, width=360, scheme=scheme, language=language)
    page.goto(address[address.index("/e/") :])
    page.locator(".interview form button").click()
    page.locator("#answer button[value=yes]").click()
    expect(page.locator("#answer input[name=item]")).to_have_value("vote", timeout=SOON)
    pictures = page.locator("#answer img")
    expect(pictures).to_have_count(4)
    for place_of, width in enumerate((900, 240, 240, 240)):
        expect(pictures.nth(place_of)).to_have_js_property("naturalWidth", width, timeout=SOON)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = [box for one in page.locator(".options-drawn .option").all() if (box := one.bounding_box())]
    assert len(boxes) == 4
    assert all(box["width"] >= 120 and box["height"] >= 56 for box in boxes)
    assert boxes[0]["y"] == boxes[1]["y"]  # two beside each other, as on paper
    page.get_by_role("button", name={"es": "Partido Azul", "en": "Blue Party"}[language], exact=True).locator(
        "img"
    ).click()
    expect(page.locator("#answer input[name=item]")).to_have_value("liked", timeout=SOON)
    page.locator(".options-drawn label").first.click()
    expect(page.locator(".options-drawn input").first).to_be_checked()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1366, "light")])
def test_the_page_of_pictures_and_the_trial_are_in_order(
    page_as: PageAs, survey_id: str, width: int, scheme: str
) -> None:
    page = page_as("pollster", width=width, scheme=scheme)
    page.goto(f"/surveys/{survey_id}/pictures")
    expect(page.locator(".picture-line img")).to_have_count(4)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"/surveys/{survey_id}/try")
    page.locator("#answer button[value=yes]").click()
    expect(page.locator(".options-drawn img")).to_have_count(3, timeout=SOON)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
