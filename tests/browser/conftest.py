"""A whole product and Debian's Chromium, for tests that click through the pages as people do."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from scripts.bench import product
from scripts.demo import LOGINS, PASSWORD

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
USERNAMES = {login.role: login.username for login in LOGINS}
PageAs: TypeAlias = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium these tests are skipped in one sentence; where CI=true a missing Chromium is a failure."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            # Playwright's driver and the product speak over local sockets of their own.
            item.add_marker(pytest.mark.enable_socket)
            if not shutil.which(CHROMIUM) and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip("needs Debian's package chromium: apt-get install chromium"))


@pytest.fixture(scope="session")
def running_product() -> Iterator[product.Product]:
    """One product with the demonstration's data, and one imported list, for the whole session."""
    with product.running() as found:
        data = Path(__file__).parents[1] / "data"
        list_of_minatitlan = data / "contactos_minatitlan.csv"
        found.flask("contacts", "import", str(list_of_minatitlan), "--source", "Comité municipal")
        found.flask("territory", "import", "sections", str(data / "secciones_minatitlan.csv"))
        yield found


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """One in a process: each keeps an event loop at work."""
    if not shutil.which(CHROMIUM):
        pytest.fail("CI=true, and there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(driver: Playwright) -> Iterator[Browser]:
    found = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield found
    found.close()


@pytest.fixture(scope="session")
def signed_in(running_product: product.Product, browser: Browser) -> Callable[[str], str]:
    """The cookies of a role that has signed in once, for as many contexts as a test wants."""
    kept: dict[str, str] = {}
    folder = running_product.var.parent

    def cookies(role: str) -> str:
        if role not in kept:
            context = browser.new_context(base_url=running_product.url, locale="es-MX")
            sign_in(context, USERNAMES[role])
            kept[role] = str(folder / f"cookies-{role}.json")
            context.storage_state(path=kept[role])
            context.close()
        return kept[role]

    return cookies


@pytest.fixture
def page_as(running_product: product.Product, browser: Browser, signed_in: Callable[[str], str]) -> Iterator[PageAs]:
    """`page_as("operator", width=1280, scheme="dark", language="en")`: a page of that role, in a context of its own."""
    with ExitStack() as contexts:

        def open_page(role: str | None, *, width: int = 1280, scheme: str = "light", language: str = "es") -> Page:
            context = browser.new_context(
                base_url=running_product.url,
                storage_state=signed_in(role) if role else None,
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
                locale="es-MX" if language == "es" else "en-US",
                reduced_motion="reduce",
            )
            contexts.callback(context.close)
            return context.new_page()

        yield open_page


def sign_in(context: BrowserContext, username: str, password: str = PASSWORD) -> None:
    """Through the page, as a person does."""
    page = context.new_page()
    page.goto("/login")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: not url.endswith("/login"))
    page.close()
