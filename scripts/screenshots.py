"""Pictures of every page for the documentation, from a product that runs with the demonstration's data.

`python -m scripts.screenshots --url http://127.0.0.1:8000 --out docs/images` takes each page once, as the first role
that opens it, in light colours; a few also in dark and on a telephone.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from scripts.demo import LOGINS, PASSWORD
from scripts.pages import PageOf, pages

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
USERNAMES = {login.role: login.username for login in LOGINS}
# Pages that are also shown in dark colours and at the width of a telephone.
ALSO = ("floor.page", "campaigns.page", "surveys.results", "security.login")
SIZE = {"width": 1120, "height": 700}  # keeps each picture below 150 kB
CALL = {"width": 1280, "height": 860}
MANY_OPTIONS = 6  # the question about the vote
TELEPHONE = {"width": 360, "height": 740}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--url", required=True, help="the running product")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the pictures")
    parser.add_argument("--language", choices=("es", "en"), default="es")
    parser.add_argument("--only", default="", help="only pages whose name holds this text")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = [page for page in pages() if options.only in page.endpoint]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        taken = [take(browser, page, options.url, options.out, options.language) for page in wanted]
        if options.only in "console":
            taken.append(take_call(browser, options.url, options.out, options.language))
        browser.close()
    print(f"{sum(taken)} pictures in {options.out}")
    return 0


def take(browser: Browser, page: PageOf, url: str, out: Path, language: str) -> int:
    """Pictures of one page; returns how many were made."""
    looks = [("", "light", SIZE)]
    if page.endpoint in ALSO:
        looks += [("-dark", "dark", SIZE), ("-360", "light", TELEPHONE)]
    role = page.roles[0] if page.roles else None
    if "operator" in page.roles and page.endpoint.startswith("console."):
        role = "operator"
    for suffix, scheme, size in looks:
        with context_of(browser, url, role, scheme, language, size) as context:
            tab = context.new_page()
            tab.goto(page.address, wait_until="load")
            tab.wait_for_timeout(700)  # live parts draw themselves after the first news
            tab.screenshot(path=out / f"{name_of(page)}{suffix}.png")
    return len(looks)


def take_call(browser: Browser, url: str, out: Path, language: str) -> int:
    """The console in a call, which no address alone shows: an operator takes the next one, and ends the shift after."""
    with context_of(browser, url, "operator", "light", language, CALL) as context:
        tab = context.new_page()
        tab.goto("/console/")
        tab.click("[data-act=connect]")
        tab.wait_for_selector("#console[data-phase=paused]")
        tab.click("[data-act=available]")
        tab.wait_for_selector("#console[data-phase=in_call] #question-text", timeout=90_000)
        while tab.locator("#script .option").count() < MANY_OPTIONS and tab.locator("#script form").count():
            asked = tab.locator("#script [name=item]").input_value()
            if tab.locator("#script #value").count():
                tab.fill("#script #value", "10" if "10" in tab.inner_text("#question-text") else "40")
            tab.locator("#script .option").first.click()
            tab.wait_for_selector(f"#script [name=item][value='{asked}']", state="detached")
        tab.evaluate("scrollTo(0, 0)")
        tab.mouse.move(0, 0)  # an option under the pointer would look chosen
        tab.wait_for_timeout(700)
        tab.screenshot(path=out / "console.png")
        tab.click("#leave-after")
        tab.click("#arm")
        tab.click("[data-outcome=partial]")
        tab.wait_for_selector("#console[data-phase=offline]")
    return 1


def name_of(page: PageOf) -> str:
    return re.sub(r"\W+", "-", page.endpoint)


@contextmanager
def context_of(
    browser: Browser, url: str, role: str | None, scheme: str, language: str, size: dict[str, int]
) -> Iterator[BrowserContext]:
    """A browser of its own, signed in as the role."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="es-MX" if language == "es" else "en-US",
        reduced_motion="reduce",
    )
    if role:
        page = context.new_page()
        page.goto("/login")
        page.fill("input[name=username]", USERNAMES[role])
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda address: not address.endswith("/login"))
        page.close()
    try:
        yield context
    finally:
        context.close()


if __name__ == "__main__":
    sys.exit(main())
