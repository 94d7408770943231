"""A strategist makes a calling campaign in the wizard, sees what it will bring, starts it, and changes its pace."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAs
from tests.browser.test_pages import _overflow, _serious

SECONDS = 1000
FORECAST = 20 * SECONDS  # the twin simulates; the machine may be busy
CALLS = 90 * SECONDS  # operators come one by one, and serve whatever other campaigns run here
NAME = "Consulta de prueba"


def test_a_campaign_goes_from_a_draft_to_its_live_page(page_as: PageAs) -> None:
    page = page_as("strategist")
    page.goto("/campaigns/calls/new")
    write_in_any_order(page)
    look_and_try(page)
    page.locator("form[action$='/start'] button").click()
    expect(page.locator("h1")).to_contain_text(NAME)
    expect(page.locator("main")).to_contain_text("Pronóstico contra realidad")
    floor = page_as("supervisor")
    simulated_operators(floor, on=True)
    try:
        expect(page.locator("#picture tbody tr", has_text="Marcadas").locator("td").first).not_to_have_text(
            "0", timeout=CALLS
        )
        change_pace(page)
        assert _serious(page) == []
    finally:
        simulated_operators(floor, on=False)
        finish(page)


def write_in_any_order(page: Page) -> None:
    """Goal last but one, and nothing is lost by going away or by reloading."""
    page.get_by_label("Nombre de la campaña").fill(NAME)
    expect(page.locator("#saved")).to_contain_text("Guardado a las")
    go(page, "Ritmo y equipo")
    page.locator("[name=mode][value=predictive]").check()
    page.get_by_label("Operadores trabajando").fill("20")
    page.get_by_label("Precio de la hora de un operador (MXN)").fill("90")
    expect(page.locator("#forecast")).to_contain_text("El pronóstico necesita primero", timeout=FORECAST)
    go(page, "A quién llamar")
    page.get_by_label("Segmento").select_option(label="Aviso aceptado")
    expect(page.locator("#reach")).to_contain_text("A quién se contacta y a quién no", timeout=FORECAST)
    go(page, "Objetivo")
    expect(page.get_by_label("Nombre de la campaña")).to_have_value(NAME)
    page.get_by_label("A nombre de quién").fill("Estudio Prueba")
    page.get_by_label("Dirección del aviso de privacidad").fill("convoca")
    page.get_by_role("button", name="Guardar y seguir").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("https://")
    page.get_by_label("Dirección del aviso de privacidad").fill("https://convoca.invalid/aviso")
    page.wait_for_timeout(600)  # a pause in typing is enough
    page.reload()
    expect(page.get_by_label("Dirección del aviso de privacidad")).to_have_value("https://convoca.invalid/aviso")
    for step in ("Guion", "Cuotas", "Horarios y reintentos", "Número y operadores"):
        go(page, step)
        assert _serious(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert _overflow(page) <= 0, f"{step} scrolls sideways"
        page.set_viewport_size({"width": 1280, "height": 900})


def look_and_try(page: Page) -> None:
    """The forecast stands before anybody is called; the author's own telephone rings."""
    go(page, "Ritmo y equipo")
    expect(page.locator("#forecast .stat-value")).to_have_count(4, timeout=FORECAST)
    go(page, "Revisar e iniciar")
    expect(page.locator("#checklist")).to_have_count(0)
    expect(page.locator("#forecast .stat-value")).to_have_count(4, timeout=FORECAST)
    assert int(re.sub(r"\D", "", page.locator("#forecast .stat-value").first.inner_text())) > 0
    assert _serious(page) == []
    page.get_by_label("Mi teléfono", exact=True).fill("922 123 4567")
    page.get_by_role("button", name="Llamarme").click()
    expect(page.locator("[data-trial=ended]")).to_be_visible(timeout=CALLS)


def change_pace(page: Page) -> None:
    page.locator("#pace summary").click()
    page.locator("#pace [name=mode][value=power]").check()
    page.get_by_role("button", name="Marcar así desde ahora").click()
    expect(page.locator("#pace [name=mode][value=power]")).to_be_checked()


def finish(page: Page) -> None:
    """So that the simulated citizens are left to the other campaigns; the list has it as a draft again."""
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("form[action$='/duplicate'] button").click()
    expect(page.get_by_label("Nombre de la campaña")).to_have_value(f"{NAME}, otra vez")
    page.goto("/campaigns/")
    row = page.locator("tr", has=page.get_by_role("link", name=NAME, exact=True))
    row.locator("form[action$='/pause'] button").click()
    row.locator("form[action$='/finish'] button").click()
    expect(row).to_contain_text("Terminada")


def go(page: Page, step: str) -> None:
    page.locator("#steps").get_by_text(step, exact=True).click()
    expect(page.locator(".wizard-step[aria-current=step]")).to_contain_text(step)


def simulated_operators(page: Page, *, on: bool) -> None:
    page.goto("/floor/")
    button, wanted = page.locator("#simulated"), "true" if on else "false"
    if button.get_attribute("aria-pressed") != wanted:
        button.click()
    expect(page.locator("#simulated")).to_have_attribute("aria-pressed", wanted)
