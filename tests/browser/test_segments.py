"""A strategist composes a segment by clicking, sees the number change, and gets what the command counts."""

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_pages import _serious

SECONDS = 1000
WAVE, QUESTION, DOES_NOT_KNOW = "ola 1", "vote", "No sabe"


def test_the_strategist_composes_the_sentence_and_the_number_is_the_commands(
    page_as: PageAs, running_product: Product, tmp_path: Path
) -> None:
    page = page_as("strategist")
    page.goto("/segments/new")
    seen = [count(page)]

    row = add(page, "Sexo")
    row.get_by_label("Mujer").check()
    seen.append(other_count(page, seen[-1]))

    row = add(page, "Edad")
    row.get_by_label("Comparación").select_option("between")
    row.get_by_label("De", exact=True).fill("18")
    row.get_by_label("A", exact=True).fill("29")
    seen.append(other_count(page, seen[-1]))

    row = add(page, "Tipo de sección")
    row.get_by_label("Urbana").check()
    seen.append(other_count(page, seen[-1]))

    row = add(page, "Contestó una pregunta")
    surveys = row.get_by_label("Encuesta")
    surveys.select_option(label=surveys.locator("option", has_text=WAVE).first.inner_text())
    row.get_by_label("Pregunta", exact=True).select_option(QUESTION)
    row.get_by_label(DOES_NOT_KNOW).check()
    seen.append(other_count(page, seen[-1]))

    row = add(page, "Se le llamó")
    row.get_by_label("¿Ocurrió?").select_option("did_not")
    row.get_by_label("Cuándo").select_option("within")
    row.get_by_label("Días").fill("7")
    expect(page.locator("#rule-words")).to_contain_text("últimos 7 días")
    settled(page)

    assert seen == sorted(seen, reverse=True)
    words = page.locator("#rule-words").inner_text()
    for said in ("Mujer", "18", "29", "Urbana", WAVE, DOES_NOT_KNOW, "últimos 7 días"):
        assert said in words

    rule = json.loads(page.locator("#rule-json-now").text_content() or "")
    assert [next(iter(clause.values())) for clause in rule["all"]] == [
        "sex", "age", "section_kind", "answered", "called",
    ]  # fmt: skip
    file = tmp_path / "rule.json"
    file.write_text(json.dumps(rule))
    counted = json.loads(running_product.flask("segments", "count", str(file), "--json"))
    assert count(page) == counted["count"]

    page.reload()
    settled(page)
    assert count(page) == counted["count"]  # nothing was saved yet, and nothing is lost
    page.get_by_label("Nombre del segmento").fill("Jóvenes urbanas que no saben")
    page.get_by_role("button", name="Guardar").click()
    expect(page.locator("h1")).to_contain_text("Jóvenes urbanas que no saben")
    settled(page)
    assert count(page) == counted["count"]
    assert _serious(page) == []


def test_groups_are_made_moved_and_put_back_with_the_keyboard(page_as: PageAs) -> None:
    page = page_as("strategist", scheme="dark")
    page.goto("/segments/new")
    page.get_by_role("button", name="Descartar").click() if page.get_by_role(
        "button", name="Descartar"
    ).count() else None
    add(page, "Sexo").get_by_label("Mujer").check()
    page.get_by_role("button", name="Agregar un grupo").press("Enter")
    expect(page.locator(".rule-group")).to_have_count(2)
    search = page.locator("[data-picker-search]")
    expect(search).to_be_focused()
    page.keyboard.type("edad")
    page.keyboard.press("Enter")
    expect(page.locator(".rule-row [name^=op-]")).to_have_count(2)
    first = page.locator(".rule-row").first
    first.get_by_role("button", name="Meter en un grupo").press("Enter")
    expect(page.locator(".rule-group .rule-group .rule-row")).to_have_count(2)
    page.locator(".rule-row").last.get_by_role("button", name="Quitar").press("Enter")
    expect(page.locator(".rule-row")).to_have_count(1)
    undo = page.locator("#undo")
    expect(undo).to_be_focused()
    undo.press("Enter")
    expect(page.locator(".rule-row")).to_have_count(2)
    assert _serious(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_late_answer_never_replaces_a_newer_one(page_as: PageAs) -> None:
    page = page_as("strategist", language="en")
    page.goto("/segments/new")
    row = add(page, "Age", button="Add a condition")
    row.get_by_label("Comparison").select_option("at_least")
    settled(page)
    held: list[Route] = []
    page.route("**/segments/count*", lambda route: held.append(route) if not held else route.continue_())
    value = row.get_by_label("Number")
    value.fill("0")
    page.wait_for_timeout(600)  # the first question is on its way, and hangs
    value.fill("150")
    expect(page.locator("[data-count]")).to_have_attribute("data-count", "0", timeout=5 * SECONDS)
    for route in held:
        route.continue_()
    page.wait_for_timeout(300)
    expect(page.locator("[data-count]")).to_have_attribute("data-count", "0")


def test_what_is_typed_while_an_answer_is_on_its_way_stays(page_as: PageAs) -> None:
    page = page_as("strategist", language="en")
    page.goto("/segments/new")
    first = add(page, "Age", button="Add a condition")
    first.get_by_label("Comparison").select_option("is")
    expect(first.get_by_label("Number")).to_be_visible()
    second = add(page, "Section", button="Add a condition")
    held: list[Route] = []
    page.route("**/segments/ro*", lambda route: held.append(route) if not held else route.continue_())
    second.get_by_label("Comparison").select_option("between")
    first.get_by_label("Number").fill("33")
    page.locator(".rule-root > div > button", has_text="Add a group").click()
    page.wait_for_timeout(200)
    held[0].continue_()
    expect(page.locator(".rule-group")).to_have_count(2)
    expect(second.get_by_label("From")).to_be_visible()
    expect(first.get_by_label("Number")).to_have_value("33")


def add(page: Page, field: str, button: str = "Agregar una condición") -> Locator:
    """A new condition in the outermost group, on this field."""
    rows = page.locator(".rule-root > .rule-members > .rule-row")
    before = rows.count()
    page.locator(".rule-root > div > button", has_text=button).click()
    page.locator("[data-picker]").get_by_role("button", name=field, exact=True).click()
    expect(rows.nth(before).locator("[name^=op-]")).to_be_visible()
    return rows.nth(before)


def settled(page: Page) -> None:
    """Wait until the number on the page is exact."""
    page.wait_for_timeout(400)
    expect(page.locator("#count [data-count]")).to_be_visible()
    expect(page.locator("#count")).not_to_contain_text(re.compile("estimación|estimate"))


def count(page: Page) -> int:
    settled(page)
    return int(page.locator("[data-count]").get_attribute("data-count") or -1)


def other_count(page: Page, before: int) -> int:
    """The number after a change: another one than before."""
    expect(page.locator("[data-count]")).not_to_have_attribute("data-count", str(before), timeout=5 * SECONDS)
    return count(page)
