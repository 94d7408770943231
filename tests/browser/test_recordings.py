"""The player of a recording, as a supervisor's hands, eyes and ears meet it."""

import re
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from scripts.bench.product import Product
from tests.browser.conftest import PageAs
from tests.browser.test_pages import AXE, TAGS
from tests.telephone.manager import until

LOOKS = [("light", "es", 1280), ("dark", "en", 1280), ("light", "es", 360)]
# Which tone is loudest in what the page plays, asked of the browser's own ear.
EAR = """
(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to === this.context.destination) {
      window.ear ??= new AnalyserNode(this.context, { fftSize: 8192 });
      connect.call(this, window.ear);
    }
    return connect.call(this, to, ...more);
  };
  window.hears = (hertz) => {
    const levels = new Float32Array(window.ear.frequencyBinCount);
    window.ear.getFloatFrequencyData(levels);
    return levels[Math.round((hertz * window.ear.fftSize) / window.ear.context.sampleRate)];
  };
})();
"""


@pytest.fixture(scope="module")
def address(running_product: Product) -> str:
    """The page of a recording of twenty seconds: eight of tones, four of silence, eight of tones."""
    return f"/recordings/{running_product.python('tests.browser.recorded_call').strip()}"


@pytest.fixture
def page(page_as: PageAs, address: str) -> Page:
    page = page_as("supervisor", language="en")
    page.add_init_script(EAR)
    page.goto(address)
    return page


@pytest.mark.parametrize(("scheme", "language", "width"), LOOKS)
def test_the_page_is_accessible_and_fits(page_as: PageAs, address: str, scheme: str, language: str, width: int) -> None:
    page = page_as("supervisor", scheme=scheme, language=language, width=width)
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    page.wait_for_selector(".wave-box svg")
    page.evaluate(AXE.read_text() + "; undefined")  # scripts of the test pass the page's own policy
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert faults == []


def test_it_plays_and_pauses_and_shows_where_it_is(page: Page) -> None:
    play = page.get_by_role("button", name="Play")
    expect(page.locator("[data-time]")).to_have_text("0:00 of 0:20")
    play.click()
    until(lambda: page.evaluate("document.querySelector('audio').currentTime > 0.5"))
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("document.querySelector('audio').paused")


def test_the_keyboard_seeks_by_five_seconds(page: Page) -> None:
    seek = page.get_by_label(re.compile("Place in the recording"))
    seek.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-time]")).to_have_text("0:10 of 0:20")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-time]")).to_have_text("0:05 of 0:20")
    assert seek.get_attribute("aria-valuetext") == "0:05 of 0:20"
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")  # anywhere on the page
    expect(page.locator("[data-time]")).to_have_text("0:10 of 0:20")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    expect(page.locator("[data-time]")).to_have_text("0:20 of 0:20")


def test_the_speed_is_chosen(page: Page) -> None:
    for speed in ("0.75", "2"):
        page.select_option("#speed", speed)
        assert page.evaluate("document.querySelector('audio').playbackRate") == float(speed)


def test_either_side_is_heard_alone(page: Page) -> None:
    page.get_by_role("button", name="Play").click()
    until(lambda: page.evaluate("Boolean(window.ear) && hears(440) > -60 && hears(620) > -60"))
    for balance, loud, quiet in (("-100", 440, 620), ("100", 620, 440)):
        page.locator("#balance").fill(balance)
        until(partial(hears_only, page, loud, quiet))


def hears_only(page: Page, loud: int, quiet: int) -> bool:
    """Is one tone heard and the other not?"""
    heard = page.evaluate("tones => tones.map(hears)", [loud, quiet])
    return bool(heard[0] > -60 and heard[1] < -70)


def test_a_sound_that_does_not_come_is_said_in_words(page: Page) -> None:
    page.route("**/sound", lambda route: route.fulfill(status=404))
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-fault]")).to_contain_text("The sound cannot be played now.")


def test_a_download_is_a_file_with_the_recordings_number(page: Page, address: str) -> None:
    with page.expect_download() as saving:
        page.get_by_role("link", name=re.compile("Download")).click()
    assert saving.value.suggested_filename == address.rpartition("/")[2] + ".flac"
    page.reload()
    assert "downloaded" in page.inner_text("[aria-labelledby=history-title]")
