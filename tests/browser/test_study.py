"""A pollster makes the package of the demonstration's study, takes it out and shares it; a reader opens the link."""

import io
import json
import zipfile
from pathlib import Path

from playwright.sync_api import expect

from scripts.bench.product import Product
from surveys.publishing import study_checklist
from tests.browser.conftest import PageAs
from tests.browser.test_pages import _overflow, _serious


def test_a_study_is_packed_taken_out_made_again_and_shared(
    page_as: PageAs, running_product: Product, tmp_path: Path
) -> None:
    page = page_as("pollster")
    page.goto("/surveys/1/studies")
    page.get_by_role("link", name="Intención de voto en Minatitlán, primera ola").click()
    expect(page.locator("#list-title")).to_contain_text("faltan")
    page.get_by_role("button", name="Hacer el paquete").click()
    expect(page.locator("#packages-part")).to_contain_text("Paquete completo (ZIP)", timeout=45_000)
    assert _serious(page) == []

    with page.expect_download() as taken:
        page.get_by_role("link", name="Paquete completo (ZIP)").click()
    package = tmp_path / "package.zip"
    taken.value.save_as(package)
    with zipfile.ZipFile(io.BytesIO(package.read_bytes())) as file:
        manifest = json.loads(file.read("package.json"))
        assert file.read("study.pdf").startswith(b"%PDF-")
    # Every item of the list is present, or it is named.
    listed = study_checklist.of_version(manifest["checklist"]["version"])
    keys = {fact.key for item in listed.items for fact in item.needs}
    assert {"sampling", "processing", "cvs", "sponsor_logo"} <= set(manifest["checklist"]["missing"]) <= keys
    told = running_product.flask("surveys", "reproduce", str(package), "--json")
    assert json.loads(told)["same"] is True

    page.reload()
    page.get_by_label("Para quién").fill("Redacción")
    page.get_by_role("button", name="Hacer un enlace").click()
    address = page.locator("#links code").first.inner_text()
    reader = page_as(None, width=360, scheme="dark")
    reader.goto(address)
    expect(reader.locator("h1")).to_have_text("Intención de voto en Minatitlán, primera ola")
    assert _serious(reader) == []
    assert _overflow(reader) <= 0

    page.get_by_role("button", name="Terminar el enlace").click()
    reader.reload()
    expect(reader.locator("h1")).to_have_text("Este estudio no se muestra ahora")


def test_the_study_fits_a_telephone_in_the_dark(page_as: PageAs) -> None:
    page = page_as("pollster", width=360, scheme="dark")
    for address in ("/surveys/1/studies", "/surveys/studies/1", "/surveys/firm"):
        page.goto(address)
        assert _serious(page) == []
        assert _overflow(page) <= 0
