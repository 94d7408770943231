"""The inbox from the keyboard: somebody is answered, writes again, is promised a call, says BAJA; an operator's own."""

import json
import re
import time
from pathlib import Path

import requests
from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_pages import TAGS

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SECONDS = 1000
SOON = 20 * SECONDS
ANSWER = "Abrimos a las diez de la mañana, en la casa de la esquina."


def test_somebody_is_answered_from_the_keyboard_and_writes_again(page_as: PageAs, running_product: Product) -> None:
    page = page_as("supervisor", width=1366)
    page.goto("/campaigns/inbox/?show=unassigned")
    rows = page.locator(".inbox-rows li")
    expect(rows.first).to_be_visible(timeout=SOON)
    press(page, "j")
    expect(page.locator("#thread .bubble-in").first).to_be_visible(timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    press(page, "r")
    expect(page.locator("#reply-text")).to_be_focused(timeout=SOON)
    page.keyboard.type(ANSWER)
    expect(page.locator("#reply-parts")).to_contain_text("parte", timeout=SOON)
    conversation = page.url
    page.reload()
    page.wait_for_load_state()
    expect(page.locator("#reply-text")).to_have_value(ANSWER, timeout=SOON)  # a reload loses nothing
    page.focus("#reply-text")
    page.keyboard.press("Control+Enter")
    ours = page.locator("#thread .bubble-out", has_text=ANSWER)
    expect(ours).to_have_count(1, timeout=SOON)
    expect(ours).to_contain_text("Entregado", timeout=SOON)  # by the carrier, past the gate
    expect(page.locator("#reply-text")).to_have_value("", timeout=SOON)

    phone = receiver(running_product, (ours.get_attribute("id") or "").removeprefix("out-"))
    say(running_product, phone, "¿Y los domingos?")
    expect(page.locator("#thread")).to_contain_text("¿Y los domingos?", timeout=SOON)  # without a reload

    press(page, "b")
    page.fill("#call-when", "ayer")
    page.press("#call-when", "Enter")
    expect(page.locator("#call-fault")).to_be_visible(timeout=SOON)
    page.fill("#call-when", "mañana 6 pm")
    page.press("#call-when", "Enter")
    expect(page.locator(".alert-success", has_text="Se le llamará")).to_be_visible(timeout=SOON)

    page.locator("body").click(position={"x": 5, "y": 5})
    press(page, "e")
    page.wait_for_url(lambda url: url != conversation)
    page.goto(conversation)
    expect(page.locator("#reply-text")).to_be_visible(timeout=SOON)
    say(running_product, phone, "BAJA")
    expect(page.locator(".inbox-note")).to_contain_text("pidió que no se le contacte", timeout=SOON)  # without a reload
    expect(page.locator("#reply-text")).to_be_hidden()
    page.reload()
    expect(page.locator(".inbox-note")).to_be_visible(timeout=SOON)
    expect(page.locator("#reply-text")).to_have_count(0)


def test_a_canned_reply_is_written_by_its_short_name(page_as: PageAs) -> None:
    page = page_as("supervisor")
    page.goto("/campaigns/inbox/canned")
    page.fill("#shortcut-new", "con espacio")
    page.fill("#text-new", "Gracias, {given_names|vecina}.")
    page.locator("form:has(#shortcut-new) button").click()
    expect(page.locator(".invalid-feedback")).to_be_visible(timeout=SOON)
    page.fill("#shortcut-new", "gracias")
    page.press("#shortcut-new", "Enter")
    expect(page.locator("main")).to_contain_text("/gracias", timeout=SOON)
    page.goto("/campaigns/inbox/?show=all")
    page.locator(".inbox-rows a:not(:has(.text-bg-danger))").first.click()
    page.locator("#reply-text").press_sequentially("/gracias ")
    expect(page.locator("#reply-text")).to_have_value(re.compile(r"^Gracias, .+\.$"), timeout=SOON)
    page.fill("#reply-text", "")
    page.keyboard.press("Escape")
    press(page, "c")
    page.fill("#canned-find", "GRÁCIAS")
    page.locator("[data-insert]:visible").click()
    expect(page.locator("#reply-text")).to_have_value(re.compile("^Gracias"), timeout=SOON)


def test_an_operator_takes_the_next_one_on_a_telephone(page_as: PageAs) -> None:
    page = page_as("operator", width=360, scheme="dark", language="en")
    page.goto("/campaigns/inbox/")
    theirs = page.locator(".inbox-rows li").count()  # other tests had this operator take some
    page.get_by_role("button", name="Take the next one").click()
    expect(page.locator("#thread")).to_be_visible(timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert faults(page) == []
    page.get_by_role("link", name="List").click()
    expect(page.locator(".inbox-rows li")).to_have_count(theirs + 1, timeout=SOON)
    assert faults(page) == []


def test_a_conversation_is_accessible_in_both_looks(page_as: PageAs) -> None:
    for scheme, language in (("light", "es"), ("dark", "en")):
        page = page_as("strategist", width=1366, scheme=scheme, language=language)
        page.goto("/campaigns/inbox/?show=all")
        page.locator(".inbox-rows a").first.click()
        for summary in page.locator("main summary").all():
            summary.click()
        assert faults(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def press(page: Page, key: str) -> None:
    """One of the page's own keys, once its scripts listen."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def say(product: Product, phone: str, text: str) -> None:
    """A citizen writes."""
    carrier = json.loads((product.var / "processes.json").read_text())["carrier"]
    requests.post(f"{carrier}/control/sms", json={"from": phone, "body": text}, timeout=5).raise_for_status()


def receiver(product: Product, message_id: str) -> str:
    """The phone to which the carrier brought this message of ours."""
    journal, until = product.var / "simulated_carrier.jsonl", time.monotonic() + 20
    while time.monotonic() < until:
        for line in reversed(journal.read_text().splitlines() if journal.exists() else []):
            entry = json.loads(line)
            if entry["kind"] == "message" and entry["id"] == message_id:
                return str(entry["to"])
        time.sleep(0.2)
    raise AssertionError("the carrier was asked for no such message")


def faults(page: Page) -> list[str]:
    """axe-core's serious and critical faults."""
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
