"""A pollster makes a questionnaire in the page: what is typed shows at once, is saved by a key, and comes into use."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAs
from tests.browser.test_pages import _overflow, _serious


def test_a_questionnaire_is_built_without_a_file(page_as: PageAs) -> None:
    page = page_as("pollster")
    page.goto("/surveys/")
    page.get_by_label("Nombre de la encuesta").last.fill("Ola construida")
    page.get_by_role("button", name="Construirla en la página").click()
    page.wait_for_url("**/builder*")
    expect(page.locator("main h1")).to_have_text("Ola construida")

    choose(page, "vote")
    page.get_by_label("Texto que se lee en voz alta").fill("¿Por cuál candidatura votaría?")
    expect(page.locator("#faces")).to_contain_text("¿Por cuál candidatura votaría?")
    page.get_by_label("Texto de la respuesta 1 (es)").fill("Ana Robles")
    expect(page.locator("#faces .face-said")).to_contain_text("Ana Robles: oprima")
    page.locator("#save-question").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".builder-line.is-open")).to_contain_text("Ana Robles")
    expect(page.get_by_text("Borrador con cambios")).to_be_visible()

    page.locator("#add-kind").select_option("integer")
    page.locator("#add-question").click()
    expect(page.locator(".builder-line.is-open")).to_contain_text("q1")
    expect(page.get_by_text("1 falla impide usar este borrador")).to_be_visible()
    page.get_by_label("Texto que se lee en voz alta").fill("¿Cuántos años tiene?")
    page.get_by_label("Agregar: se dio esta respuesta").select_option("consent|yes")
    page.locator("#save-question").click()
    expect(page.locator(".builder-line.is-open")).to_contain_text("cuando la respuesta a “¿Acepta participar?” es “Sí”")
    page.locator("#move-up").click()
    expect(page.locator(".builder-line").nth(4)).to_contain_text("q1")
    assert _serious(page) == []

    page.get_by_role("button", name="Poner en uso").click()
    page.wait_for_url(lambda address: "builder" not in address)
    expect(page.locator("main")).to_contain_text("¿Cuántos años tiene?")


def test_the_builder_fits_a_telephone_in_the_dark(page_as: PageAs) -> None:
    page = page_as("pollster", width=360, scheme="dark")
    page.goto("/surveys/1/builder?place=8")
    assert _serious(page) == []
    assert _overflow(page) <= 0


def choose(page: Page, name: str) -> None:
    """Open a question of the list."""
    page.locator(".builder-line a", has=page.locator(f"code:text-is('{name}')")).click()
    expect(page.locator("#question-title code")).to_have_text(name)
