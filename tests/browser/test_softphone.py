"""The operator's telephone for real: Chromium, Asterisk, and invented people who hum 440 Hz while the operator's
microphone hums 620 Hz. Each side looks for the other's tone, so that “hears” means that the sound arrived."""

import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from scripts import asterisk, simulated_telephones
from scripts.bench import product
from scripts.simulated_telephones import Network
from scripts.simulated_telephones.call import Call
from tests.browser.conftest import CHROMIUM, FLAGS, sign_in
from tests.browser.test_pages import _serious, _watch

pytestmark = pytest.mark.telephone

PASSWORD = "una clave de prueba"
CITIZEN, OPERATOR, SUPERVISOR = 440, 620, 1000  # Hz
SECONDS = 1000
# What a citizen may miss of a sentence, at most; test machines share their cores.
RELOAD_SECONDS, GAP_SECONDS = 2.5, 1.0
Console: TypeAlias = Callable[..., Page]

# A hand on what the page is given by the browser, before any of its own scripts run.
HANDS = """
window.hands = {sockets: [], streams: [], blocked: false, refuses: null, dies: false};
for (const last of ["pagehide", "unload"]) {
  addEventListener(last, (event) => hands.dies && event.stopImmediatePropagation(), true);
}
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(url, protocols) {
    super(window.hands.blocked ? String(url).replace("/ws", "/nobody") : url, protocols);
    window.hands.sockets.push(this);
  }
};
const media = navigator.mediaDevices;
const ask = media.getUserMedia.bind(media);
media.getUserMedia = async (wanted) => {
  if (window.hands.refuses) throw new DOMException("no", window.hands.refuses);
  const plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const stream = await ask({audio: {...wanted.audio, ...plain}});  // a steady tone is noise to a browser
  window.hands.streams.push(stream);
  return stream;
};
"""
# A microphone that hums as a supervisor's, where all the others of this browser hum as the operator's.
HUMS = f"""
navigator.mediaDevices.getUserMedia = async () => {{
  const context = new AudioContext();
  const hum = new OscillatorNode(context, {{frequency: {SUPERVISOR}}});
  const ear = new MediaStreamAudioDestinationNode(context);
  hum.connect(new GainNode(context, {{gain: 0.3}})).connect(ear);
  hum.start();
  await context.resume();
  return ear.stream;
}};
"""
# How loud a tone is in what the page plays, 0 to 255; the page's own <audio> element says what that is.
HEARS = """async (hertz) => {
  const stream = document.getElementById("phone-audio").srcObject;
  if (!stream) return 0;
  window.ear ??= new AudioContext();
  if (window.heard !== stream) {
    window.heard = stream;
    window.analyser = window.ear.createAnalyser();
    window.analyser.fftSize = 4096;
    window.analyser.smoothingTimeConstant = 0;
    window.ear.createMediaStreamSource(stream).connect(window.analyser);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const bins = new Uint8Array(window.analyser.frequencyBinCount);
  window.analyser.getByteFrequencyData(bins);
  return bins[Math.round(hertz / (window.ear.sampleRate / window.analyser.fftSize))];
}"""

# Whatever a test has left: the call is hung up and given an outcome, the shift ends.
END = """async () => {
  const headers = {"X-CSRFToken": document.querySelector("meta[name=csrf-token]").content, Accept: "application/json",
                   "Content-Type": "application/json"};
  const post = (path, body = {}) => fetch("/console/" + path, {method: "POST", headers, body: JSON.stringify(body)});
  const state = async () => (await fetch("/console/state", {headers})).json();
  await post("leave");
  for (let tries = 0; tries < 50 && (await state()).operator.state !== "offline"; tries += 1) {
    const {call} = await state();
    if (call?.state === "connected") await post(`calls/${call.id}/hang-up`);
    if (call?.state === "wrap_up") await post(`calls/${call.id}/dispose`, {code: "refused"});
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return (await state()).operator.state;
}"""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with simulated_telephones.running() as network:
        yield network


@pytest.fixture(scope="module")
def telephone_product(network: Network) -> Iterator[product.Product]:
    """A product with an Asterisk of its own, one trunk to the invented telephones, and Olga."""
    try:
        asterisk.find()
    except asterisk.NotInstalled as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    env = {"CONVOCA_CARRIER": "asterisk", "CONVOCA_SIP_ADDRESS": "127.0.0.1"}
    with product.running(env=env) as found:
        for username, role in (("olga", "operator"), ("sofia", "supervisor")):
            found.python("flask", "users", "create", username, "--name", f"{username.title()} Invento", "--role", role,
                         "--password-stdin", given=PASSWORD)  # fmt: skip
        yield found


