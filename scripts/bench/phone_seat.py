"""An operator's seat in Chromium: signs in, connects, and notes when the card stands and when the citizen is heard."""

import contextlib
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.bench.product import Product

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-fake-device-for-media-stream",
         "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required")  # fmt: skip
USERNAME, PASSWORD = "olga", "una clave de prueba"  # of an invented operator in a product that is thrown away
SECOND = 1000  # Playwright counts in milliseconds
# Milliseconds since the epoch at which the card stood and at which the citizen was first heard, since `arm`.
NOTES = """
window.bench = {card: 0, sound: 0, arm() { this.card = this.sound = 0; }};
document.addEventListener("DOMContentLoaded", () => {
  const console = document.getElementById("console");
  if (!console) return;
  new MutationObserver(() => {
    const stands = console.dataset.phase === "in_call" && document.getElementById("greeting").textContent;
    if (stands && !window.bench.card) window.bench.card = Date.now();
  }).observe(console, {attributes: true, attributeFilter: ["data-phase"]});
});
window.bench.listen = () => {
  const ear = new AudioContext();
  const analyser = ear.createAnalyser();
  analyser.fftSize = 256;  // five milliseconds
  let heard = null;
  const samples = new Float32Array(analyser.fftSize);
  setInterval(() => {
    const stream = document.getElementById("phone-audio").srcObject;
    if (stream && stream !== heard) ear.createMediaStreamSource((heard = stream)).connect(analyser);
    analyser.getFloatTimeDomainData(samples);
    if (!window.bench.sound && samples.some((sample) => Math.abs(sample) > 0.02)) window.bench.sound = Date.now();
  }, 4);
};
"""


class Seat:
    """The page of one operator."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def connect(self) -> None:
        """Take the seat, and be available."""
        self.page.goto("/console/")
        self.page.locator("html[data-link=up]").wait_for()
        self.page.keyboard.press("Space")
        self.page.locator("[data-check=line][data-state=ok]").wait_for(timeout=20 * SECOND)
        self.page.keyboard.press("Space")
        self.await_phase("available")
        self.page.evaluate("bench.listen()")
        self.page.wait_for_timeout(500)

    def await_phase(self, phase: str, seconds: float = 15) -> None:
        self.page.locator(f"#console[data-phase={phase}]").wait_for(timeout=seconds * SECOND)

    def arm(self) -> None:
        self.page.evaluate("bench.arm()")

    def noted(self, seconds: float = 10) -> tuple[float, float]:
        """When the card stood and when the citizen was heard (seconds since the epoch)."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found: dict[str, Any] = self.page.evaluate("({card: bench.card, sound: bench.sound})")
            if found["card"] and found["sound"]:
                return found["card"] / 1000, found["sound"] / 1000
            self.page.wait_for_timeout(20)
        raise TimeoutError(f"no card and no sound within {seconds} s")

    def finish(self) -> None:
        """The citizen has hung up: say what came of it."""
        self.await_phase("wrap_up")
        self.page.keyboard.press("4")
        self.await_phase("available")


@contextlib.contextmanager
def take(product: Product, folder: Path) -> Iterator[Seat]:
    """A seat for the length of a block."""
    from playwright.sync_api import sync_playwright

    product.python("flask", "users", "create", USERNAME, "--name", "Olga Invento", "--role", "operator",
                   "--password-stdin", given=PASSWORD)  # fmt: skip
    quiet = folder / "quiet.wav"
    with wave.open(str(quiet), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(2 * 48_000))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-audio-capture={quiet}"]
        )
        context = browser.new_context(base_url=product.url, locale="es-MX")
        context.add_init_script(NOTES)
        page = context.new_page()
        _sign_in(page)
        seat = Seat(page)
        seat.connect()
        try:
            yield seat
        finally:
            browser.close()


def _sign_in(page: "Page") -> None:
    page.goto("/login")
    page.fill("input[name=username]", USERNAME)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: not url.endswith("/login"))
