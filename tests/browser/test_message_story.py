"""A message campaign from the first word to its report: written, rehearsed, tried, approved by a second person, sent to
a few first, let go, answered with BAJA, paused from another page, resumed, and accounted for."""

import json
import re
import time

import requests
from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_messages import person_with
from tests.browser.test_pages import _overflow, _serious

SECONDS = 1000
SOON, LATER = 15 * SECONDS, 60 * SECONDS
NAME = "Aviso con historia"
TEXT = "Hola {given_names|vecina, vecino}, Estudio Prueba: su seccion es la {section}. BAJA para no recibir"
OTHER = "Estudio Prueba a {given_names|vecina, vecino}: seccion {section}. BAJA para no recibir"
OUR_PHONE = "922 999 8877"


def test_a_message_campaign_from_its_first_word_to_its_report(page_as: PageAs, running_product: Product) -> None:
    page = page_as("strategist")
    page.set_default_timeout(LATER)
    address = write(page)
    rehearse(page, address)
    try_it(page, address)
    approve(page, page_as("supervisor"), address)
    launch(page, address)
    let_the_rest_go(page, address)
    elsewhere(page, address, "pause", "En pausa")
    obey_a_baja(page_as("supervisor"), running_product, page, address)
    elsewhere(page, address, "resume", "En marcha|Terminada")
    report(page, address)


def write(page: Page) -> str:
    """Every step, out of order; a fault is named where it is. The campaign's address."""
    page.goto("/campaigns/messages/new")
    page.get_by_label("Nombre de la campaña").fill(NAME)
    expect(page.locator("#saved")).to_contain_text("Guardado a las", timeout=SOON)
    go(page, "sending")
    page.locator("#has_canary").check()
    page.locator("#canary_share").fill("10")
    go(page, "wording")
    page.locator("#text").fill("Hola {nombre}")
    page.get_by_role("button", name="Guardar y seguir").click()
    expect(page.locator(".invalid-feedback").first).to_contain_text("{nombre}", timeout=SOON)
    page.locator("#text").fill(TEXT)
    page.locator("#has_trial").check()
    page.locator("#text_b").fill(OTHER)
    go(page, "people")
    page.get_by_label("Segmento").select_option(label="Aviso aceptado")
    expect(page.locator("#reach")).to_contain_text("A quién se contacta y a quién no", timeout=SOON)
    look_well(page)
    go(page, "goal")
    expect(page.get_by_label("Nombre de la campaña")).to_have_value(NAME, timeout=SOON)
    page.locator("#purpose").select_option("neutral_reminder")
    page.get_by_label("A nombre de quién").fill("Estudio Prueba")
    go(page, "wording")
    expect(page.locator("#text")).to_have_value(TEXT, timeout=SOON)
    expect(page.locator("#counter-text")).to_contain_text(re.compile("GSM-7|UCS-2"), timeout=SOON)
    look_well(page)
    page.locator("#steps button[value=review]").click()
    expect(page.locator("#checklist")).to_contain_text("segunda persona", timeout=SOON)
    expect(page.locator("#send button")).to_be_disabled(timeout=SOON)
    look_well(page)
    return page.url.split("#")[0]


def rehearse(page: Page, address: str) -> None:
    page.goto(f"{address}/rehearsal")
    page.locator("form[action$='/rehearsal'] button").click()
    expect(page.locator("#rehearsal .stat-value").first).to_be_visible(timeout=LATER)
    page.goto(address)
    expect(page.locator("#checklist [data-point=done] a[href='#rehearsal']")).to_be_visible(timeout=SOON)


def try_it(page: Page, address: str) -> None:
    page.locator("#phones").fill("nadie")
    page.locator("form[action$='/tests'] button").click()
    expect(page.locator("#phones-fault")).to_contain_text("nadie", timeout=SOON)
    page.locator("#phones").fill(OUR_PHONE)
    page.locator("form[action$='/tests'] button").click()
    expect(page.locator("[data-test]")).to_have_count(2, timeout=SOON)  # one of each wording
    expect(page.locator("[data-test=delivered]").first).to_be_visible(timeout=LATER)
    assert page.url.startswith(address)


