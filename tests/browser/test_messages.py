"""A small SMS campaign as people see it: looked at, sent, received, and one BAJA that is obeyed at once."""

import json
import re
import time

import requests
from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs

SECONDS = 1000


def test_a_campaign_is_sent_received_and_a_baja_obeyed(page_as: PageAs, running_product: Product) -> None:
    strategist = page_as("strategist")
    strategist.goto("/campaigns/")
    strategist.get_by_role("link", name="Recordatorio").click()
    strategist.get_by_role("button", name=re.compile(r"Enviar [\d,]+ mensajes")).click()
    expect(strategist.locator("main")).to_contain_text(re.compile("En marcha|Terminada"), timeout=10 * SECONDS)

    phone = some_receiver(running_product, after=time.monotonic() + 30)
    carrier = json.loads((running_product.var / "processes.json").read_text())["carrier"]
    requests.post(
        f"{carrier}/control/sms", json={"from": phone, "body": "Baja, por favor"}, timeout=5
    ).raise_for_status()

    clerk = page_as("supervisor")
    person = person_with(clerk, phone)
    until = time.monotonic() + 10
    while "No aceptó" not in clerk.locator("main").inner_text() and time.monotonic() < until:
        clerk.wait_for_timeout(200)
        clerk.goto(person)
    expect(clerk.locator("main")).to_contain_text("No aceptó")

    strategist.goto("/campaigns/inbox/?show=opt_out")
    expect(strategist.locator("main")).to_contain_text("Baja, por favor")


def some_receiver(product: Product, after: float) -> str:
    """A phone that the carrier has just brought one of our texts to."""
    journal = product.var / "simulated_carrier.jsonl"
    while time.monotonic() < after:
        for line in reversed(journal.read_text().splitlines() if journal.exists() else []):
            entry = json.loads(line)
            if entry["kind"] == "message":
                return str(entry["to"])
        time.sleep(0.2)
    raise AssertionError("the carrier was asked for no message")


def person_with(page: Page, phone: str) -> str:
    """The address of the page of the person who has this phone."""
    page.goto(f"/contacts/?phone={phone.replace('+', '%2B')}")
    page.locator("main table a").first.click()
    page.wait_for_load_state()
    return page.url
