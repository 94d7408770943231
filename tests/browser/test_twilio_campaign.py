"""A whole campaign on Twilio's protocol: predictive with five simulated operators, a survey asked by them and one by
a recording, a message on an answering machine, a promised callback, a citizen who rings back; and an operator by
telephone. The carrier is the simulated one; every page is the product's own."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from scripts.bench.floor import database, rows
from scripts.bench.product import Product
from tests.browser.conftest import USERNAMES, PageAs
from tests.browser.test_story import choose, leave
from tests.browser.test_wizard import go, simulated_operators

SECONDS = 1000
SOON, LATER = 15 * SECONDS, 90 * SECONDS
SPEED = 8.0
OPERATORS, RECORDED = "Estudio por operadores", "Estudio grabado"
MESSAGE = "Le llamamos de Estudio Prueba. Volveremos a llamarle."
VOLUNTEER = "+525512349876"
OF_CAMPAIGN = "FROM calls c JOIN attempts a USING (id) JOIN call_queues q ON q.id = c.queue_id WHERE q.name = :name"
ASKED = f"""SELECT i.id {OF_CAMPAIGN.replace("WHERE", "JOIN interviews i ON i.call_id = c.id WHERE")}
    AND i.face = :face AND a.outcome = 'completed'"""


class Carrier:
    """The simulated one: what it is told, and what its people heard."""

    def __init__(self, url: str) -> None:
        self.url = url

    def order(self, path: str, **order: Any) -> Any:
        answer = requests.post(f"{self.url}/control/{path}", json=order, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def calls(self, phone: str) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/control/calls", {"phone": phone}, timeout=5).json()
        return found


@pytest.fixture
def carrier(running_product: Product) -> Iterator[Carrier]:
    found = Carrier(json.loads((running_product.var / "processes.json").read_text())["carrier"])
    found.order("settings", speed=SPEED)
    yield found
    found.order("settings", speed=1.0)


@pytest.fixture
def ledger(running_product: Product) -> Iterator[Engine]:
    with database(running_product) as engine:
        yield engine


def test_a_whole_campaign_runs_on_twilios_protocol(page_as: PageAs, carrier: Carrier, ledger: Engine) -> None:
    strategist, floor, console = page_as("strategist"), page_as("supervisor"), page_as("operator")
    strategist.on("dialog", lambda dialog: dialog.accept())
    with alone(strategist), worked_by_five(floor):
        launch(strategist, OPERATORS, by="operator")
        person = promise_a_callback(console, ledger)
        await_rows(ledger, "an operator's interview", ASKED, name=OPERATORS, face="screen")
        a_message_lies_on_a_machine(carrier, ledger)
        the_promise_is_kept(ledger, person)
        ring_back(carrier, ledger)
        # Only now: both ask the same people, and nobody is called twice in one day.
        launch(strategist, RECORDED, by="recording")
        await_rows(ledger, "a recording's interview", ASKED, name=RECORDED, face="twiml")
        for name in (OPERATORS, RECORDED):
            sees_it_run(strategist, name)
            rest(strategist, name)


def test_a_volunteer_works_from_home_by_telephone(page_as: PageAs, carrier: Carrier, ledger: Engine) -> None:
    console = page_as("operator")
    carrier.order(f"numbers/{VOLUNTEER}", does="answer", silence_seconds=36_000, stay_seconds=36_000)
    confirm_telephone(console, carrier)
    take_way(console, "ring")
    console.goto("/console/")
    console.locator("[data-act=connect]").first.click()
    press(carrier, "1", "presione uno")
    console.locator("[data-act=available]:visible").first.click(timeout=SOON)
    expect(console.locator("#console[data-phase=in_call]")).to_be_attached(timeout=LATER)
    operator_id = own_id(ledger)
    (mine,) = [call for call in carrier.calls(VOLUNTEER) if call["status"] == "in-progress"]
    assert mine["room"] == f"op-{operator_id}"
    choose(console, "not_available")
    carrier.order("hang-up", phone=VOLUNTEER)  # who puts the receiver down gets no calls
    await_rows(
        ledger, "the line is gone", "SELECT id FROM operators WHERE id = :id AND room_ref IS NULL", id=operator_id
    )
    dial_in(console, carrier, ledger, operator_id)
    console.goto("/console/")
    take_way(console, "browser")
    leave(console)


@contextmanager
def alone(page: Page) -> Iterator[None]:
    """The demonstration's calling campaign rests meanwhile."""
    page.goto("/campaigns/")
    row = page.locator("tr", has=page.locator("a[href*='/campaigns/calls/']")).filter(has_text="En marcha").first
    name = row.locator("a[href*='/campaigns/calls/']").first.inner_text()
    row.locator("form[action$='/pause'] button").click()
    yield
    page.goto("/campaigns/")
    page.locator("tr", has=page.get_by_role("link", name=name, exact=True)).locator(
        "form[action$='/resume'] button"
    ).click()