def approve(page: Page, second: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#checklist [data-point=done] a[href='#test']")).to_be_visible(timeout=SOON)
    page.locator("form[action$='/ask'] button").click()
    second.goto("/campaigns/")
    second.get_by_role("link", name="Espera aprobación").first.click()
    expect(second.locator("h1")).to_contain_text(NAME, timeout=SOON)
    look_well(second)
    second.locator("form[action$='/approve'] button").click()
    expect(second.locator("#approval")).to_contain_text("aprobó exactamente esto", timeout=SOON)


def launch(page: Page, address: str) -> None:
    page.goto(address)
    confirmed = page.locator("#confirmed")
    if confirmed.count():
        confirmed.check()
    page.locator("#send button").click()
    expect(page.locator("#canary")).to_be_visible(timeout=SOON)
    expect(page.locator(".header-part #sending-button")).to_be_visible(timeout=SOON)


def let_the_rest_go(page: Page, address: str) -> None:
    """Everybody of the first wave was written to; then nobody more, until a person says so."""
    expect(page.locator("#canary")).to_contain_text("el resto espera a una persona", timeout=LATER)
    look_well(page)
    page.locator("#canary form[action$='/release'] button").last.click()  # with both wordings
    expect(page.locator("#canary")).to_contain_text("El resto se soltó", timeout=SOON)
    assert page.url.startswith(address)


def obey_a_baja(clerk: Page, product: Product, page: Page, address: str) -> None:
    """A person of the list answers BAJA, and is written to no more."""
    phone = some_receiver(product)
    carrier = json.loads((product.var / "processes.json").read_text())["carrier"]
    requests.post(f"{carrier}/control/sms", json={"from": phone, "body": "BAJA"}, timeout=5).raise_for_status()
    person = person_with(clerk, phone)
    until = time.monotonic() + 20
    while "No aceptó" not in clerk.locator("main").inner_text() and time.monotonic() < until:
        clerk.wait_for_timeout(300)
        clerk.goto(person)
    expect(clerk.locator("main")).to_contain_text("No aceptó", timeout=SOON)
    page.goto(address)
    expect(page.locator("#trial")).to_be_visible(timeout=SOON)


def elsewhere(page: Page, address: str, act: str, said: str) -> None:
    """Paused or resumed by the header of a page that has nothing to do with it."""
    page.goto("/segments/")
    page.locator("#sending-button").click()
    page.locator(f"#sending-list form[action$='{address.rpartition('/')[2]}/{act}'] button").click()
    expect(page).to_have_url(re.compile("/segments/$"), timeout=SOON)
    page.goto(address)
    expect(page.locator("#picture")).to_contain_text(re.compile(said), timeout=SOON)


def report(page: Page, address: str) -> None:
    """Stopped, it is accounted for: planned is what became of everybody."""
    before = page.locator("#picture .stat-value").nth(1).inner_text()
    page.on("dialog", lambda dialog: dialog.accept())
    stop = page.locator("main form[action$='/stop'] button")
    if stop.count():
        stop.click()
    page.goto(f"{address}/report")
    expect(page.locator("h1")).to_be_visible(timeout=SOON)
    look_well(page)
    page.goto(f"{address}/certificate")
    expect(page.locator("main")).to_contain_text(NAME, timeout=SOON)
    assert int(before.replace(",", "")) > 0


def some_receiver(product: Product) -> str:
    """A phone of the list to which the carrier has just brought our text."""
    journal, until = product.var / "simulated_carrier.jsonl", time.monotonic() + 30
    while time.monotonic() < until:
        for line in reversed(journal.read_text().splitlines()):
            entry = json.loads(line)
            if entry["kind"] == "message" and not str(entry["to"]).endswith(OUR_PHONE.replace(" ", "")[-7:]):
                return str(entry["to"])
        time.sleep(0.2)
    raise AssertionError("the carrier was asked for no message")


def go(page: Page, step: str) -> None:
    """To a step of the wizard; what is typed goes with it."""
    page.locator(f"#steps button[value={step}]").click()
    expect(page.locator(".wizard-step[aria-current=step]")).to_have_attribute("value", step, timeout=SOON)


def look_well(page: Page) -> None:
    """Nobody is shut out, and nothing is wider than a telephone."""
    assert _serious(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert _overflow(page) <= 0, f"{page.url} scrolls sideways"
    page.set_viewport_size({"width": 1280, "height": 900})