@pytest.fixture(scope="module")
def stage(telephone_product: product.Product, network: Network) -> Iterator[Callable[[], Call]]:
    """`stage()`: an invented person is called, and picks up; `stage("ask")`: in a campaign that records so."""
    command = [sys.executable, "-m", "tests.browser.telephone_stage", str(network.port)]
    env = product.environment(telephone_product.var, {"CONVOCA_CARRIER": "asterisk"})
    with subprocess.Popen(command, env=env, cwd=product.ROOT, text=True, stdin=-1, stdout=-1) as process:
        assert process.stdin
        assert process.stdout
        asks, answers = process.stdin, process.stdout
        answers.readline()

        def call(recording: str = "off") -> Call:
            number = f"+5255{time.time_ns() % 10**6:06}99"
            print(number, recording, file=asks, flush=True)
            assert answers.readline().strip(), "the call was not placed"
            return network.await_call(number)

        yield call
        asks.close()


@pytest.fixture(scope="module")
def tone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears: a tone, two whole seconds of it, so that it repeats without a click."""
    path = tmp_path_factory.mktemp("sound") / "620.wav"
    samples = (12_000 * np.sin(2 * np.pi * OPERATOR * np.arange(96_000) / 48_000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture(scope="module")
def chromium(tone_file: Path, driver: Playwright) -> Iterator[Browser]:
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={tone_file}")  # fmt: skip
    found = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake])
    yield found
    found.close()


@pytest.fixture
def context(telephone_product: product.Product, chromium: Browser) -> Iterator[BrowserContext]:
    with ExitStack() as stack:
        context = chromium.new_context(
            base_url=telephone_product.url, locale="es-MX", viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
        )  # fmt: skip
        stack.callback(context.close)
        context.add_init_script(HANDS)
        sign_in(context, "olga", PASSWORD)
        yield context


@pytest.fixture
def console(context: BrowserContext) -> Iterator[Console]:
    """The console of Olga, who has not connected yet; she ends her shift after the test."""

    def open_console() -> Page:
        page = context.new_page()
        page.goto("/console/")
        page.locator("html[data-link=up]").wait_for()
        return page

    yield open_console
    end = context.new_page()
    end.goto("/console/training")  # a page with her token and without a telephone
    assert end.evaluate(END) == "offline"


def connected(page: Page) -> Page:
    """Press the one button, and wait for the room."""
    page.keyboard.press("Space")
    expect(page.locator("#console")).to_have_attribute("data-phase", "paused", timeout=10 * SECONDS)
    expect(page.locator("[data-check=line]")).to_have_attribute("data-state", "ok", timeout=15 * SECONDS)
    return page


@pytest.fixture
def talk(stage: Callable[[], Call], console: Console) -> Callable[[], tuple[Page, Call]]:
    """Olga, available, and a citizen who has picked up."""

    def begin() -> tuple[Page, Call]:
        page = connected(console())
        page.keyboard.press("Space")
        expect(page.locator("#console")).to_have_attribute("data-phase", "available")
        return page, called(page, stage)

    return begin


def called(page: Page, stage: Callable[[], Call]) -> Call:
    citizen = stage()
    expect(page.locator("#console")).to_have_attribute("data-phase", "in_call", timeout=10 * SECONDS)
    return citizen


def until(page: Page, true: Callable[[], object], what: str, *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        page.wait_for_timeout(20)


def hears(page: Page, hertz: int, by: str = HEARS) -> bool:
    return int(page.evaluate(by, hertz)) > 120


def last_heard(citizen: Call, hertz: int = OPERATOR) -> float:
    """When the telephone last heard the tone; 0 for never."""
    return citizen.heard.tones.get(hertz, (0.0, 0.0))[1]


def is_hearing(citizen: Call) -> bool:
    return last_heard(citizen) > time.monotonic() - 0.2


def longest_silence(page: Page, citizen: Call, seconds: float, done: Callable[[], object] = lambda: False) -> float:
    """The longest time that the telephone hears nothing of the operator, until `done` or for so long."""
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end and not done():
        longest = max(longest, time.monotonic() - last_heard(citizen))
        page.wait_for_timeout(10)
    return longest


def test_operator_and_citizen_hear_each_other(talk: Callable[[], tuple[Page, Call]]) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    until(page, lambda: hears(page, CITIZEN), "the operator hears the citizen")
    assert not hears(page, 1000)
    expect(page.locator("#phone-line")).to_have_attribute("data-line", "good", timeout=10 * SECONDS)
    expect(page.locator("#phone-line")).to_have_text("Buena línea")


def test_mute_is_heard_and_said_and_ends_with_the_call(
    talk: Callable[[], tuple[Page, Call]], stage: Callable[[], Call]
) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    page.keyboard.press("m")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#muted")).to_be_visible()
    assert _serious(page) == []
    until(page, lambda: not is_hearing(citizen), "the muted operator is not heard")
    page.keyboard.press("m")
    until(page, lambda: is_hearing(citizen), "the operator is heard again")
    page.keyboard.press("m")
    page.keyboard.press("h")
    expect(page.locator("#console")).to_have_attribute("data-phase", "wrap_up")
    page.keyboard.press("4")
    expect(page.locator("#console")).to_have_attribute("data-phase", "available")
    following = called(page, stage)
    until(page, lambda: is_hearing(following), "the next citizen hears the operator")


def test_after_a_reload_in_a_call_the_operator_is_back_by_themselves(talk: Callable[[], tuple[Page, Call]]) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    page.reload(wait_until="commit")
    begun = time.monotonic()
    silence = longest_silence(page, citizen, 15, lambda: time.monotonic() > begun + 4)
    assert silence <= RELOAD_SECONDS
    expect(page.locator("#console")).to_have_attribute("data-phase", "in_call")
    until(page, lambda: hears(page, CITIZEN), "the operator hears the citizen again")


def test_the_sound_goes_on_while_the_socket_is_lost_and_the_leg_is_dialled_anew(
    talk: Callable[[], tuple[Page, Call]],
) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    page.evaluate("hands.first = document.getElementById('phone-audio').srcObject.id")
    page.evaluate("hands.blocked = true; hands.sockets.forEach((each) => each.close())")
    expect(page.locator("#phone-line")).to_have_attribute("data-line", "reconnecting")
    assert longest_silence(page, citizen, 4) <= GAP_SECONDS
    assert hears(page, CITIZEN)
    page.evaluate("hands.blocked = false")
    again = "document.getElementById('phone-audio').srcObject.id !== hands.first"
    silence = longest_silence(page, citizen, 15, lambda: page.evaluate(again))
    assert page.evaluate(again), "the leg was not dialled anew"
    assert max(silence, longest_silence(page, citizen, 2)) <= GAP_SECONDS
    until(page, lambda: hears(page, CITIZEN), "the operator hears the citizen")
    expect(page.locator("#console")).to_have_attribute("data-phase", "in_call")


def test_whose_operator_has_died_hears_the_apology(
    talk: Callable[[], tuple[Page, Call]], context: BrowserContext
) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    watcher = context.new_page()
    page.evaluate("hands.dies = true")
    page.close()
    gone = time.monotonic()
    until(watcher, lambda: citizen.state == "ended", "the call is ended", seconds=40)
    assert citizen.hung_up_by == "them"
    assert citizen.ended_at is not None
    assert citizen.ended_at - gone > 9, "hung up within the grace"
    assert [began for began, tone in citizen.heard.began if began > gone + 5], "no apology was heard"


def test_a_switch_that_dies_has_its_operators_back_in_their_rooms(
    console: Console, stage: Callable[[], Call], telephone_product: product.Product
) -> None:
    page = connected(console())
    line = page.locator("[data-check=line]")
    os.kill(telephone_product.pids()["asterisk"], signal.SIGKILL)
    expect(line).to_have_attribute("data-state", "wait", timeout=15 * SECONDS)
    begun = time.monotonic()
    expect(line).to_have_attribute("data-state", "ok", timeout=40 * SECONDS)
    assert time.monotonic() - begun < 15
    page.keyboard.press("Space")
    expect(page.locator("#console")).to_have_attribute("data-phase", "available")
    citizen = called(page, stage)
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    until(page, lambda: hears(page, CITIZEN), "the operator hears the citizen")


def test_a_supervisor_listens_coaches_and_joins(
    talk: Callable[[], tuple[Page, Call]], chromium: Browser, telephone_product: product.Product
) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    with chromium.new_context(base_url=telephone_product.url, locale="es-MX") as theirs:
        theirs.add_init_script(HANDS + HUMS)
        sign_in(theirs, "sofia", PASSWORD)
        panel = theirs.new_page()
        panel.goto("/floor/")
        panel.locator("a[href*='/floor/listen/']").first.click()
        panel.wait_for_url("**/floor/listen/*")
        panel.locator("html[data-link=up]").wait_for()
        heard = HEARS.replace("phone-audio", "listen-audio")

        panel.locator("label[for=mode-listen]").click()
        for tone in (CITIZEN, OPERATOR):
            until(panel, partial(hears, panel, tone, heard), f"the supervisor hears {tone} Hz")
        assert not hears(page, SUPERVISOR)
        panel.locator("label[for=mode-coach]").click()
        until(page, lambda: hears(page, SUPERVISOR), "the operator hears the coach")
        expect(page.locator(".at-line")).to_contain_text("Sofia")
        page.wait_for_timeout(500)
        assert last_heard(citizen, SUPERVISOR) == 0, "the citizen heard the coach"
        panel.locator("label[for=mode-join]").click()
        until(page, lambda: last_heard(citizen, SUPERVISOR), "the citizen hears the supervisor")
        until(page, lambda: hears(page, SUPERVISOR), "the operator hears the supervisor")
        panel.locator("#listen-stop").click()
        until(page, lambda: not hears(page, SUPERVISOR), "the supervisor is off the line")
        assert is_hearing(citizen)


def test_an_unplugged_microphone_is_said_in_red_and_another_one_goes_on(talk: Callable[[], tuple[Page, Call]]) -> None:
    page, citizen = talk()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator")
    page.evaluate(
        """() => {
          const [track] = hands.streams.at(-1).getAudioTracks();
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }"""
    )
    fault = page.locator("#phone-fault")
    expect(fault).to_have_attribute("data-fault", "unplugged")
    expect(fault).to_contain_text("se desconectó")
    assert _serious(page) == []
    until(page, lambda: not is_hearing(citizen), "silence")
    page.locator("#phone-microphone").select_option(index=1)
    expect(fault).to_be_hidden()
    until(page, lambda: is_hearing(citizen), "the citizen hears the operator through the other microphone")
    expect(page.locator("#console")).to_have_attribute("data-phase", "in_call")


def test_the_console_moves_to_another_tab_with_its_call(
    talk: Callable[[], tuple[Page, Call]], console: Console
) -> None:
    first, citizen = talk()
    until(first, lambda: is_hearing(citizen), "the citizen hears the operator")
    second = first.context.new_page()
    second.goto("/console/")
    expect(second.locator("#tab-dialog")).to_be_visible()
    assert second.evaluate("hands.sockets.length") == 0, "two tabs telephone"
    second.locator("#use-here").click()
    until(second, lambda: hears(second, CITIZEN), "the second tab hears the citizen", seconds=15)
    until(second, lambda: is_hearing(citizen), "the citizen hears the second tab")
    expect(first.locator("#tab-dialog")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("NotAllowedError", "blocked", "micrófono está bloqueado"),
        ("NotFoundError", "no_microphone", "No se encontró micrófono"),
        ("NotReadableError", "busy", "Otro programa"),
    ],
)
def test_without_a_microphone_nobody_is_connected_and_the_page_says_what_to_do(
    console: Console, name: str, code: str, words: str
) -> None:
    page = console()
    page.evaluate(f"hands.refuses = '{name}'")
    page.keyboard.press("Space")
    fault = page.locator("#phone-fault")
    expect(fault).to_have_attribute("data-fault", code)
    expect(fault).to_contain_text(words)
    expect(page.locator("#console")).to_have_attribute("data-phase", "offline")
    page.evaluate("hands.refuses = null")
    page.locator("#phone-again").click()
    expect(fault).to_be_hidden()
    expect(page.locator("[data-check=line]")).to_have_attribute("data-state", "ok", timeout=15 * SECONDS)


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [("Object.defineProperty(window, 'isSecureContext', {value: false})", "insecure"),
     ("delete window.RTCPeerConnection", "no_webrtc")],
)  # fmt: skip
def test_a_browser_that_cannot_telephone_is_told_so(console: Console, spoilt: str, code: str) -> None:
    page = console()
    page.evaluate(spoilt)
    page.keyboard.press("Space")
    expect(page.locator("#phone-fault")).to_have_attribute("data-fault", code)
    expect(page.locator("#phone-again")).to_be_hidden()
    expect(page.locator("#console")).to_have_attribute("data-phase", "offline")


def test_available_is_refused_in_words_while_the_switch_cannot_be_reached(console: Console) -> None:
    page = console()
    page.evaluate("hands.blocked = true")
    page.keyboard.press("Space")
    expect(page.locator("#console")).to_have_attribute("data-phase", "paused")
    page.keyboard.press("Space")
    expect(page.locator("#live-region")).to_contain_text("Su línea todavía no está abierta")
    expect(page.locator("#console")).to_have_attribute("data-phase", "paused")
    expect(page.locator("#phone-fault")).to_have_attribute("data-fault", "unreachable", timeout=15 * SECONDS)
    page.evaluate("hands.blocked = false")
    expect(page.locator("[data-check=line]")).to_have_attribute("data-state", "ok", timeout=20 * SECONDS)
    expect(page.locator("#phone-fault")).to_be_hidden()


def test_the_sound_check_hears_itself_and_is_measured(console: Console) -> None:
    page = console()
    page.locator("#try-microphone").click()
    # A browser takes its time to open a microphone on a busy machine.
    expect(page.locator("[data-check=microphone]")).to_have_attribute("data-state", "ok", timeout=30 * SECONDS)
    expect(page.locator("#try-microphone")).to_be_hidden()
    connected(page)
    page.keyboard.press("e")
    expect(page.locator("[data-check=echo]")).to_contain_text("debe oírse")
    own = HEARS.replace('getElementById("phone-audio")', 'querySelector("#readiness audio")')
    until(page, lambda: hears(page, OPERATOR, own), "the operator hears themselves")
    page.locator("#echo").click()
    expect(page.locator("[data-check=echo]")).to_have_attribute("data-state", "ok")
    expect(page.locator("[data-check=network]")).to_have_attribute("data-state", "ok", timeout=15 * SECONDS)
    expect(page.locator("[data-check=network]")).to_contain_text("ms")


def test_the_account_lives_as_long_as_the_shift(console: Console, telephone_product: product.Product) -> None:
    accounts = telephone_product.var / "asterisk" / "etc" / "pjsip_accounts.conf"
    page = connected(console())
    assert "[op-" in accounts.read_text()
    secret = page.evaluate("JSON.parse(sessionStorage.getItem('convoca:phone:console')).password")
    assert secret in accounts.read_text()
    page.click("[data-act=leave]")
    expect(page.locator("#console")).to_have_attribute("data-phase", "offline")
    until(page, lambda: "[op-" not in accounts.read_text(), "the account is gone")
    assert page.evaluate("sessionStorage.getItem('convoca:phone:console')") is None
    assert page.evaluate("hands.streams.every((each) => each.getAudioTracks().every((t) => t.readyState === 'ended'))")
    log = telephone_product.log_file.read_text(errors="replace")
    assert secret not in log


def test_the_console_with_a_telephone_is_accessible(chromium: Browser, telephone_product: product.Product) -> None:
    for scheme, language in (("light", "es"), ("dark", "en")):
        context = chromium.new_context(
            base_url=telephone_product.url, locale="es-MX" if language == "es" else "en-US",
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce",
            viewport={"width": 768, "height": 900},
        )  # fmt: skip
        context.add_init_script(HANDS)
        sign_in(context, "sofia", PASSWORD)
        page = context.new_page()
        faults = _watch(page)
        page.goto("/console/", wait_until="load")
        page.locator("html[data-link=up]").wait_for()
        assert _serious(page) == []
        page.evaluate("hands.refuses = 'NotFoundError'")
        page.keyboard.press("Space")
        expect(page.locator("#phone-fault")).to_be_visible()
        assert _serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 768
        assert faults == []
        context.close()


def test_a_call_is_recorded_as_the_citizen_and_the_operator_want_and_heard_by_the_supervisor(
    console: Console,
    stage: Callable[..., Call],
    chromium: Browser,
    telephone_product: product.Product,
    network: Network,
) -> None:
    page = connected(console())
    page.keyboard.press("Space")
    expect(page.locator("#console")).to_have_attribute("data-phase", "available")
    citizen = stage("ask")
    bar = page.locator("#recording-bar")
    expect(bar).to_contain_text("¿Está de acuerdo?", timeout=10 * SECONDS)
    expect(bar).to_have_attribute("data-state", "asked")
    for key, state in (("y", "recording"), ("g", "paused"), ("g", "recording")):
        page.keyboard.press(key)
        expect(bar).to_have_attribute("data-state", state, timeout=10 * SECONDS)
        assert _serious(page) == []
        page.wait_for_timeout(1500)  # so much of each is on the recording
    network.hang_up(citizen)
    expect(bar).to_have_attribute("data-state", "stored", timeout=30 * SECONDS)
    context = chromium.new_context(base_url=telephone_product.url, locale="es-MX")
    sign_in(context, "sofia", PASSWORD)
    listener = context.new_page()
    listener.goto("/recordings/?state=stored")
    listener.locator("tbody a").first.click()
    expect(listener.locator("main")).to_contain_text("¿Está de acuerdo?")
    listener.wait_for_load_state()  # the player's own keys
    listener.keyboard.press("Space")
    heard = "document.querySelector('audio').currentTime > 1"
    until(listener, lambda: listener.evaluate(heard), "the recording plays")
    assert listener.evaluate("document.querySelector('audio').duration") >= 4.5
    context.close()