@contextmanager
def worked_by_five(floor: Page) -> Iterator[None]:
    simulated_operators(floor, on=True)
    try:
        yield
    finally:
        simulated_operators(floor, on=False)


def launch(page: Page, name: str, *, by: str) -> None:
    """Through the wizard, from an empty draft to its live page."""
    page.goto("/campaigns/calls/new")
    page.get_by_label("Nombre de la campaña").fill(name)
    page.locator(f"[name=answered_by][value={by}]").check()
    page.get_by_label("A nombre de quién").fill("Estudio Prueba")
    page.get_by_label("Dirección del aviso de privacidad").fill("https://convoca.invalid/aviso")
    go(page, "A quién llamar")
    page.get_by_label("Segmento").select_option(label="Aviso aceptado")
    go(page, "Guion")
    survey = page.locator("[name=script] option[value^='survey/']").first.get_attribute("value")
    page.locator("[name=script]").select_option(value=survey)
    go(page, "Ritmo y equipo")
    if by == "operator":
        page.locator("[name=mode][value=predictive]").check()
        page.locator("[name=machine_detection]").select_option("on")
        page.locator("[name=voicemail_text]").fill(MESSAGE)
        page.locator("[name=team]").fill("5")
    else:
        page.locator("[name=sessions]").fill("10")
    go(page, "Revisar e iniciar")
    expect(page.locator("#checklist")).to_have_count(0)
    page.locator("form[action$='/start'] button").click()
    expect(page.locator("h1")).to_contain_text(name, timeout=SOON)


def promise_a_callback(console: Page, ledger: Engine) -> str:
    """An operator talks with somebody and promises to call again in a minute; returns the person's phone."""
    console.goto("/console/")
    console.locator("[data-act=connect]").first.click()
    expect(console.locator("#console[data-phase=paused]")).to_be_attached(timeout=SOON)
    console.locator("[data-act=available]:visible").first.click()
    expect(console.locator("#console[data-phase=in_call]")).to_be_attached(timeout=LATER)
    talk = "SELECT a.phone FROM operators o JOIN attempts a ON a.id = o.call_id WHERE o.id = :id"
    (found,) = await_rows(ledger, "the call stands in the ledger", talk, id=own_id(ledger))
    choose(console, "callback")
    console.fill("#callback-text", "en 1 minuto")
    expect(console.locator("#callback-save")).to_be_enabled(timeout=SOON)
    console.click("#callback-save")
    expect(console.locator("#console:not([data-phase=in_call])")).to_be_attached(timeout=SOON)
    leave(console)
    return str(found.phone)


def a_message_lies_on_a_machine(carrier: Carrier, ledger: Engine) -> None:
    """The words reach a mailbox after its tone, and the ledger knows which."""
    left = f"SELECT a.phone {OF_CAMPAIGN} AND a.outcome = 'voicemail'"

    def reached() -> bool:
        told = rows(ledger, left, name=OPERATORS)
        mailboxes = [carrier.calls(machine.phone)[0]["mailbox"] for machine in told]
        return any(MESSAGE in said for mailbox in mailboxes for said in mailbox)

    await_true(reached, "a message lies on a machine")


