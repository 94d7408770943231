"""The console as an operator's hands and eyes meet it: keyboard only, a lost connection, a second tab."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAs

PHASE = "data-phase"


def training(page_as: PageAs, **how: object) -> Page:
    page = page_as("operator", **how)
    page.goto("/console/training")
    page.keyboard.press("Space")
    expect(page.locator("#speaking")).to_be_visible(timeout=10_000)
    return page


def test_a_whole_call_is_done_with_the_keyboard_alone(page_as: PageAs) -> None:
    page = training(page_as)
    console = page.locator("#console")
    expect(page.locator(".call-centre :focus")).to_have_count(1)  # the greeting, or the question when it has come
    page.keyboard.press("n")
    page.keyboard.type("Pide que le llamen tarde")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    expect(console).to_have_attribute(PHASE, "wrap_up")
    page.keyboard.press("2")
    expect(page.locator("#callback-text")).to_be_focused()
    page.keyboard.type("pasado mañana a las 11")
    expect(page.locator("#callback-says")).to_contain_text("11:00")
    page.keyboard.press("Enter")
    expect(page.locator("#undo")).to_be_visible()
    page.keyboard.press("u")
    expect(console).to_have_attribute(PHASE, "wrap_up")
    page.keyboard.press("1")
    expect(console).to_have_attribute(PHASE, "available")


def test_a_callback_that_nobody_understands_is_said_before_anything_is_saved(page_as: PageAs) -> None:
    page = training(page_as)
    page.keyboard.press("h")
    expect(page.locator("#console")).to_have_attribute(PHASE, "wrap_up")
    page.keyboard.press("2")
    page.keyboard.type("cuando se pueda")
    expect(page.locator("#callback-says.is-fault")).to_be_visible()
    expect(page.locator("#callback-save")).to_be_disabled()


def test_the_time_to_write_up_is_asked_for_again_with_a_key_and_says_when_it_is_over(page_as: PageAs) -> None:
    page = page_as("operator")
    page.clock.install()
    page.goto("/console/training")
    page.keyboard.press("Space")
    page.clock.run_for(1_000)
    page.keyboard.press("Space")
    page.clock.run_for(4_000)
    page.keyboard.press("h")
    page.clock.run_for(1_000)
    bar = page.locator("#gone")
    expect(bar).to_have_attribute("data-wrap", "calm")
    page.clock.run_for(50_000)
    expect(bar).to_have_attribute("data-wrap", "soon")
    page.clock.run_for(15_000)
    expect(bar).to_have_attribute("data-wrap", "over")
    expect(page.locator("#console")).to_have_attribute(PHASE, "wrap_up")
    page.keyboard.press("t")
    page.clock.run_for(1_000)
    expect(bar).to_have_attribute("data-wrap", "calm")


def test_the_training_asks_the_real_questions_and_enter_goes_on(page_as: PageAs) -> None:
    page = training(page_as)
    asked = page.locator("#script #question-text")
    asked.wait_for()
    for _ in range(3):
        before = page.locator("#script [name=item]").input_value()
        if page.locator("#script input#value").count():
            page.locator("#script input#value").fill("40")
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("Enter" if page.locator("#script [data-key=Enter]").count() else "1")
        expect(page.locator(f"#script [name=item][value='{before}']")).to_have_count(0)


def test_an_act_that_gets_no_answer_is_said_and_goes_through_later(page_as: PageAs) -> None:
    page = page_as("operator")
    page.goto("/console/")
    page.locator("html[data-link=up]").wait_for()
    page.route("**/console/connect", lambda route: route.abort())
    page.keyboard.press("Space")
    expect(page.locator("#unsent")).to_be_visible()
    page.unroute("**/console/connect")
    expect(page.locator("#console")).to_have_attribute(PHASE, "paused", timeout=10_000)
    expect(page.locator("#unsent")).to_be_hidden()
    page.click("[data-act=leave]")
    expect(page.locator("#console")).to_have_attribute(PHASE, "offline")


def test_single_keys_can_be_switched_off_and_the_list_opens_with_a_question_mark(page_as: PageAs) -> None:
    page = page_as("operator")
    page.goto("/console/training")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".bar-acts .dropdown > button").click()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    page.locator("h1").focus()
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_hidden()


def test_the_banner_turns_amber_when_the_connection_goes_and_green_when_it_is_back(page_as: PageAs) -> None:
    page = page_as("operator")
    page.goto("/console/")
    page.locator("html[data-link=up]").wait_for()  # a first snapshot has come by the stream
    page.context.set_offline(True)
    expect(page.locator(".link-banner.link-amber")).to_be_visible(timeout=8_000)
    page.context.set_offline(False)
    expect(page.locator(".link-banner.link-green")).to_be_visible(timeout=15_000)
    expect(page.locator(".link-banner")).to_be_hidden(timeout=8_000)


def test_a_second_tab_asks_before_it_takes_the_console(page_as: PageAs) -> None:
    first = page_as("operator")
    first.goto("/console/")
    second = first.context.new_page()
    second.goto("/console/")
    expect(second.locator("#tab-dialog")).to_be_visible()
    second.locator("#use-here").click()
    expect(second.locator("#tab-dialog")).to_be_hidden()
    expect(first.locator("#tab-dialog")).to_be_visible(timeout=10_000)


def test_the_console_fits_a_tablet_and_the_floor_a_phone(page_as: PageAs) -> None:
    console = training(page_as, width=768, scheme="dark")
    assert console.evaluate("document.documentElement.scrollWidth") <= 768
    floor = page_as("supervisor", width=360)
    floor.goto("/floor/")
    expect(floor.locator(".floor-cards")).to_be_visible()
    assert floor.evaluate("document.documentElement.scrollWidth") <= 360
