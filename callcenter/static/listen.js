// The supervisor's listening panel: takes the line of this page, chooses the mode, and draws how things stand.

import "./timer.js";
import { Phone } from "./phone.js";
import { TwilioPhone } from "./twilio_phone.js";

const root = document.getElementById("listening");
const place = document.getElementById("listen-state");
const words = JSON.parse(document.getElementById("listen-words").textContent);
const REGISTERED_MS = 8000;
let phone = null;
let lastFault = null;

function say(sentence) {
  const line = document.createElement("div");
  line.className = "toast-line alert alert-warning shadow mb-2";
  line.textContent = sentence;
  document.getElementById("live-region").append(line);
  setTimeout(() => line.remove(), 12000);
}

function headers(more = {}) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  return { "X-CSRFToken": token, "HX-Request": "true", ...more };
}

async function ask(url, options = {}) {
  const answer = await fetch(url, options).catch(() => null);
  if (!answer) return say(document.body.dataset.offline);
  if (answer.redirected) return location.reload();
  if (answer.ok) return draw(await answer.text());
  return say((await answer.json().catch(() => ({}))).error ?? document.body.dataset.failed);
}

function draw(html) {
  const focused = document.activeElement?.id;
  place.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Has this page its telephone? The first choice of a mode asks for it, since a browser wants a click before. */
async function ready() {
  if (root.dataset.kind === "none") return true; // a simulated line has no sound to bring here
  const Kind = root.dataset.kind === "twilio" ? TwilioPhone : Phone;
  phone ??= new Kind({
    accountUrl: root.dataset.phone, silence: root.dataset.silence, libraryUrl: root.dataset.library, keptAs: "listening",
    audio: document.getElementById("listen-audio"), onChange: changed,
  });
  if (!(await phone.start())) return false;
  const until = Date.now() + REGISTERED_MS;
  while (!phone.isRegistered && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  if (!phone.isRegistered) say(words.unreachable);
  return phone.isRegistered;
}

function changed({ fault }) {
  if (fault && fault !== lastFault) say(words[fault] ?? words.unreachable);
  lastFault = fault;
}

root.addEventListener("change", async (event) => {
  if (event.target.name !== "mode") return;
  const mode = event.target.value;
  if (await ready()) await ask(root.dataset.start, { method: "POST", headers: headers({ "Content-Type": "application/x-www-form-urlencoded" }), body: `mode=${mode}` });
});
root.addEventListener("click", (event) => {
  if (event.target.closest?.("#listen-stop")) ask(root.dataset.stop, { method: "POST", headers: headers() });
});
root.addEventListener("live", () => ask(root.dataset.state));
addEventListener("pagehide", () => navigator.sendBeacon(root.dataset.stop, new URLSearchParams({ csrf_token: document.querySelector('meta[name="csrf-token"]').content })));
