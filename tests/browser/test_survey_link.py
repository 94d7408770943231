"""A survey by link on a small telephone: no log-in, one tap an answer, a reload loses nothing; and its house page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_pages import TAGS

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SOON = 20_000


def violations(page: Page) -> list[str]:
    """axe-core's serious and critical faults."""
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def links(product: Product, people: int) -> list[str]:
    addresses = product.python("scripts.bench.answers", "links", "1", str(people)).split()
    return [address[address.index("/e/") :] for address in addresses]


@pytest.mark.parametrize(("place", "scheme", "language"), [(0, "light", "es"), (1, "dark", "en")])
def test_a_person_answers_on_a_telephone(
    page_as: PageAs, running_product: Product, place: int, scheme: str, language: str
) -> None:
    page = page_as(None, width=360, scheme=scheme, language=language)
    link = links(running_product, 2)[place]
    page.goto(link)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator(".interview form button").click()
    expect(page.locator("#answer input[name=item]")).to_have_value("consent", timeout=SOON)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#answer button[value=yes]").click()
    field = page.locator("#value")
    expect(field).to_be_visible(timeout=SOON)
    field.fill("7")
    field.press("Enter")
    expect(page.locator("#fault")).to_be_visible(timeout=SOON)
    assert violations(page) == []
    page.locator("#value").fill("34")
    page.locator("#value").press("Enter")
    expect(page.locator("#answer input[name=item]")).to_have_value("sex", timeout=SOON)
    page.goto(link)
    expect(page.locator("#answer input[name=item]")).to_have_value("sex", timeout=SOON)
    page.locator(".interview-top a").first.click()
    expect(page.locator("#value")).to_have_value("34", timeout=SOON)


def test_a_broken_link_says_what_to_do(page_as: PageAs, running_product: Product) -> None:
    page = page_as(None, width=360)
    page.goto("/e/bbbbbbbbbbbbbbbb")
    expect(page.locator("h1")).to_contain_text("no abre ninguna encuesta")
    assert violations(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_page_of_links_counts_them(page_as: PageAs, running_product: Product, width: int, scheme: str) -> None:
    links(running_product, 2)
    page = page_as("pollster", width=width, scheme=scheme)
    page.goto("/surveys/1/links")
    expect(page.locator(".stat-value").first).to_have_text("2")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