def ring_back(carrier: Carrier, ledger: Engine) -> None:
    """Who missed us calls, hears who it was, presses 1 and is with an operator."""
    missed = f"SELECT a.phone {OF_CAMPAIGN} AND a.outcome = 'no_answer'"
    phone = await_rows(ledger, "somebody misses our call", missed, name=OPERATORS)[0].phone
    carrier.order("call-in", **{"from": phone, "presses": ["1"], "stay_seconds": 36_000, "silence_seconds": 36_000})
    came_in = """SELECT c.id FROM calls c JOIN attempts a USING (id)
        WHERE a.phone = :phone AND c.direction = 'in' AND c.operator_id IS NOT NULL AND c.connected_at IS NOT NULL"""
    await_rows(ledger, "the caller is with an operator", came_in, phone=phone)
    heard = " ".join(said["text"] or "" for said in carrier.calls(phone)[0]["heard"])
    assert "Estudio Prueba" in heard


def the_promise_is_kept(ledger: Engine, phone: str) -> None:
    again = f"SELECT c.id {OF_CAMPAIGN} AND a.phone = :phone AND c.direction = 'out'"
    await_rows(ledger, "the person is called again", again, 2, name=OPERATORS, phone=phone)


def sees_it_run(page: Page, name: str) -> None:
    page.goto("/campaigns/")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("#picture tbody tr", has_text="Marcadas").locator("td").first).not_to_have_text("0")


def rest(page: Page, name: str) -> None:
    """So that the simulated citizens are left to the other tests."""
    page.goto("/campaigns/")
    row = page.locator("tr", has=page.get_by_role("link", name=name, exact=True))
    row.locator("form[action$='/pause'] button").click()
    expect(row).to_contain_text("En pausa", timeout=SOON)


def take_way(console: Page, way: str) -> None:
    with console.expect_response("**/line/way"):
        console.locator(f"#way-{way}").check()


def confirm_telephone(console: Page, carrier: Carrier) -> None:
    """It is rung, and the six digits of the screen are pressed on it."""
    console.goto("/console/")
    console.locator("#line-phone").fill(VOLUNTEER.removeprefix("+52"))
    console.locator("#line-card form button").first.click()
    console.locator("[hx-post$='/line/check']").click()
    code = re.sub(r"\D", "", console.locator(".line-code").inner_text())
    press(carrier, code, "seis dígitos")
    expect(console.locator("#way-ring")).to_be_enabled(timeout=SOON)


def dial_in(console: Page, carrier: Carrier, ledger: Engine, operator_id: int) -> None:
    """The volunteer calls us with a code that is good once."""
    console.goto("/console/")
    console.locator("[hx-post$='/line/code']").click()
    code = re.sub(r"\D", "", console.locator(".line-code").inner_text())
    patience = {"stay_seconds": 36_000, "silence_seconds": 36_000}
    carrier.order("call-in", **{"from": VOLUNTEER, "presses": [code], **patience})
    open_line = "SELECT id FROM operators WHERE id = :id AND room_opened_at IS NOT NULL"
    await_rows(ledger, "the line is open", open_line, id=operator_id)
    carrier.order("call-in", **{"from": "+525512349877", "presses": ["0", code], **patience})
    stranger = await_true(lambda: carrier.calls("+525512349877")[0], "the stranger is on the line")
    assert stranger["room"] in (None, "")


def press(carrier: Carrier, digits: str, asked: str) -> None:
    """The volunteer presses, once they have been asked to."""

    def is_asked() -> bool:
        (newest, *_) = carrier.calls(VOLUNTEER) or [{"heard": [], "status": ""}]
        said = " ".join(one["text"] or "" for one in newest["heard"])
        return newest["status"] == "in-progress" and re.search(asked, said, re.IGNORECASE) is not None

    await_true(is_asked, f"the telephone is asked for {asked}")
    carrier.order("press", phone=VOLUNTEER, digits=digits)


def own_id(ledger: Engine) -> int:
    who = "SELECT o.id FROM operators o JOIN users u ON u.id = o.user_id WHERE u.username = :name"
    return int(rows(ledger, who, name=USERNAMES["operator"])[0].id)


def await_rows(ledger: Engine, what: str, query: str, least: int = 1, **values: Any) -> list[Any]:
    found: list[Any] = await_true(lambda: (seen := rows(ledger, query, **values))[least - 1 :] and seen, what)
    return found


def await_true(true: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < give_up, f"never happened: {what}"
        time.sleep(0.3)
    return found
