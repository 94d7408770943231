"""A data clerk drops a list into the page, sees what becomes of it, corrects it, and takes it back."""

import csv
import io
import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs

SECONDS = 1000
DATA = Path(__file__).parents[1] / "data"
DIALECT = DATA / "registro_poza_rica.csv"


def upload(page: Page, name: str, content: bytes, source: str) -> None:
    page.goto("/imports/")
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})
    page.fill("#source", source)
    page.click("main form button.btn-primary")


def figure(page: Page, label: str) -> int:
    """The figure of the result page under this label."""
    card = page.locator(".stat-card", has=page.locator(".stat-label", has_text=re.compile(f"^{label}$")))
    return int(card.locator(".stat-value").inner_text().replace(",", ""))


def test_a_list_in_another_dialect_goes_in_is_corrected_and_taken_back(page_as: PageAs) -> None:
    page = page_as("data_clerk")
    upload(page, "registro.csv", DIALECT.read_bytes(), "Registro de Poza Rica")
    expect(page.locator("#mapping")).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator("#preview")).to_contain_text("persona nueva")
    expect(page.locator("#mapping")).to_contain_text("CURP")

    # A column becomes an attribute, without leaving the page.
    page.select_option("#column-14", "new")
    page.fill("#new-label-14", "Nivel de estudios")
    page.select_option("#new-kind-14", "choice")
    page.fill("#new-choices-14", "primaria\nsecundaria\nuniversidad")
    page.locator("button[name=at][value='14']").click()
    expect(page.locator("#column-14")).to_have_value("attr:nivel_de_estudios")

    # Every change is looked at again, by a worker.
    page.select_option("#column-8", "")
    expect(page.locator("#preview[aria-busy=false]")).to_be_visible(timeout=10 * SECONDS)
    expect(page.locator("#preview")).not_to_contain_text("Sección electoral")
    page.select_option("#column-8", "section")
    expect(page.locator("#preview[aria-busy=false]")).to_contain_text("Sección electoral", timeout=10 * SECONDS)

    page.click("button[value=dry_run]")
    expect(page.locator("#trial-title")).to_be_visible(timeout=20 * SECONDS)
    page.click("button[value=import]")
    expect(page.locator(".stat-card").first).to_be_visible(timeout=20 * SECONDS)
    figures = {
        label: figure(page, label) for label in ("Personas creadas", "Renglones duplicados", "Renglones rechazados")
    }
    assert figures == {"Personas creadas": 31, "Renglones duplicados": 1, "Renglones rechazados": 8}
    first = page.url

    with page.expect_download() as waiting:
        page.click("a[href$='refused.csv']")
    rows = list(csv.reader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
    at = rows[0].index("Teléfono móvil")
    for number, row in enumerate(rows[1:], start=10):
        row[at] = f"78297000{number}"
    corrected = io.StringIO()
    csv.writer(corrected, delimiter=";").writerows(rows)
    page.set_input_files(
        "#corrected", {"name": "corregidas.csv", "mimeType": "text/csv", "buffer": corrected.getvalue().encode()}
    )
    page.click("form:has(#corrected) button")
    expect(page.locator("#mapping")).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator("h1")).to_have_text("Registro de Poza Rica")
    page.click("button[value=import]")
    expect(page.locator(".stat-card").first).to_be_visible(timeout=20 * SECONDS)
    assert figure(page, "Personas creadas") == 8

    page.goto(f"{first}/undo")
    expect(page.locator("main")).to_contain_text("31 personas que trajo")
    page.click("main form button.btn-danger")
    expect(page.locator("main")).to_contain_text("Esta importación se deshizo", timeout=20 * SECONDS)
    page.goto(f"/contacts/?import={first.rsplit('/', 1)[1]}")
    expect(page.locator("table tbody tr")).to_have_count(0)


def test_the_sample_gives_its_figures_through_the_page(page_as: PageAs) -> None:
    """The session's product has it already: nobody is created, everybody is found, and the rest is as expected."""
    sample = DATA / "contactos_minatitlan.csv"
    expected = json.loads((DATA / "contactos_minatitlan.csv.expected.json").read_text())
    page = page_as("data_clerk")
    upload(page, sample.name, sample.read_bytes(), "Comité municipal")
    expect(page.locator("#mapping")).to_be_visible(timeout=20 * SECONDS)
    page.click("button[value=import]")
    expect(page.locator(".stat-card").first).to_be_visible(timeout=30 * SECONDS)
    assert figure(page, "Personas creadas") == 0
    assert figure(page, "Ya conocidas") == expected["created"]
    assert figure(page, "Renglones duplicados") == expected["duplicates"]
    assert figure(page, "Renglones rechazados") == sum(expected["rejected"].values())


def test_the_command_reads_the_dialect_with_the_same_figures(running_product: Product) -> None:
    said = running_product.flask("contacts", "import", str(DIALECT), "--source", "Orden", "--dry-run", "--json")
    counts = json.loads(said)
    assert (counts["rows"], counts["duplicates"], sum(counts["rejected"].values())) == (40, 1, 8)


def test_a_bad_file_is_answered_in_a_sentence(page_as: PageAs) -> None:
    page = page_as("data_clerk")
    upload(page, "lista.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "Comité")
    expect(page.locator(".alert-danger")).to_contain_text("binario", timeout=20 * SECONDS)
